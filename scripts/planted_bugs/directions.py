"""Bugs of directions, maps and units."""

from planted_bugs.bug import Bug

CLOUD = "tests/physics/test_time_dependent.py::test_walked_histories"
JOBS = "tests/statistics/test_planted.py::test_unbroken_jobs_agree"
LRMF = "tests/runs/test_lrmf_sdp_run.py"
LON_LAT = "longitude and latitude"
ARRIVAL = "flow for arrival"
ORDER = "nested for ring"
AGE = "unit of an age"
FRAMES = "tests/physics/test_frames.py"
XUE_LIU = "tests/physics/test_xue_liu_2025.py"
SKY = "tests/statistics/test_sky.py"
TRANSPORT = "mcprop/transport.py"

BUGS = (
    Bug(
        LON_LAT, "swapped on the way to a vector", "mcprop/frames.py",
        "np.broadcast_arrays(np.radians(lon), np.radians(lat))",
        "np.broadcast_arrays(np.radians(lat), np.radians(lon))",
        (f"{FRAMES}::test_round_trip",),
    ),
    Bug(
        LON_LAT, "swapped on the way from a vector", "mcprop/frames.py",
        'return (lon if frame == "icrs" else lon % 360.0)[()], lat[()]',
        'return lat[()], (lon if frame == "icrs" else lon % 360.0)[()]',
        (f"{FRAMES}::test_round_trip",),
    ),
    Bug(
        LON_LAT, "l and b swapped in the Galactic axes", "mcprop/frames.py",
        "SkyCoord(l=[0, 90, 0] * u.deg, b=[0, 0, 90] * u.deg",
        "SkyCoord(b=[0, 90, 0] * u.deg, l=[0, 0, 90] * u.deg",
        (f"{FRAMES}::test_galactic_coordinates_are_those_of_astropy",),
    ),
    Bug(
        LON_LAT, "field of a model", "mcprop/analytic/parameters.py",
        "frames.unit_vector(self.field_ra, self.field_dec)",
        "frames.unit_vector(self.field_dec, self.field_ra)",
        (f"{XUE_LIU}::test_motion_of_the_cloud",),
    ),
    Bug(
        LON_LAT, "Galactic axes taken for equatorial ones", "mcprop/frames.py",
        "np.asarray(solar_uvw, dtype=float) @ galactic_axes()",
        "np.asarray(solar_uvw, dtype=float)",
        (f"{FRAMES}::test_lsr_velocity_adds_the_solar_motion_on_galactic_axes",),
    ),
    Bug(
        ARRIVAL, "the last mean free path", "mcprop/observer.py",
        "mean_free_path = 3.0 / speed * tensor @ axes",
        "mean_free_path = -3.0 / speed * tensor @ axes",
        (JOBS,),
    ),
    Bug(
        ARRIVAL, "dipole and map of histories in frames", TRANSPORT,
        "halves = (scores[:, 0::2] - scores[:, 1::2]) / (2.0 * share)",
        "halves = (scores[:, 1::2] - scores[:, 0::2]) / (2.0 * share)",
        (JOBS,),
    ),
    Bug(
        ARRIVAL, "map alone", TRANSPORT,
        "np.stack([halves, -halves], axis=2).ravel()",
        "np.stack([-halves, halves], axis=2).ravel()",
        ("tests/physics/test_symmetry.py::test_rotating_the_problem_rotates_the_map",),
    ),
    Bug(
        ARRIVAL, "dipole of analog histories", TRANSPORT,
        "Moments.split(scores, 3.0 * scores[:, None] * arrivals)",
        "Moments.split(scores, -3.0 * scores[:, None] * arrivals)",
        ("tests/physics/test_analog.py::test_analog_cloud_against_the_closed_form",),
    ),
    Bug(
        ARRIVAL, "motion of the Sun", "mcprop/xue_liu_2025/plan.py",
        "map(float, -self.model.u_hc / C_LIGHT)", "map(float, self.model.u_hc / C_LIGHT)",
        ("tests/physics/test_exact_boost.py::test_the_boost_is_judged_exactly_at_low_energy",),
    ),
    Bug(
        ARRIVAL, "gradient of the Galaxy", "mcprop/lrmf_sdp/plan.py",
        "np.column_stack([-inward, up])", "np.column_stack([inward, up])",
        (f"{LRMF}::test_agrees",),
    ),
    Bug(
        ARRIVAL, "map of the Galaxy alone", "mcprop/background_job.py",
        "np.stack([seen, -seen], axis=2).ravel()", "np.stack([-seen, seen], axis=2).ravel()",
        (f"{LRMF}::test_maps_hold_the_dipole",),
    ),
    Bug(
        ORDER, "scores are binned nested", "mcprop/sky.py",
        "healpy.vec2pix(self.nside, n[:, 0], n[:, 1], n[:, 2])",
        "healpy.vec2pix(self.nside, n[:, 0], n[:, 1], n[:, 2], nest=True)",
        (f"{SKY}::test_planted_dipole_is_recovered",),
    ),
    Bug(
        ORDER, "centres of the pixels are nested", "mcprop/sky.py",
        "healpy.pix2vec(nside, np.arange(healpy.nside2npix(nside)))",
        "healpy.pix2vec(nside, np.arange(healpy.nside2npix(nside)), nest=True)",
        (f"{SKY}::test_planted_dipole_is_recovered",),
    ),
    Bug(
        ORDER, "files say that they are nested", "mcprop/sky.py",
        'coord="C",', 'coord="C",\n                nest=True,',
        (f"{SKY}::test_healpy_reads_the_file",),
    ),
    Bug(
        AGE, "nearby burst in kyr", "mcprop/xue_liu_2025/plan.py",
        "return Burst(x, y, z, self.model.nearby_age, field",
        "return Burst(x, y, z, 1e-3 * self.model.nearby_age, field",
        (CLOUD,),
    ),
    Bug(
        AGE, "burst at the centre in kyr", "mcprop/xue_liu_2025/plan.py",
        "isotropic_burst(model.centre_vector, model.centre_age, isotropic)",
        "isotropic_burst(model.centre_vector, 1e-3 * model.centre_age, isotropic)",
        (JOBS,),
    ),
    Bug(
        AGE, "Geminga in Gyr", "mcprop/lrmf_sdp/plan.py",
        "isotropic_burst(model.source_vector, model.geminga_age, isotropic)",
        "isotropic_burst(model.source_vector, 1e3 * model.geminga_age, isotropic)",
        (f"{LRMF}::test_agrees",),
    ),
    Bug(
        AGE, "ages enter in kyr, for walks and formulas alike", "mcprop/units.py",
        '"time": "yr",', '"time": "kyr",',
        ("tests/physics/test_units.py::test_text_and_quantity_become_the_internal_number",),
    ),
    Bug(
        AGE, "a year of 365 days", "mcprop/units.py",
        "YR_S = 3.15576e7", "YR_S = 3.1536e7",
        ("tests/physics/test_units.py::test_constants_are_those_of_astropy",),
    ),
    Bug(
        AGE, "the last leg of a burst is not taken off its age", "mcprop/central_burst.py",
        "age=burst.age - leg)", "age=burst.age)",
        ("tests/physics/test_central_burst.py::test_no_leg_matters",),
    ),
)  # fmt: skip

"""The bugs that `scripts/planted` plants: mistakes that are easily made, where they could be made.

Each replaces `old`, which stands exactly once in `file`, by `new`; `tests` are arguments of pytest
that select what should notice.  Where code has moved on, the replacement no longer fits and the
script says so: write it anew for the code as it is.
"""

from typing import NamedTuple


class Bug(NamedTuple):
    """A bug to be planted.

    Parameters
    ----------
    kind : str
        What sort of mistake it is.
    name : str
        What is wrong then.
    file : str
        Where, relative to the root of the checkout.
    old, new : str
        The text, and what replaces it.
    tests : tuple of str
        Tests that should notice.
    """

    kind: str
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


DRIFT, ROOT_2, EPSILON = "sign of the drift", "sqrt 2", "epsilon inverted"
LON_LAT, ARRIVAL, ORDER = "longitude and latitude", "flow for arrival", "nested for ring"
RANDOM, AGE, SUMS = "random numbers reused", "unit of an age", "batches"
WEIGHT, ERRORS, STOPPING = "weights", "error bars", "stopping"

WALK, MEDIA = "tests/physics/test_walk.py", "tests/unit/test_media.py"
WHOLE_DRIFT = "tests/physics/test_drift.py::test_uniform_stays_uniform_with_the_whole_drift_alone"
BACKGROUND = "tests/physics/test_background.py::test_meets_the_grid"
SLAB = "tests/physics/test_slab.py"
STEADY_SLAB = f"{SLAB}::test_steady_density_and_dipole_for_any_step"
BURST = "tests/physics/test_burst.py"
CLOUD = "tests/physics/test_time_dependent.py::test_walked_histories"
FRAMES, XUE_LIU = "tests/physics/test_frames.py", "tests/physics/test_xue_liu_2025.py"
SKY, DIPOLE = "tests/statistics/test_sky.py", "tests/statistics/test_dipole.py"
JOBS = "tests/statistics/test_planted.py::test_unbroken_jobs_agree"
LRMF = "tests/runs/test_lrmf_sdp_run.py"
BITS = "tests/runs/test_reproducibility.py"

STEP = "mcprop/kernels/step.py"
TRANSPORT, MOMENTS = "mcprop/transport.py", "mcprop/dipole.py"

BUGS = (
    # 1. The sign of the drift
    Bug(
        DRIFT, "Euler walks against the divergence", STEP,
        "return x + (h * ux + root * sx), y + (h * uy + root * sy), z + (h * uz + root * sz)",
        "return x - (h * ux - root * sx), y - (h * uy - root * sy), z - (h * uz - root * sz)",
        (WHOLE_DRIFT,),
    ),
    Bug(
        DRIFT, "Heun corrects against the divergence", STEP,
        "bx, by, bz = 0.5 * h * ux + root * sx, 0.5 * h * uy + root * sy, 0.5 * h * uz + root * sz",
        "bx, by, bz = root * sx - 0.5 * h * ux, root * sy - 0.5 * h * uy, root * sz - 0.5 * h * uz",
        (WHOLE_DRIFT,),
    ),
    Bug(
        DRIFT, "the clock of unit diffusion runs against it", STEP,
        "return x + half * (gx + hx) + ax, y + half * (gy + hy) + ay, z + half * (gz + hz) + az",
        "return x - half * (gx + hx) + ax, y - half * (gy + hy) + ay, z - half * (gz + hz) + az",
        (BACKGROUND,),
    ),
    Bug(
        DRIFT, "the field's own turning pushes backward", "mcprop/medium/field_aligned.py",
        "cx + along * bx + turned * sx,", "cx + along * bx - turned * sx,",
        (WHOLE_DRIFT,),
    ),
    Bug(
        DRIFT, "a wall between media pushes backward", "mcprop/medium/blend.py",
        "a * ax + b * bx + (axx - bxx) * gx", "a * ax + b * bx - (axx - bxx) * gx",
        (f"{MEDIA}::test_drift_is_the_divergence_by_differences",),
    ),
    Bug(
        DRIFT, "divergence by differences, back minus ahead", "mcprop/kernels/tensor.py",
        "ux, uy, uz = over * (axx - bxx), over * (axy - bxy), over * (axz - bxz)",
        "ux, uy, uz = over * (bxx - axx), over * (bxy - axy), over * (bxz - axz)",
        ("tests/unit/test_particles.py",),
    ),
    Bug(
        DRIFT, "the wall of a region pushes backward", "mcprop/kernels/region.py",
        "fa, fb, fc = half * a, half * b, half * c", "fa, fb, fc = -half * a, half * b, half * c",
        ("tests/physics/test_sphere.py::test_monte_carlo_against_finite_elements",),
    ),
    Bug(
        DRIFT, "the flow in the cloud, out of it", "mcprop/cloud.py",
        "flow=float(-speed if tilt else speed)", "flow=float(speed if tilt else -speed)",
        (STEADY_SLAB,),
    ),
    Bug(
        DRIFT, "the flow along the face reversed", "mcprop/cloud.py",
        "shear=float(-ratio * speed)", "shear=float(ratio * speed)",
        (CLOUD,),
    ),
    # 2. A root of two
    Bug(
        ROOT_2, "kicks of a free walk", "mcprop/kernels/walk.py",
        "root = math.sqrt(2.0 * h)", "root = math.sqrt(h)",
        (f"{WALK}::test_mean_covariance_and_kurtosis_after_one_and_two_records",),
    ),
    Bug(
        ROOT_2, "kicks of a walk between boundaries", "mcprop/kernels/walk.py",
        "n0, n1, n2, h, math.sqrt(2.0 * h))", "n0, n1, n2, h, math.sqrt(h))",
        ("tests/physics/test_boundary.py",),
    ),
    Bug(
        ROOT_2, "kicks in the cloud", "mcprop/kernels/slab.py",
        "kick = math.sqrt(2.0 * spread) * n0", "kick = math.sqrt(spread) * n0",
        (STEADY_SLAB,),
    ),
    Bug(
        ROOT_2, "kicks of an analog history in the cloud", "mcprop/kernels/analog.py",
        "free = x + slab.flow * h + math.sqrt(2.0 * spread) * n0",
        "free = x + slab.flow * h + math.sqrt(spread) * n0",
        (f"{SLAB}::test_analog_exit_times_follow_the_law_of_first_passage",),
    ),
    Bug(
        ROOT_2, "time of a step through the Galaxy", "mcprop/kernels/residence.py",
        "h = 0.5 * length * length", "h = length * length",
        (BACKGROUND,),
    ),
    Bug(
        ROOT_2, "radius of Box and Muller", "mcprop/kernels/rng.py",
        "radius = math.sqrt(-2.0 * log(u))", "radius = math.sqrt(-log(u))",
        ("tests/statistics/test_normals.py",),
    ),
    Bug(
        ROOT_2, "error bars too small by it", MOMENTS,
        "return self.scatter / (self.n * (self.n - 1.0))",
        "return self.scatter / (2.0 * self.n * (self.n - 1.0))",
        (f"{DIPOLE}::test_ratio_estimator_covers_the_truth",),
    ),
    Bug(
        ROOT_2, "error bars too large by it", MOMENTS,
        "return self.scatter / (self.n * (self.n - 1.0))",
        "return 2.0 * self.scatter / (self.n * (self.n - 1.0))",
        (f"{DIPOLE}::test_ratio_estimator_covers_the_truth",),
    ),
    # 3. Epsilon inverted: along for across
    Bug(
        EPSILON, "outside the cloud", "mcprop/xue_liu_2025/plan.py",
        "parallel, perp = self.model.outer_tensor(rigidity, species)",
        "perp, parallel = self.model.outer_tensor(rigidity, species)",
        (CLOUD,),
    ),
    Bug(
        EPSILON, "inside the cloud", "mcprop/xue_liu_2025/plan.py",
        "diffusion.tensor(*self.model.local_tensor(rigidity, species), field)",
        "diffusion.tensor(*self.model.local_tensor(rigidity, species)[::-1], field)",
        (CLOUD,),
    ),
    Bug(
        EPSILON, "at the Sun, second model", "mcprop/lrmf_sdp/plan.py",
        "return diffusion.tensor(*self.model.local_tensor(rigidity), self.model.b_hat)",
        "return diffusion.tensor(*self.model.local_tensor(rigidity)[::-1], self.model.b_hat)",
        (f"{LRMF}::test_agrees",),
    ),
    Bug(
        EPSILON, "in the region around the Sun, second model", "mcprop/lrmf_sdp/plan.py",
        "region = Region(model.region_radius, parallel, perp, outside, settings.wall)",
        "region = Region(model.region_radius, perp, parallel, outside, settings.wall)",
        (f"{LRMF}::test_field_in_a_sphere",),
    ),
    Bug(
        EPSILON, "formula of the second model", "mcprop/analytic/lrmf_parameters.py",
        "return parallel, self.ratio(rigidity) * parallel",
        "return self.ratio(rigidity) * parallel, parallel",
        ("tests/physics/test_lrmf_sdp.py",),
    ),
    Bug(
        EPSILON, "kinetic theory, for walks and formulas alike", "mcprop/diffusion.py",
        "return parallel, parallel / (1.0 + omega_tau**2)",
        "return parallel / (1.0 + omega_tau**2), parallel",
        ("tests/physics/test_diffusion.py",),
    ),
    Bug(
        EPSILON, "tensor, for walks and formulas alike", "mcprop/diffusion.py",
        "return kappa_perp * np.eye(3) + (kappa_parallel - kappa_perp) * np.outer(field, field)",
        "return kappa_parallel * np.eye(3) + (kappa_perp - kappa_parallel) * np.outer(field, field)",
        ("tests/physics/test_diffusion.py",),
    ),
    Bug(
        EPSILON, "noise of a uniform tensor", "mcprop/medium/aligned.py",
        "root = math.sqrt(medium.kappa_perp)\n    along = (math.sqrt(medium.kappa_parallel)",
        "root = math.sqrt(medium.kappa_parallel)\n    along = (math.sqrt(medium.kappa_perp)",
        (f"{WALK}::test_mean_covariance_and_kurtosis_after_one_and_two_records",),
    ),
    # 4. Longitude and latitude
    Bug(
        LON_LAT, "swapped on the way to a vector", "mcprop/frames.py",
        "np.broadcast_arrays(np.radians(lon), np.radians(lat))",
        "np.broadcast_arrays(np.radians(lat), np.radians(lon))",
        (FRAMES,),
    ),
    Bug(
        LON_LAT, "swapped on the way from a vector", "mcprop/frames.py",
        'return (lon if frame == "icrs" else lon % 360.0)[()], lat[()]',
        'return lat[()], (lon if frame == "icrs" else lon % 360.0)[()]',
        (FRAMES,),
    ),
    Bug(
        LON_LAT, "l and b swapped in the Galactic axes", "mcprop/frames.py",
        "SkyCoord(l=[0, 90, 0] * u.deg, b=[0, 0, 90] * u.deg",
        "SkyCoord(b=[0, 90, 0] * u.deg, l=[0, 0, 90] * u.deg",
        (FRAMES,),
    ),
    Bug(
        LON_LAT, "field of a model", "mcprop/analytic/parameters.py",
        "frames.unit_vector(self.field_ra, self.field_dec)",
        "frames.unit_vector(self.field_dec, self.field_ra)",
        (XUE_LIU,),
    ),
    Bug(
        LON_LAT, "Galactic axes taken for equatorial ones", "mcprop/frames.py",
        "np.asarray(solar_uvw, dtype=float) @ galactic_axes()",
        "np.asarray(solar_uvw, dtype=float)",
        (FRAMES,),
    ),
    # 5. Where particles go for where they come from
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
        ("tests/physics/test_symmetry.py", "tests/runs/test_run_outputs.py"),
    ),
    Bug(
        ARRIVAL, "dipole of analog histories", TRANSPORT,
        "Moments.of(scores, 3.0 * scores[:, None] * arrivals)",
        "Moments.of(scores, -3.0 * scores[:, None] * arrivals)",
        ("tests/physics/test_analog.py",),
    ),
    Bug(
        ARRIVAL, "motion of the Sun", "mcprop/xue_liu_2025/plan.py",
        "map(float, -self.model.u_hc / C_LIGHT)", "map(float, self.model.u_hc / C_LIGHT)",
        ("tests/physics/test_exact_boost.py",),
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
    # 6. Order of the pixels
    Bug(
        ORDER, "scores are binned nested", "mcprop/sky.py",
        "healpy.vec2pix(self.nside, n[:, 0], n[:, 1], n[:, 2])",
        "healpy.vec2pix(self.nside, n[:, 0], n[:, 1], n[:, 2], nest=True)",
        (SKY,),
    ),
    Bug(
        ORDER, "centres of the pixels are nested", "mcprop/sky.py",
        "healpy.pix2vec(nside, np.arange(healpy.nside2npix(nside)))",
        "healpy.pix2vec(nside, np.arange(healpy.nside2npix(nside)), nest=True)",
        (SKY,),
    ),
    Bug(
        ORDER, "files say that they are nested", "mcprop/sky.py",
        'coord="C",', 'coord="C",\n                nest=True,',
        (SKY,),
    ),
    # 7. Random numbers used twice
    Bug(
        RANDOM, "both steps of a block take the same numbers", "mcprop/kernels/walk.py",
        "x, y, z = euler(medium, x, y, z, n3, n4, n5, h, root)",
        "x, y, z = euler(medium, x, y, z, n0, n1, n2, h, root)",
        (WALK,),
    ),
    Bug(
        RANDOM, "two axes take the same number", "mcprop/kernels/walk.py",
        "x, y, z = euler(medium, x, y, z, n0, n1, n2, h, root)",
        "x, y, z = euler(medium, x, y, z, n0, n1, n1, h, root)",
        (WALK,),
    ),
    Bug(
        RANDOM, "every pair of steps takes the first block", "mcprop/kernels/walk.py",
        "block += np.uint64(1)\n            for k in range(3):",
        "block += np.uint64(0)\n            for k in range(3):",
        (WALK,),
    ),
    Bug(
        RANDOM, "both steps between boundaries take the same", "mcprop/kernels/walk.py",
        "kicks[5 * LANES + i] = n3, n4, n5", "kicks[5 * LANES + i] = n0, n1, n2",
        (WALK, "tests/physics/test_boundary.py", "tests/unit/test_particles.py"),
    ),
    Bug(
        RANDOM, "both steps through the Galaxy take the same", "mcprop/kernels/residence.py",
        "first = (NORMALS + 3 * half) * LANES", "first = NORMALS * LANES",
        ("tests/physics/test_background.py",),
    ),
    Bug(
        RANDOM, "kick and time of leaving the cloud share one", "mcprop/kernels/slab.py",
        "lane[CHI * LANES + i] = n3 * n3", "lane[CHI * LANES + i] = n0 * n0",
        (SLAB, CLOUD),
    ),
    Bug(
        RANDOM, "both ways along the face share one", "mcprop/kernels/slab.py",
        "math.sqrt(2.0 * slab.spread3 * h) * n5", "math.sqrt(2.0 * slab.spread3 * h) * n4",
        (CLOUD, "tests/physics/test_time_dependent.py"),
    ),
    Bug(
        RANDOM, "the direction of arrival and the first step", "mcprop/kernels/rng.py",
        "LAUNCH = np.uint64(1 << 63)", "LAUNCH = np.uint64(0)",
        ("tests/unit/test_rng.py",),
    ),
    Bug(
        RANDOM, "cloud and walk outside share a stream", TRANSPORT,
        'stream(*name, "outside")', "stream(*name)",
        ("tests/statistics/test_planted.py", "tests/statistics/test_normals.py"),
    ),
    Bug(
        RANDOM, "batches through the cloud repeat the first", "mcprop/kernels/slab.py",
        "particle = first + np.uint64(member[i])", "particle = np.uint64(member[i])",
        (BITS,),
    ),
    Bug(
        RANDOM, "batches through the Galaxy repeat the first", "mcprop/kernels/residence.py",
        "draw(seed, stream, first + np.uint64(member[i]), block[i], i, shared)",
        "draw(seed, stream, np.uint64(member[i]), block[i], i, shared)",
        ("tests/physics/test_background.py", BITS, LRMF),
    ),
    Bug(
        RANDOM, "one rotation of Threefry", "mcprop/kernels/rng.py",
        "a, b = a + k1, b + k2 + np.uint64(1)\n    a, b = mix(a, b, np.uint64(16))",
        "a, b = a + k1, b + k2 + np.uint64(1)\n    a, b = mix(a, b, np.uint64(17))",
        ("tests/unit/test_rng.py",),
    ),
    # 8. Units of ages
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
        AGE, "Geminga in kyr", "mcprop/lrmf_sdp/plan.py",
        "isotropic_burst(model.source_vector, model.geminga_age, isotropic)",
        "isotropic_burst(model.source_vector, 1e-3 * model.geminga_age, isotropic)",
        (f"{LRMF}::test_agrees",),
    ),
    Bug(
        AGE, "ages enter in kyr, for walks and formulas alike", "mcprop/units.py",
        '"time": "yr",', '"time": "kyr",',
        ("tests/physics/test_units.py", "tests/physics/test_analytic_quantities.py"),
    ),
    Bug(
        AGE, "a year of 365 days", "mcprop/units.py",
        "YR_S = 3.15576e7", "YR_S = 3.1536e7",
        ("tests/physics/test_units.py",),
    ),
    Bug(
        AGE, "the last leg of a burst is not taken off its age", "mcprop/central_burst.py",
        "age=burst.age - leg)", "age=burst.age)",
        ("tests/physics/test_central_burst.py::test_no_leg_matters",),
    ),
    # 9. Weights
    Bug(
        WEIGHT, "the aim of a walk is not undone", "mcprop/source.py",
        "there = gaussian(burst, dx - kx, dy - ky, dz - kz, left - time, drifted - work)\n"
        "    mirror = gaussian(burst, dx + kx, dy + ky, dz + kz, left - time, drifted + work)",
        "there = gaussian(burst, dx - kx, dy - ky, dz - kz, left - time, 0.0)\n"
        "    mirror = gaussian(burst, dx + kx, dy + ky, dz + kz, left - time, 0.0)",
        (BURST,),
    ),
    Bug(
        WEIGHT, "the mirrored walk has the other's weight", "mcprop/source.py",
        "dz + kz, left - time, drifted + work)", "dz + kz, left - time, drifted - work)",
        (BURST,),
    ),
    Bug(
        WEIGHT, "staying in the cloud costs twice", "mcprop/kernels/slab.py",
        "lane[(WEIGHT + k) * LANES + i] = weight * factor",
        "lane[(WEIGHT + k) * LANES + i] = weight * factor * factor",
        (STEADY_SLAB,),
    ),
    Bug(
        WEIGHT, "a tilted cloud is not tilted back", TRANSPORT,
        "scores[:, 1::2] *= np.exp(-self.tilt_rate * (self.slab.depth - deeper))",
        "scores[:, 1::2] *= np.exp(-self.tilt_rate * self.slab.depth)",
        ("tests/physics/test_slab.py", "tests/physics/test_time_dependent.py"),
    ),
    Bug(
        WEIGHT, "a tilted return to a region is not undone", "mcprop/kernels/region.py",
        "return back, u > chance, met if u > chance else met / tilt",
        "return back, u > chance, met",
        ("tests/physics/test_sphere.py",),
    ),
    Bug(
        WEIGHT, "losses take half of what they should", "mcprop/kernels/residence.py",
        "loss = 0.25 * h * (lost + lost1)", "loss = 0.125 * h * (lost + lost1)",
        ("tests/physics/test_background.py::test_losses_kill_weights",),
    ),
    Bug(
        WEIGHT, "the edge of the Galaxy absorbs too little", "mcprop/kernels/residence.py",
        "stays = survival(boundary, x, y, z, x1, y1, z1, h)",
        "stays = survival(boundary, x, y, z, x1, y1, z1, 0.5 * h)",
        ("tests/physics/test_background.py",),
    ),
    # 10. Error bars
    Bug(
        ERRORS, "variance of a history for that of the mean", MOMENTS,
        "return self.scatter / (self.n * (self.n - 1.0))", "return self.scatter / (self.n - 1.0)",
        (DIPOLE,),
    ),
    Bug(
        ERRORS, "n for n - 1", MOMENTS,
        "return self.scatter / (self.n * (self.n - 1.0))",
        "return self.scatter / (self.n * self.n)",
        (DIPOLE,),
    ),
    Bug(
        ERRORS, "scatter between batches forgotten", MOMENTS,
        "Moments(n, mean, self.scatter + other.scatter + between)",
        "Moments(n, mean, self.scatter + other.scatter)",
        (DIPOLE,),
    ),
    Bug(
        ERRORS, "noise that dipole and density share", MOMENTS,
        "jacobian[1:, 0] = -ratio", "jacobian[1:, 0] = 0.0",
        (DIPOLE,),
    ),
    Bug(
        ERRORS, "shares of the total enter linearly", MOMENTS,
        "covariance += share**2 * (", "covariance += share * (",
        (DIPOLE,),
    ),
    Bug(
        ERRORS, "scatter of a pixel for that of its mean", "mcprop/sky.py",
        "scatter, self.count * (self.count - 1.0), out=",
        "scatter, self.count - 1.0, out=",
        (SKY,),
    ),
    Bug(
        ERRORS, "scores of one history taken for independent", "mcprop/sky.py",
        "if self.histories.n > 1:", "if self.histories.n < 0:",
        (SKY,),
    ),
)  # fmt: skip
"""All of them."""

"""Bugs of kinetic observers: the Hall term, the way back, noise that is taken for power."""

from planted_bugs.bug import Bug

SKY = "tests/physics/test_kinetic_sky.py"
BUILT, SEEN = "mcprop/wandering/kinetic_sky.py", "mcprop/wandering/seen_sky.py"
POWER = "mcprop/multipoles.py"
BACK = "orbits of observers"
NOISE = "noise of skies"
LASTING, TOLD = "mcprop/wander_study/sky_duration.py", "tests/runs/test_wander_sky.py"
DIPOLE = f"{SKY}::test_scattered_sky_is_the_dipole_of_kinetic_theory_and_nothing_else"
COLLIDING = f"{SKY}::test_orbits_with_collisions_in_a_uniform_field_are_the_same_observer"
LEVEL = f"{SKY}::test_noise_that_is_not_subtracted_is_caught"
COMMON = f"{SKY}::test_mean_sky_of_isotropic_turbulence_is_a_dipole_along_the_gradient"
HALL = f"{SKY}::test_hall_part_of_turbulence_follows_the_charge_and_green_and_kubo"

BUGS = (
    Bug(
        BACK, "gyration the other way", BUILT,
        "speed, turning * strength, tau", "speed, -turning * strength, tau", (DIPOLE,),
    ),
    Bug(
        BACK, "flights that go on, not back", BUILT, "backward=True", "backward=False", (DIPOLE,),
    ),
    Bug(
        BACK, "orbits traced forward in time", BUILT,
        'time = -positive("duration"', 'time = positive("duration"', (COLLIDING,),
    ),
    Bug(
        BACK, "motion along the arrival direction", BUILT,
        "motion = -seen @ observer.axes.T", "motion = seen @ observer.axes.T", (COLLIDING,),
    ),
    Bug(
        BACK, "arrival direction at the other end not turned round", BUILT,
        "_Legs(moved, -ends[3:].T", "_Legs(moved, ends[3:].T", (COLLIDING,),
    ),
    Bug(
        BACK, "collisions of a thread repeat those of another", BUILT,
        "STREAM + 1, first, starts", "STREAM + 1, 0, starts",
        (f"{SKY}::test_no_bit_depends_on_threads",),
    ),
    Bug(
        BACK, "axes of the map turned the wrong way", BUILT,
        "moved = (legs.displacements @ self.axes)", "moved = (legs.displacements @ self.axes.T)",
        (f"{SKY}::test_a_map_in_other_axes_is_the_same_sky",),
    ),
    Bug(
        BACK, "sign of kappa_A", SEEN, "hall = 0.5 * float(", "hall = -0.5 * float(", (HALL,),
    ),
    Bug(
        BACK, "the sky halfway is that of the whole duration", BUILT,
        "half = observer.sky(seen, legs[0]", "half = observer.sky(seen, legs[-1]",
        (f"{SKY}::test_halfway_is_the_sky_of_half_the_duration",),
    ),
    Bug(
        BACK, "the whole duration compared with itself", LASTING,
        "early = orbits[0].halfway, orbits[1].halfway", "early = orbits",
        (f"{TOLD}::test_a_duration_that_is_too_short_is_told",),
    ),
    Bug(
        BACK, "a change with the duration that passes for none", LASTING,
        "Rule(tolerance=0.0)", "Rule(tolerance=1.0)",
        (f"{TOLD}::test_a_duration_that_is_too_short_is_told",),
    ),
    Bug(
        NOISE, "level of the noise not taken out", POWER,
        "return self.c_l - self.noise", "return self.c_l", (LEVEL,),
    ),
    Bug(
        NOISE, "noise of a direction, not of a pixel", BUILT,
        "excess.var(axis=1, ddof=1) / self.per_pixel", "excess.var(axis=1, ddof=1)", (LEVEL,),
    ),
    Bug(
        NOISE, "scatter within pixels without one degree less", BUILT,
        "excess.var(axis=1, ddof=1)", "excess.var(axis=1)",
        (f"{SKY}::test_error_of_a_pixel_is_unbiased_for_few_directions",),
    ),
    Bug(
        NOISE, "power of single skies in that of their mean", POWER,
        "return (n * n * of_mean - total) / (n * (n - 1))", "return of_mean", (COMMON,),
    ),
    Bug(
        NOISE, "solid angle of a pixel", POWER,
        "power *= area**2 / (", "power *= area / (",
        (f"{SKY}::test_power_of_a_map_against_healpy",),
    ),
)  # fmt: skip

"""Bugs of fields that wander: waves, orbits, pseudo-particles along lines, bursts, verdicts."""

from planted_bugs.bug import Bug

PARTICLES = "tests/physics/test_pseudo_particles.py"
SPLIT = "tests/physics/test_split_walk.py"
BURST = "tests/physics/test_wandering_burst.py"
BURST_TEXT = "tests/unit/test_wander_burst_text.py"
BURST_RUN = "tests/runs/test_wander_burst.py"
ORBITS = "tests/physics/test_orbits.py"
THEORY = "tests/physics/test_kinetic_theory.py"
GRIDS = "tests/physics/test_grid_field.py"
WAVES = "tests/unit/test_plane_waves.py"
BATTERY, TURBULENCE = "tests/unit/test_fields.py", "tests/unit/test_turbulence.py"
VERDICTS = "tests/unit/test_wander_verdicts.py"
STUDY = "tests/runs/test_wander.py"
WALK, ORBIT, SCATTER = (f"mcprop/kernels/{name}.py" for name in ("wander", "orbit", "scatter"))
SPREAD, CLOUDS = "mcprop/wandering/pseudo_particles.py", "mcprop/wandering/burst_clouds.py"
MEETING, LEGS = "mcprop/wandering/meeting.py", "mcprop/wandering/burst_legs.py"
PLANE_WAVES, GRID = "mcprop/fields/plane_waves.py", "mcprop/fields/grid.py"
RANDOM = "mcprop/fields/turbulence.py"
SCAN, ESTIMATES = "mcprop/wander_study/scan.py", "mcprop/wander_study/estimates.py"
SUMMARY = "mcprop/wander_study/summary.py"
ALONG = "walks along lines"
LARGE = "diffusion on large scales"
BURSTS = "bursts through fields"
TURN = "orbits"
FIELD = "random fields"
SAID = "verdicts"
BESSEL = f"{SPLIT}::test_along_radial_lines_the_radius_is_a_bessel_process"
GAUSSIAN = f"{SPLIT}::test_in_a_uniform_field_it_is_the_gaussian"
EVEN = f"{SPLIT}::test_what_is_even_stays_so"
ORDER = f"{SPLIT}::test_it_is_of_second_weak_order"
GROWTH = f"{PARTICLES}::test_slopes_and_exponents_of_known_growth"
SLAB = f"{PARTICLES}::test_in_slab_turbulence_without_kappa_perp_they_keep_to_their_lines"
STRAIGHT = f"{BURST}::test_a_straight_field_gives_the_closed_form_and_honest_errors"
COSINES = f"{WAVES}::test_doubles_are_as_good_as_they_say"
WRITTEN = f"{STUDY}::test_every_file_of_a_study_has_the_seed_of_the_study"
TWINS = f"{VERDICTS}::test_twins_take_noise_out_and_nothing_else"

BUGS = (
    Bug(
        ALONG, "drift toward weak fields", WALK,
        "return 0.5 * dk - k0 * ds, 0.5 * ddk - dk * ds - k0 * (dds - ds * ds)",
        "return k0 * ds - 0.5 * dk, dk * ds + k0 * (dds - ds * ds) - 0.5 * ddk",
        (BESSEL,),
    ),
    Bug(
        ALONG, "drift without div b", WALK,
        "return 0.5 * dk - k0 * ds, 0.5 * ddk - dk * ds - k0 * (dds - ds * ds)",
        "return 0.5 * dk, 0.5 * ddk",
        (BESSEL,),
    ),
    Bug(
        ALONG, "drift with half of div b", WALK,
        "return 0.5 * dk - k0 * ds, 0.5 * ddk - dk * ds - k0 * (dds - ds * ds)",
        "ds, dds = 0.5 * ds, 0.5 * dds + 0.25 * ds * ds\n"
        "    return 0.5 * dk - k0 * ds, 0.5 * ddk - dk * ds - k0 * (dds - ds * ds)",
        (BESSEL,),
    ),
    Bug(
        ALONG, "drift with the whole gradient of the coefficient", WALK,
        "return 0.5 * dk - k0 * ds, 0.5 * ddk - dk",
        "return 1.0 * dk - k0 * ds, 1.0 * ddk - dk",
        (EVEN,),
    ),
    Bug(
        ALONG, "sqrt 2 of the kicks", WALK,
        "root, half = math.sqrt(2.0 * value * t), 0.5 * t",
        "root, half = math.sqrt(value * t), 0.5 * t",
        (GAUSSIAN,),
    ),
    Bug(
        ALONG, "sqrt 2 of the noise along the line", WALK,
        "math.sqrt(h) * n3, 0.0", "math.sqrt(2.0 * h) * n3, 0.0",
        (GAUSSIAN,),
    ),
    Bug(
        ALONG, "noise takes the random number of a kick", WALK,
        "math.sqrt(h) * n3, 0.0", "math.sqrt(h) * n0, 0.0",
        (GAUSSIAN,),
    ),
    Bug(
        ALONG, "both kicks of a step take one block", WALK,
        "number + SECOND", "number",
        (GAUSSIAN,),
    ),
    Bug(
        ALONG, "every record takes the same blocks", SPREAD,
        "block, taken = block + steps, max(taken, h)", "block, taken = block, max(taken, h)",
        (f"{PARTICLES}::test_times_that_are_uneven_count_from_the_start",),
    ),
    Bug(
        ALONG, "weight of the last stage of RK4", WALK,
        "add_stage(i, lane, math.sqrt(2.0 * more), bx, by, bz)",
        "add_stage(i, lane, 2.0 * math.sqrt(2.0 * more), bx, by, bz)",
        (GAUSSIAN,),
    ),
    Bug(
        ALONG, "the third stage of RK4 at the end", WALK,
        "half = 0.5 * lane[STEP * LANES + i] * sigma", "half = lane[STEP * LANES + i] * sigma",
        (f"{PARTICLES}::test_the_scheme_does_not_leave_a_line",),
    ),
    Bug(
        ALONG, "drift in one jump", WALK,
        "t = portion(lane[LEFT * LANES + i], max(1.0 / (rate + TINY), SHORTEST * h))\n"
        "    drifts = lane[DRIFTS * LANES + i] > 0.0\n"
        "    step = t if drifts else lane[STEP * LANES + i]\n"
        "    lane[STEP * LANES + i] = step\n"
        "    bx = lane[BX * LANES + i] if drifts else bx\n"
        "    by = lane[BY * LANES + i] if drifts else by\n"
        "    bz = lane[BZ * LANES + i] if drifts else bz\n"
        "    way = t * a * growth(min(max(t * slope, -1.0), 1.0))\n"
        "    way = min(max(way, -NOISE_SHARE * unit), NOISE_SHARE * unit)",
        "t = lane[LEFT * LANES + i]\n"
        "    drifts = lane[DRIFTS * LANES + i] > 0.0\n"
        "    step = t if drifts else lane[STEP * LANES + i]\n"
        "    lane[STEP * LANES + i] = step\n"
        "    bx = lane[BX * LANES + i] if drifts else bx\n"
        "    by = lane[BY * LANES + i] if drifts else by\n"
        "    bz = lane[BZ * LANES + i] if drifts else bz\n"
        "    way = t * a",
        (f"{PARTICLES}::test_the_scheme_does_not_leave_a_line", ORDER),
    ),
    Bug(
        LARGE, "factor 2 of D", SPREAD,
        "over = 0.5 / (self.times[j] - self.times[i])",
        "over = 1.0 / (self.times[j] - self.times[i])",
        (GROWTH,),
    ),
    Bug(
        LARGE, "both components across for one", SPREAD,
        "= 0.5 * (moved[:, :2] ** 2).sum(axis=1).mean()",
        "= (moved[:, :2] ** 2).sum(axis=1).mean()",
        (SLAB,),
    ),
    Bug(
        LARGE, "errors as if particles were realisations", SPREAD,
        "perp = estimate(over * (self.across[:, j] - self.across[:, i]))",
        "grown = over * (self.across[:, j] - self.across[:, i])\n"
        "        perp = estimate(np.repeat(grown, self.particles))",
        (GROWTH,),
    ),
    Bug(
        LARGE, "one field for all realisations", SPREAD,
        "field = make_field(maker, seed, realisation)", "field = make_field(maker, seed, 0)",
        (f"{PARTICLES}::test_every_realisation_has_a_field_of_its_own",),
    ),
    Bug(
        BURSTS, "drift toward weak fields, for both clouds", WALK,
        "return 0.5 * dk - k0 * ds, 0.5 * ddk - dk * ds - k0 * (dds - ds * ds)",
        "return k0 * ds - 0.5 * dk, dk * ds + k0 * (dds - ds * ds) - 0.5 * ddk",
        (f"{BURST}::test_a_wandering_field_gives_what_a_histogram_gives",),
    ),
    Bug(
        BURSTS, "sqrt 2 of the kick between the clouds", MEETING,
        "return 2.0 * self.kappa_perp * self.duration", "return self.kappa_perp * self.duration",
        (f"{BURST}::test_a_kick_too_wide_by_sqrt_2_is_caught",),
    ),
    Bug(
        BURSTS, "sqrt 2 of the flow to the meeting", MEETING,
        "return self.kappa_parallel * self.duration",
        "return 2.0 * self.kappa_parallel * self.duration",
        (f"{BURST}::test_the_parts_of_the_way_do_not_matter",),
    ),
    Bug(
        BURSTS, "the last step counts twice", CLOUDS,
        "age - back - last, short", "age - back, short",
        (f"{BURST}::test_a_kick_too_wide_by_sqrt_2_is_caught",),
    ),
    Bug(
        BURSTS, "the source does not wait for a longer leg", CLOUDS,
        "forward = self.forward + (1.0 - factor) * self.back", "forward = self.forward",
        (f"{BURST}::test_nothing_depends_on_the_leg_and_what_changes_by_chance_is_known",),
    ),
    Bug(
        BURSTS, "changes of the leg with the errors of the values", LEGS,
        "less[:, BASE] -= 1.0", "less[:, BASE] -= 0.0",
        (f"{BURST_TEXT}::test_changes_have_the_error_of_what_legs_do_not_have_in_common",),
    ),
    Bug(
        BURSTS, "no leg ever matters", LEGS,
        "return self.chance < math.erfc(SIGMAS / math.sqrt(2.0))", "return self.chance < 0.0",
        (f"{BURST}::test_what_makes_it_depend_on_the_leg_is_told",),
    ),
    Bug(
        BURSTS, "dipole away from the source", CLOUDS,
        "along = (ahead - behind) /", "along = (behind - ahead) /",
        (STRAIGHT,),
    ),
    Bug(
        BURSTS, "age of a study in years of 360 days", "mcprop/wander_study/burst.py",
        "        source.age,\n", "        360.0 / 365.25 * source.age,\n",
        (f"{BURST_RUN}::test_a_burst_is_seen_through_each_realisation",),
    ),
    Bug(
        TURN, "Boris turns the wrong way", ORBIT,
        "half, end = 0.5 * turning * h,", "half, end = -0.5 * turning * h,",
        (f"{ORBITS}::test_a_positive_charge_turns_clockwise_seen_against_the_field",),
    ),
    Bug(
        TURN, "whole chances of a collision at both ends", ORBIT,
        "1.0 - math.sqrt(1.0 - hits)", "hits",
        (f"{ORBITS}::test_mean_displacement_from_a_direction_with_collisions",),
    ),
    Bug(
        TURN, "random numbers of collisions begin anew in each part", ORBIT,
        "block = np.uint64(part.drawn)", "block = np.uint64(0)",
        ("tests/unit/test_orbit_arguments.py::test_looking_up_changes_no_bit",),
    ),
    Bug(
        TURN, "chance of a collision in continuous time", "mcprop/wandering/course.py",
        "spans / (1.0 + 0.5 * spans)", "-np.expm1(-spans)",
        (f"{ORBITS}::test_coefficients_of_collisions_are_exact_for_any_step",),
    ),
    Bug(
        TURN, "scattered orbits turn the wrong way", SCATTER,
        "cx, cy, cz = uy * bz - uz * by, uz * bx - ux * bz, ux * by - uy * bx",
        "cx, cy, cz = uz * by - uy * bz, ux * bz - uz * bx, uy * bx - ux * by",
        (f"{THEORY}::test_a_flight_is_a_helix",),
    ),
    Bug(
        TURN, "scattered orbits collide twice as often", SCATTER,
        "free = -tau * log(uniform(w0))", "free = -0.5 * tau * log(uniform(w0))",
        (f"{THEORY}::test_late_coefficients_are_those_of_kinetic_theory",),
    ),
    Bug(
        FIELD, "waves without their phase", PLANE_WAVES,
        "k / np.pi, turns - 2.0 * np.round(0.5 * turns)", "k / np.pi, 0.0 * turns",
        (COSINES,),
    ),
    Bug(
        FIELD, "half-turns taken for whole ones", PLANE_WAVES,
        "k / np.pi, turns - 2.0 * np.round(0.5 * turns)", "k / np.pi, turns - np.round(turns)",
        (COSINES,),
    ),
    Bug(
        FIELD, "derivatives with the wrong sign", PLANE_WAVES,
        "split(half_turns(table, n, x, y, z) + 0.5)", "split(half_turns(table, n, x, y, z) - 0.5)",
        (f"{WAVES}::test_gradient_is_that_of_the_cosines",),
    ),
    Bug(
        FIELD, "a slope of 3/2", RANDOM,
        "given = spectrum_of(spectrum, longest, shortest, slope)",
        "given = spectrum_of(spectrum, longest, shortest, slope - 1.0 / 6.0)",
        (f"{TURBULENCE}::test_waves_carry_the_variance_of_their_part_of_the_spectrum",),
    ),
    Bug(
        FIELD, "sqrt 2 of the strength", RANDOM,
        "np.sqrt(2.0 * share / members)", "np.sqrt(share / members)",
        (f"{TURBULENCE}::test_variances_of_each_realisation_are_exact",),
    ),
    Bug(
        FIELD, "spectrum of a grid on shells of no area", "mcprop/fields/grid_turbulence.py",
        "square ** (-0.25 * (slope + 2.0))", "square ** (-0.25 * slope)",
        (f"{GRIDS}::test_spectrum_is_the_one_requested",),
    ),
    Bug(
        FIELD, "curl with the wrong sign", GRID,
        "return field.bx + (az_y - ay_z), field.by + (ax_z - az_x), field.bz + (ay_x - ax_y)",
        "return field.bx + (ay_z - az_y), field.by + (az_x - ax_z), field.bz + (ax_y - ay_x)",
        (f"{GRIDS}::test_a_wave_is_what_it_should_be",),
    ),
    Bug(
        FIELD, "axes of a grid swapped", "mcprop/fields/cells.py",
        "return i * sheet + j * row + 3 * k, fx, fy, fz",
        "return j * sheet + i * row + 3 * k, fy, fx, fz",
        (f"{GRIDS}::test_a_wave_is_what_it_should_be",),
    ),
    Bug(
        FIELD, "a cone of critical balance filled evenly", RANDOM,
        "parallel = -width * np.log1p(-depth)", "parallel = 2.0 * width * depth",
        (f"{BATTERY}::test_field_has_the_spectrum_that_was_requested",),
    ),
    Bug(
        FIELD, "places taken from arrays", "mcprop/protocol.py",
        "if i <= len(args) and not isinstance(args[i - 1], float):", "if False:",
        ("tests/unit/test_protocol.py::test_python_asks_at_one_place_at_a_time",),
    ),
    Bug(
        FIELD, "blocks read beyond their ends", "mcprop/fields/blocks.py",
        "fits and numbers.size >= 3 * LANES and", "fits and",
        ("tests/unit/test_protocol.py::test_a_block_takes_arrays_that_hold_it",),
    ),
    Bug(
        FIELD, "directions that part where the field grows", "mcprop/fields/sample.py",
        "(self.divergence - along) / self.strength", "(self.divergence + along) / self.strength",
        ("tests/unit/test_sample.py::test_divergences_are_those_of_field_and_direction",),
    ),
    Bug(
        SAID, "M^4 for M^2", SCAN,
        "float(mach_two(d_parallel, walk.mach)), float(mach_four(d_parallel, walk.mach))",
        "float(mach_four(d_parallel, walk.mach)), float(mach_two(d_parallel, walk.mach))",
        (f"{STUDY}::test_the_wandering_case_is_near_the_isotropic_law_and_no_other",),
    ),
    Bug(
        SAID, "pulls without the error of what the law is made of", SCAN,
        "pull_mach_two=(d_perp - two) / with_ratio", "pull_mach_two=(d_perp - two) / error",
        (f"{STUDY}::test_the_wandering_case_is_near_the_isotropic_law_and_no_other",),
    ),
    Bug(
        SAID, "errors of the laws swapped", "mcprop/wander_study/verdicts.py",
        'return row.d_perp_err if law == "isotropic" else',
        'return row.d_perp_err if law != "isotropic" else',
        (f"{VERDICTS}::test_a_law_made_of_d_parallel_is_judged_by_the_error_of_the_ratio",),
    ),
    Bug(
        SAID, "the rule without its tolerance", "mcprop/wander_study/verdicts.py",
        "> reach + self.tolerance * abs(law)", "> reach",
        (f"{VERDICTS}::test_the_rule",),
    ),
    Bug(
        SAID, "kappa_perp taken for what wandering adds", "mcprop/wander_study/verdicts.py",
        'known = row.kappa_perp if law == "isotropic" else 0.0', "known = 0.0",
        (f"{VERDICTS}::test_the_isotropic_law_is_not_met_where_nothing_wanders",),
    ),
    Bug(
        SAID, "no one looks whether particles diffuse", "mcprop/wander_study/verdicts.py",
        "return abs(row.drift) <= reach + rule.tolerance * abs(row.excess)", "return True",
        (f"{VERDICTS}::test_what_does_not_diffuse_follows_no_law",),
    ),
    Bug(
        SAID, "few realisations taken for many", "mcprop/wander_study/verdicts.py",
        "return float(t.isf(norm.sf(sigma), freedom))", "return sigma",
        (f"{VERDICTS}::test_error_bars_of_few_realisations_reach_as_far_as_they_must",),
    ),
    Bug(
        SAID, "a power is named while another may be as well", SUMMARY,
        "for name, verdict in verdicts.items() if verdict != FAILS]",
        "for name, verdict in verdicts.items() if verdict == FOLLOWS][:1]",
        (f"{VERDICTS}::test_one_power_is_named_only_if_the_others_are_ruled_out",),
    ),
    Bug(
        SAID, "half steps are fine however blunt their errors", SUMMARY,
        "> BLUNT * abs(row.whole)", "> math.inf",
        (f"{VERDICTS}::test_a_small_change_is_fine_only_if_a_large_one_would_be_seen",),
    ),
    Bug(
        SAID, "titles of field lines as wide as for three panels", "mcprop/wander_study/figures.py",
        "width = min(_PANEL_TITLE_WIDTH * len(lines), _TITLE_WIDTH)", "width = _TITLE_WIDTH",
        (f"{VERDICTS}::test_titles_say_what_is_drawn_and_fit",),
    ),
    Bug(
        SAID, "a map says the seed of its field for that of the study",
        "mcprop/wander_study/study.py", "replace(sky, seed=self.seed).write", "sky.write",
        (WRITTEN,),
    ),
    Bug(
        SAID, "a summary without its seed", "mcprop/wander_study/study.py",
        'f"{head}{self.text}\\n"', 'f"{self.text}\\n"',
        (WRITTEN,),
    ),
    Bug(
        SAID, "twins count however little they have in common", ESTIMATES,
        "where=clear & (spread > 0.0)", "where=spread > 0.0",
        (f"{VERDICTS}::test_twins_of_their_own_do_not_hurt",),
    ),
    Bug(
        SAID, "what twins have in common is added", ESTIMATES,
        "values - beta * (twins - known)", "values + beta * (twins - known)",
        (TWINS,),
    ),
    Bug(
        SAID, "regression of the twins on the values", ESTIMATES,
        "spread = ((twins**2).sum(axis=0) - twins**2) / (count - 1) - mean_t**2",
        "spread = ((values**2).sum(axis=0) - values**2) / (count - 1) - mean_v**2",
        (TWINS,),
    ),
)  # fmt: skip

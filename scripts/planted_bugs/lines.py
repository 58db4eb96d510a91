"""Bugs of field lines: the scheme, what is averaged over them, the laws they are held against."""

from planted_bugs.bug import Bug

TRACE = "tests/physics/test_trace.py"
SPREAD = "tests/physics/test_field_line_diffusion.py"
LAWS = "tests/physics/test_wandering_laws.py"
KERNEL = "mcprop/kernels/trace.py"
SCHEME = "scheme of lines"
COMPONENTS = "all components for one"
HEIGHTS = "lines by height"

BUGS = (
    Bug(
        SCHEME, "the last stage of RK4 goes half way", KERNEL,
        "ahead = h if turn == 2 else 0.5 * h", "ahead = 0.5 * h",
        (f"{TRACE}::test_error_is_of_fourth_order",),
    ),
    Bug(
        SCHEME, "weights of RK4 in the wrong order", KERNEL,
        "weight = 2.0 if turn == 1 or turn == 2 else 1.0",
        "weight = 2.0 if turn == 0 or turn == 3 else 1.0",
        (f"{TRACE}::test_error_is_of_fourth_order",),
    ),
    Bug(
        SCHEME, "digits of a coefficient swapped", "mcprop/kernels/dormand_prince.py",
        "49 / 176", "49 / 167",
        (f"{TRACE}::test_order_of_the_adaptive_scheme",),
    ),
    Bug(
        SCHEME, "steps of too large an error are taken", KERNEL,
        "good = ratio <= 1.0", "good = ratio <= 1e4",
        (f"{TRACE}::test_error_of_every_step_is_within_the_tolerance",),
    ),
    Bug(
        SCHEME, "by height, over the length of the field", KERNEL,
        "upward if by_height else math.sqrt", "upward if False else math.sqrt",
        (f"{SPREAD}::test_slab_lines_are_integrals",),
    ),
    Bug(
        COMPONENTS, "both components of a line added", "mcprop/wandering/field_lines.py",
        "(moved[:, :, :2] ** 2).mean(axis=(1, 2))",
        "(moved[:, :, :2] ** 2).sum(axis=2).mean(axis=1)",
        (f"{SPREAD}::test_slab_lines_follow_the_exact_curve",),
    ),
    Bug(
        COMPONENTS, "quasi-linear law of isotropic turbulence", "mcprop/analytic/wandering.py",
        "return 0.125 * math.pi * mean_inverse * mach**2",
        "return 0.375 * math.pi * mean_inverse * mach**2",
        (f"{LAWS}::test_quasilinear_diffusion_is_that_of_many_isotropic_waves",),
    ),
    Bug(
        COMPONENTS, "law of two-dimensional turbulence", "mcprop/analytic/wandering.py",
        "return ultrascale * mach / math.sqrt(2.0)", "return ultrascale * mach",
        (f"{LAWS}::test_two_dimensional_and_composite",),
    ),
    Bug(
        HEIGHTS, "that by arc length for it", "mcprop/wandering/field_lines.py",
        "value = growth.mean() / risen.mean()",
        "value = growth.mean() / (self.s[-1] - self.s[first])",
        (f"{SPREAD}::test_by_height_is_what_lines_do_that_are_followed_by_height",),
    ),
    Bug(
        HEIGHTS, "a mean field against z passes", "mcprop/wandering/realisations.py",
        "off = across if mean[2] > 0.0 else", "off = across if True else",
        (f"{SPREAD}::test_a_mean_field_that_is_not_along_z_is_refused",),
    ),
    Bug(
        HEIGHTS, "share of the resonance above its branch point", "mcprop/analytic/corrsin.py",
        "- high + np.arccosh(high)", "- high - np.arccosh(high)",
        (f"{LAWS}::test_resonant_share_is_its_integral",),
    ),
    Bug(
        SCHEME, "neighbours are not brought back", "mcprop/wandering/line_divergence.py",
        "offset = apart / growth", "offset = apart",
        (f"{SPREAD}::test_close_lines_part_as_the_linear_equations_say",),
    ),
    Bug(
        SCHEME, "error bars as of a sum, not of a mean",
        "mcprop/wandering/realisations.py",
        "(scatter / np.sqrt(n))[()]", "(scatter / n)[()]",
        (f"{SPREAD}::test_answers_of_a_spread_are_those_of_its_numbers",),
    ),
    Bug(
        SCHEME, "a part of a record goes on beyond its end", "mcprop/wandering/tracing.py",
        "taken = min(most, steps - done)", "taken = most if steps > most else steps",
        (f"{TRACE}::test_looking_up_changes_no_bit",),
    ),
    Bug(
        SCHEME, "parts of a sum are not asked for their scale", "mcprop/wandering/given_field.py",
        'parts = field if kind.__module__.startswith("mcprop.") else ()', "parts = ()",
        (f"{TRACE}::test_a_field_that_tells_no_scale_is_refused_where_no_step_is_given",),
    ),
    Bug(
        HEIGHTS, "a mean field that is chance passes", "mcprop/wandering/realisations.py",
        "if mean[2] > SIGMAS * error:", "if mean[2] > -SIGMAS * error:",
        (f"{SPREAD}::test_lines_need_a_mean_field",),
    ),
)  # fmt: skip

"""Bugs of the walks: drift, noise, tensor, weights."""

from planted_bugs.bug import Bug

WHOLE_DRIFT = "tests/physics/test_drift.py::test_uniform_stays_uniform_with_the_whole_drift_alone"
BACKGROUND = "tests/physics/test_background.py::test_meets_the_grid"
SLAB = "tests/physics/test_slab.py"
BURST = "tests/physics/test_burst.py"
CLOUD = "tests/physics/test_time_dependent.py::test_walked_histories"
LRMF = "tests/runs/test_lrmf_sdp_run.py"
STEP = "mcprop/kernels/step.py"
DRIFT = "sign of the drift"
ROOT_2 = "sqrt 2"
EPSILON = "epsilon inverted"
WEIGHT = "weights"
WALK = "tests/physics/test_walk.py"
MEDIA = "tests/unit/test_media.py"
DIPOLE = "tests/statistics/test_dipole.py"
TRANSPORT = "mcprop/transport.py"
MOMENTS = "mcprop/moments.py"
STEADY_SLAB = f"{SLAB}::test_steady_density_and_dipole_for_any_step"

BUGS = (
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
        ("tests/unit/test_particles.py::test_a_medium_of_ones_own_needs_one_function",),
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
    Bug(
        ROOT_2, "kicks of a free walk", "mcprop/kernels/walk.py",
        "root = math.sqrt(2.0 * h)", "root = math.sqrt(h)",
        (f"{WALK}::test_mean_covariance_and_kurtosis_after_one_and_two_records",),
    ),
    Bug(
        ROOT_2, "kicks of a walk between boundaries", "mcprop/kernels/walk.py",
        "n0, n1, n2, h, math.sqrt(2.0 * h))", "n0, n1, n2, h, math.sqrt(h))",
        ("tests/physics/test_boundary.py::test_survival_in_a_half_space_is_an_error_function",),
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
        ("tests/statistics/test_normals.py::test_moments_one_to_six",),
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
        ("tests/physics/test_lrmf_sdp.py::test_tensor_of_the_paper",),
    ),
    Bug(
        EPSILON, "kinetic theory, for walks and formulas alike", "mcprop/diffusion.py",
        "return parallel, parallel / (1.0 + omega_tau**2)",
        "return parallel / (1.0 + omega_tau**2), parallel",
        ("tests/physics/test_diffusion.py::test_bohm_normalisation",),
    ),
    Bug(
        EPSILON, "tensor, for walks and formulas alike", "mcprop/diffusion.py",
        "return kappa_perp * np.eye(3) + (kappa_parallel - kappa_perp) * np",
        "return kappa_parallel * np.eye(3) + (kappa_perp - kappa_parallel) * np",
        ("tests/physics/test_diffusion.py::test_tensor_has_the_field_as_eigenvector",),
    ),
    Bug(
        EPSILON, "noise of a uniform tensor", "mcprop/medium/aligned.py",
        "root = math.sqrt(medium.kappa_perp)\n    along = (math.sqrt(medium.kappa_parallel)",
        "root = math.sqrt(medium.kappa_parallel)\n    along = (math.sqrt(medium.kappa_perp)",
        (f"{WALK}::test_mean_covariance_and_kurtosis_after_one_and_two_records",),
    ),
    Bug(
        WEIGHT, "the aim of a walk is not undone", "mcprop/source.py",
        "there = gaussian(burst, dx - kx, dy - ky, dz - kz, left - time, drifted - work)\n"
        "    mirror = gaussian(burst, dx + kx, dy + ky, dz + kz, left - time, drifted + work)",
        "there = gaussian(burst, dx - kx, dy - ky, dz - kz, left - time, 0.0)\n"
        "    mirror = gaussian(burst, dx + kx, dy + ky, dz + kz, left - time, 0.0)",
        (f"{BURST}::test_walked_dipole_and_density_for_each_last_leg",),
    ),
    Bug(
        WEIGHT, "the mirrored walk has the other's weight", "mcprop/source.py",
        "dz + kz, left - time, drifted + work)", "dz + kz, left - time, drifted - work)",
        (f"{BURST}::test_walked_dipole_and_density_for_each_last_leg",),
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
        (f"{SLAB}::test_tilted_histories_have_no_variance_where_the_answer_is_steady",),
    ),
    Bug(
        WEIGHT, "a tilted return to a region is not undone", "mcprop/kernels/region.py",
        "return back, u > chance, met if u > chance else met / tilt",
        "return back, u > chance, met",
        ("tests/physics/test_sphere.py::test_returns_have_the_means_of_harmonic_functions",),
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
        (BACKGROUND,),
    ),
)  # fmt: skip

"""Bugs of random numbers, sums, error bars, stopping and what is kept on disk."""

from planted_bugs.bug import Bug

BACKGROUND = "tests/physics/test_background.py::test_meets_the_grid"
SLAB = "tests/physics/test_slab.py"
CLOUD = "tests/physics/test_time_dependent.py::test_walked_histories"
STORE = "tests/runs/test_store.py"
INTERRUPTED = "tests/runs/test_interruptions.py"
RANDOM = "random numbers reused"
SUMS = "batches"
ERRORS = "error bars"
STOPPING = "stopping"
KEPT = "kept on disk"
WALK = "tests/physics/test_walk.py"
SKY = "tests/statistics/test_sky.py"
DIPOLE = "tests/statistics/test_dipole.py"
BITS = "tests/runs/test_reproducibility.py"
COUNTED = "tests/runs/test_counted_once.py"
TRANSPORT = "mcprop/transport.py"
MOMENTS = "mcprop/moments.py"

BUGS = (
    Bug(
        RANDOM, "both steps of a block take the same numbers", "mcprop/kernels/walk.py",
        "x, y, z = euler(medium, x, y, z, n3, n4, n5, h, root)",
        "x, y, z = euler(medium, x, y, z, n0, n1, n2, h, root)",
        (f"{WALK}::test_mean_covariance_and_kurtosis_after_one_and_two_records",),
    ),
    Bug(
        RANDOM, "two axes take the same number", "mcprop/kernels/walk.py",
        "x, y, z = euler(medium, x, y, z, n0, n1, n2, h, root)",
        "x, y, z = euler(medium, x, y, z, n0, n1, n1, h, root)",
        (f"{WALK}::test_mean_covariance_and_kurtosis_after_one_and_two_records",),
    ),
    Bug(
        RANDOM, "every pair of steps takes the first block", "mcprop/kernels/walk.py",
        "block += np.uint64(1)\n            for k in range(3):",
        "block += np.uint64(0)\n            for k in range(3):",
        (f"{WALK}::test_mean_covariance_and_kurtosis_after_one_and_two_records",),
    ),
    Bug(
        RANDOM, "both steps between boundaries take the same", "mcprop/kernels/walk.py",
        "kicks[5 * LANES + i] = n3, n4, n5", "kicks[5 * LANES + i] = n0, n1, n2",
        (f"{WALK}::test_walks_to_given_times_are_the_same_walks",),
    ),
    Bug(
        RANDOM, "both steps through the Galaxy take the same", "mcprop/kernels/residence.py",
        "first = (NORMALS + 3 * half) * LANES", "first = NORMALS * LANES",
        (BACKGROUND,),
    ),
    Bug(
        RANDOM, "kick and time of leaving the cloud share one", "mcprop/kernels/slab.py",
        "lane[CHI * LANES + i] = n3 * n3", "lane[CHI * LANES + i] = n0 * n0",
        (f"{SLAB}::test_laplace_transform_of_exits_for_any_step",),
    ),
    Bug(
        RANDOM, "both ways along the face share one", "mcprop/kernels/slab.py",
        "math.sqrt(2.0 * slab.spread3 * h) * n5", "math.sqrt(2.0 * slab.spread3 * h) * n4",
        (CLOUD,),
    ),
    Bug(
        RANDOM, "the direction of arrival and the first step", "mcprop/kernels/rng.py",
        "LAUNCH = np.uint64(1 << 63)", "LAUNCH = np.uint64(0)",
        ("tests/unit/test_rng.py::test_launch_block_lies_beyond_every_step",),
    ),
    Bug(
        RANDOM, "cloud and walk outside share a stream", TRANSPORT,
        'stream(*name, "outside")', "stream(*name)",
        ("tests/statistics/test_planted.py::test_a_stream_shared_between_cloud_and_walk_is_caught",),
    ),
    Bug(
        RANDOM, "batches through the cloud repeat the first", "mcprop/kernels/slab.py",
        "particle = first + np.uint64(member[i])", "particle = np.uint64(member[i])",
        (f"{BITS}::test_a_history_depends_on_its_number_alone",),
    ),
    Bug(
        RANDOM, "batches through the Galaxy repeat the first", "mcprop/kernels/residence.py",
        "draw(seed, stream, first + np.uint64(member[i]), block[i], i, shared)",
        "draw(seed, stream, np.uint64(member[i]), block[i], i, shared)",
        (f"{COUNTED}::test_two_batches_are_one_of_both",),
    ),
    Bug(
        RANDOM, "one rotation of Threefry", "mcprop/kernels/rng.py",
        "a, b = a + k1, b + k2 + np.uint64(1)\n    a, b = mix(a, b, np.uint64(16))",
        "a, b = a + k1, b + k2 + np.uint64(1)\n    a, b = mix(a, b, np.uint64(17))",
        ("tests/unit/test_rng.py::test_known_answers_of_random123",),
    ),
    Bug(
        ERRORS, "variance of a history for that of the mean", MOMENTS,
        "return self.scatter / (self.n * (self.n - 1.0))", "return self.scatter / (self.n - 1.0)",
        (f"{DIPOLE}::test_ratio_estimator_covers_the_truth",),
    ),
    Bug(
        ERRORS, "n for n - 1", MOMENTS,
        "return self.scatter / (self.n * (self.n - 1.0))",
        "return self.scatter / (self.n * self.n)",
        (f"{DIPOLE}::test_error_of_two_histories_is_half_their_distance",),
    ),
    Bug(
        ERRORS, "scatter between batches forgotten", MOMENTS,
        "scatter = self.scatter + other.scatter + between",
        "scatter = self.scatter + other.scatter",
        (f"{DIPOLE}::test_moments_of_batches_add_to_the_moments_of_all",),
    ),
    Bug(
        ERRORS, "noise that dipole and density share", MOMENTS,
        "jacobian[1:, 0] = -ratio", "jacobian[1:, 0] = 0.0",
        (f"{DIPOLE}::test_covariance_with_the_density_matches_the_scatter_between_runs",),
    ),
    Bug(
        ERRORS, "shares of the total enter linearly", "mcprop/dipole.py",
        "covariance += share**2 * (", "covariance += share * (",
        (f"{DIPOLE}::test_total_matches_brute_force",),
    ),
    Bug(
        ERRORS, "scatter of a pixel for that of its mean", "mcprop/sky.py",
        "scatter, self.count * (self.count - 1.0), out=",
        "scatter, self.count - 1.0, out=",
        (f"{SKY}::test_planted_dipole_is_recovered",),
    ),
    Bug(
        ERRORS, "scores of one history taken for independent", "mcprop/sky.py",
        "if self.histories.n > 1:", "if self.histories.n < 0:",
        (f"{SKY}::test_scores_of_one_history_are_not_independent",),
    ),
    Bug(
        ERRORS, "third moments of batches, one against the other", MOMENTS,
        "third += n * a * b * (a - b) * power(gap, 3)",
        "third -= n * a * b * (a - b) * power(gap, 3)",
        ("tests/statistics/test_health.py::test_moments_add_in_any_split_and_order",),
    ),
    Bug(
        SUMS, "added in the order in which they end", "mcprop/energy_run.py",
        "self._early[index] = yielded", "self._early[self.added] = yielded",
        (f"{BITS}::test_order_of_the_batches_does_not_matter",),
    ),
    Bug(
        SUMS, "the second one counts twice, the first one not at all", "mcprop/energy_run.py",
        "self.outcomes[i] = self.outcomes[i] + outcome",
        "self.outcomes[i] = (outcome if self.added == 1 else self.outcomes[i]) + outcome",
        (f"{COUNTED}::test_a_run_is_the_sum_of_its_histories",),
    ),
    Bug(
        SUMS, "one is left out", "mcprop/energy_run.py",
        "self.outcomes[i] = self.outcomes[i] + outcome",
        "self.outcomes[i] = self.outcomes[i] if self.added == 1 else self.outcomes[i] + outcome",
        (f"{COUNTED}::test_a_run_is_the_sum_of_its_histories",),
    ),
    Bug(
        STOPPING, "a look after every batch", "mcprop/batches.py",
        "end *= 2", "end += 1",
        (f"{INTERRUPTED}::test_looks_are_fixed_beforehand",),
    ),
    Bug(
        STOPPING, "an error bar that is not trusted", "mcprop/runner.py",
        'return small and assembly.trusted("total", ALL)', "return small",
        (f"{BITS}::test_rel_err_does_not_stop_on_an_error_that_is_not_trusted",),
    ),
    Bug(
        KEPT, "the checksum of a batch is not checked", "mcprop/sealed.py",
        "if hashlib.sha256(body).hexdigest().encode() != digest:", "if len(digest) != _DIGITS:",
        (f"{STORE}::test_every_bit_counts",),
    ),
    Bug(
        KEPT, "the checksum of a document is not checked", "mcprop/sealed.py",
        "same = seal_document(document) == content", "same = len(document) > 0",
        (f"{STORE}::test_every_bit_counts",),
    ),
    Bug(
        KEPT, "a batch of another run is taken", "mcprop/store.py",
        'if meta["manifest"] != self.manifest:', 'if meta["manifest"] is None:',
        (f"{STORE}::test_batches_of_another_run_are_no_batches_of_this_one",),
    ),
    Bug(
        KEPT, "a batch is taken for another one", "mcprop/store.py",
        """if f"{meta['batch']}.npz" != name:""", "if not name:",
        (f"{STORE}::test_batches_of_another_run_are_no_batches_of_this_one",),
    ),
    Bug(
        KEPT, "other sources go on with a run", "mcprop/store.py",
        "if begun_by != source_hash():", "if not begun_by:",
        (f"{STORE}::test_what_others_have_begun_is_refused",),
    ),
    Bug(
        KEPT, "two processes write one run", "mcprop/lock.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB", "fcntl.LOCK_SH | fcntl.LOCK_NB",
        (f"{STORE}::test_a_second_writer_is_kept_out",),
    ),
)  # fmt: skip

"""One result for any number of threads, any executor and any order: bit-identical.

A random number is a pure function of (seed, stream, particle, block), a batch a fixed range of
particles, and totals are summed in batch order. So every comparison here is ``==``.
"""

import math
import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest
from whole_result import CONFIG, ENERGIES, HISTORIES, SCENARIO, contents, run

from mcprop.errors import ConfigError
from mcprop.observer import Observer
from mcprop.runner import IN_FLIGHT
from mcprop.scenario import load
from mcprop.simulation import Simulation
from mcprop.source import SteadyDensity
from mcprop.transport import FATES, BoostJob, BurstWalk, Outcome, run_job
from mcprop.xue_liu_2025.plan import Planner

STEADY = CONFIG.replace({"cloud.mode": "steady"})


@pytest.fixture(scope="module", autouse=True)
def without_curve():
    """Leave out the line of the figures: formulas on a fine grid, of no interest here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulation, "_curve", lambda *args: [])
        yield


@pytest.fixture(scope="module")
def reference():
    return contents(run(workers=1))


class Lazy:
    """What an executor that is none of the standard library's returns."""

    def __init__(self, executor):
        self.executor = executor

    def result(self):
        self.executor.flush()
        return self.value

    def cancel(self):
        return False


class Shuffled:
    """Runs nothing before a result is asked for, and then everything handed in, in random order."""

    def __init__(self, seed):
        self.waiting, self.order, self.done = [], random.Random(seed), 0

    def submit(self, function, *args):
        self.waiting.append((Lazy(self), function, args))
        return self.waiting[-1][0]

    def flush(self):
        self.order.shuffle(self.waiting)
        for future, function, args in self.waiting:
            future.value = function(*args)
            self.done += 1
        self.waiting.clear()


@pytest.mark.parametrize("workers", [2, 3])
def test_number_of_threads_does_not_matter(reference, workers):
    assert contents(run(workers=workers)) == reference


@pytest.mark.parametrize("order", [1, 2])
def test_order_of_the_batches_does_not_matter(reference, order):
    executor = Shuffled(order)
    assert contents(run(executor=executor)) == reference
    assert executor.done == 2 * 5  # energies, batches


def test_processes_give_the_same_bits(reference):
    """A fresh interpreter, nothing shared but the pickled jobs and the compiled kernels on disk."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert contents(run(executor=pool)) == reference


def test_executor_of_the_caller_is_left_open():
    class Counting(Shuffled):
        def shutdown(self, *args, **kwargs):
            raise AssertionError("not ours to close")

    assert run(STEADY, executor=Counting(0), energies=[1e3], histories=64).energies == [1e3]


def test_an_energy_alone_gives_the_rows_it_gives_in_company(reference):
    alone = [contents(run(energies=[energy], workers=1)) for energy in ENERGIES]
    assert alone[0]["rows"] + alone[1]["rows"] == reference["rows"]
    assert alone[0]["comparison"] + alone[1]["comparison"] == reference["comparison"]
    assert alone[0]["maps"] | alone[1]["maps"] == reference["maps"]
    reverse = contents(run(energies=ENERGIES[::-1], workers=1))
    assert sorted(reverse["rows"]) == sorted(reference["rows"])


def test_a_species_alone_gives_the_rows_it_gives_in_company(reference):
    single = contents(run(CONFIG.replace({"species.names": ["He"]}), workers=1))
    own = [row for row in single["rows"] if row[2:4] == ("He", "monte-carlo")]
    both = [row for row in reference["rows"] if row[2:4] == ("He", "monte-carlo")]
    assert len(own) == 2 * 5
    for mine, other in zip(own, both, strict=True):
        assert mine[1] == other[1]
        if mine[1] in ("nearby", "centre", "compton-getting"):  # others are weighted with shares
            assert mine[6:] == other[6:]


def test_another_seed_gives_another_result(reference):
    other = contents(run(seed=6, workers=1))
    mine, theirs = (dict(zip(r["rows"], r["rows"], strict=True)) for r in (other, reference))
    differing = {row[1] for row in set(mine) - set(theirs) if row[3] == "monte-carlo"}
    assert differing >= {"nearby", "centre", "compton-getting", "total"}
    assert {row for row in mine if row[3] == "analytic"} == {
        row for row in theirs if row[3] == "analytic"
    }


def test_a_drawn_seed_is_told_and_reproduces_the_run():
    drawn = [run(STEADY, seed=None, energies=[1e3], histories=64, workers=1) for _ in range(2)]
    seeds = [result.provenance["seed"] for result in drawn]
    assert seeds[0] != seeds[1]
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert drawn[0].config.monte_carlo.seed == seeds[0]
    again = run(STEADY, seed=seeds[0], energies=[1e3], histories=64, workers=1)
    assert contents(again) == contents(drawn[0])
    resolved = Simulation(drawn[0].config).run(workers=1)
    assert contents(resolved) == contents(drawn[0])


def jobs(estimator="walk", scenario=SCENARIO):
    config = load(scenario).replace({"monte_carlo.estimator": estimator})
    return Planner(config.model(), config.monte_carlo).jobs(1e3)[:4]


@pytest.mark.parametrize("estimator", ["walk", "assisted", "analog"])
def test_a_history_depends_on_its_number_alone(estimator):
    """Other batches, the same histories: equal up to the rounding of the sums."""
    for planned in jobs(estimator):
        whole = run_job(planned.job, 3, 0, 300, 1)
        parts = [run_job(planned.job, 3, first, n, 1) for first, n in ((0, 64), (64, 236))]
        split = parts[0] + parts[1]
        assert split.moments.n == whole.moments.n == 300
        scale = np.abs(whole.moments.mean).max()
        np.testing.assert_allclose(split.moments.mean, whole.moments.mean, atol=1e-13 * scale)
        spread = np.abs(whole.moments.scatter).max()
        off = np.abs(split.moments.scatter - whole.moments.scatter).max()
        assert off <= 1e-9 * spread + 1e-13 * scale * math.sqrt(300 * spread)
        assert (split.fates == whole.fates).all()
        assert (split.tally.count == whole.tally.count).all()


def test_the_same_batch_twice_is_the_same_outcome():
    for planned in jobs():
        first, second = (run_job(planned.job, 3, 128, 100, 2) for _ in range(2))
        assert first.moments == second.moments
        assert first.tally.sum.tobytes() == second.tally.sum.tobytes()
        assert first.steps == second.steps


def test_no_job_shares_its_histories_with_another():
    """Same seed, same numbers of particles: the directions all differ."""
    config = load(SCENARIO)
    planned = Planner(config.model(), config.monte_carlo).jobs(1e3)
    tallies = [run_job(p.job, 3, 0, 64, 4).tally.count.tobytes() for p in planned]
    assert len(set(tallies)) == len(planned)


def test_outcomes_without_a_tally_add_to_those_with_one():
    job = jobs()[0].job
    bare, full = run_job(job, 3, 0, 64, 0), run_job(job, 3, 64, 64, 2)
    assert bare.tally is None
    for total in (bare + full, full + bare, Outcome() + full):
        assert total.tally.count.tobytes() == full.tally.count.tobytes()


# Fates


@pytest.mark.parametrize("estimator", ["walk", "assisted", "analog"])
@pytest.mark.parametrize("scenario", ["xue-liu-2025", SCENARIO])
def test_fates_add_up_to_the_histories_launched(estimator, scenario):
    for planned in jobs(estimator, scenario):
        outcome = run_job(planned.job, 3, 0, 200, 1)
        assert outcome.fates.sum() == 200
        assert (outcome.fates >= 0).all()
        assert outcome.fates[FATES.index("lost")] == 0


def test_provenance_counts_every_history(reference):
    _, histories, steps, fates = reference["counts"]
    assert histories == HISTORIES * 2 * 2 * 3  # energies, species, jobs
    assert sum(fates.values()) == histories
    assert set(fates) == set(FATES)
    assert steps > histories


@dataclass(frozen=True)
class Poisoned:
    """A walk of which some paths end nowhere."""

    walk: BurstWalk
    victims: tuple[int, ...]

    def density(self, *numbers):
        met = self.walk.density(*numbers)
        met.kicks[0, 1, list(self.victims)] = math.nan
        return met

    @property
    def steps_walked(self):
        return self.walk.steps_walked


@pytest.mark.parametrize("estimator", ["walk", "analog"])
def test_histories_that_are_no_number_are_lost_not_dropped(estimator):
    """The lost are counted, and the others' moments are those of the others."""
    for planned in jobs(estimator):
        if isinstance(planned.job, BoostJob):
            continue
        job, victims = planned.job, tuple(range(0, 64, 3))
        broken = replace(job, outside=Poisoned(job.outside, victims))
        whole, rest = run_job(job, 3, 0, 64, 1), run_job(broken, 3, 0, 64, 1)
        lost = rest.fates[FATES.index("lost")]
        # an analog history that never leaves the cloud does not meet its path outside
        assert 0 < lost <= len(victims)
        assert lost == len(victims) or estimator == "analog"
        assert rest.fates.sum() == 64
        assert rest.moments.n == 64 - lost
        assert np.isfinite(rest.moments.mean).all()
        assert np.isfinite(rest.tally.sum).all()
        assert rest.tally.count.sum() * 64 == whole.tally.count.sum() * (64 - lost)


def test_a_density_that_is_no_number_loses_every_history():
    job = replace(jobs("walk", "xue-liu-2025")[0].job, outside=SteadyDensity(math.nan))
    outcome = run_job(job, 3, 0, 64, 1)
    assert outcome.fates.tolist() == [0, 0, 0, 64]
    assert outcome.moments.n == 0
    faster_than_light = BoostJob(("x",), 1e3, 0.938, 2.7, (1.1, 0.0, 0.0))
    outcome = run_job(faster_than_light, 3, 0, 64, 1)
    assert outcome.fates.tolist() == [0, 0, 0, 64]
    assert outcome.moments.n == 0


def test_fates_that_do_not_add_up_are_an_error():
    class Forgetful:
        name = ("forgetful",)

        def run(self, seed, first, n, nside):
            return Outcome(fates=np.array([n - 1, 0, 0, 0]))

    with pytest.raises(RuntimeError, match=r"^10 histories were launched, 9 have a fate\.$"):
        run_job(Forgetful(), 1, 0, 10, 0)


# Stopping early


def test_rel_err_stops_early_and_in_the_same_way_for_any_threads():
    config = STEADY.replace({"monte_carlo.estimator": "assisted"})
    early, other = (
        run(config, histories=16 * 256, rel_err=0.05, workers=workers) for workers in (1, 3)
    )
    assert contents(early) == contents(other)
    for energy in ENERGIES:
        total = early.dipole(energy)
        n = early.provenance["histories_per_job"][f"{energy!r} GeV"]
        assert n in (256, 512, 1024, 2048, 4096)
        assert n < 16 * 256
        assert total.amplitude_err <= 0.05 * total.amplitude


def test_rel_err_out_of_reach_uses_all_and_says_so():
    result = run(STEADY, histories=600, rel_err=1e-9, energies=[1e3], workers=1)
    assert result.provenance["histories_per_job"] == {"1000.0 GeV": 600}
    assert any("not a trusted 1e-09" in note for note in result.provenance["notes"])
    plain = contents(run(STEADY, histories=600, energies=[1e3]))
    # rounds add up batch by batch as one sum does
    assert contents(result)["rows"] == plain["rows"]


def test_rel_err_does_not_stop_on_an_error_that_is_not_trusted():
    """A few hundred histories have an error bar, but too few of them contribute to believe it."""
    config = load("xue-liu-2025").replace({"monte_carlo.batch": 64})
    result = run(config, histories=65536, rel_err=0.3, energies=[1e5, 1e6])
    totals = [row for row in result.comparison if row.component == "total"]
    assert [row.verdict for row in totals] == ["agrees", "agrees"]
    assert all(n < 65536 for n in result.provenance["histories_per_job"].values())


def test_batches_that_wait_are_cancelled_and_few_at_a_time():
    """An executor of the caller: nothing is left in its queue after an error."""
    most, waiting = 0, []

    class Never:
        def result(self):
            raise FloatingPointError("planted")

        def cancel(self):
            self.is_cancelled = True
            return True

    class Counting:
        def submit(self, function, *args):
            nonlocal most
            waiting.append(Never())
            most = max(most, len(waiting))
            return waiting[-1]

    config = STEADY.replace({"monte_carlo.batch": 64})
    with pytest.raises(FloatingPointError, match="planted"):
        run(config, histories=64 * 1000, executor=Counting())
    assert most == IN_FLIGHT
    assert all(future.is_cancelled for future in waiting[1:])


def test_no_threads_are_refused():
    with pytest.raises(ConfigError, match="-j 0: the number of workers must be at least 1"):
        run(STEADY, histories=64, workers=0)


def test_progress_is_reported_energy_by_energy():
    seen = []
    run(STEADY, histories=64, workers=1, on_energy=lambda *told: seen.append(told))
    assert [told[:2] for told in seen] == [(1, 2), (2, 2)]
    for told, energy in zip(seen, ENERGIES, strict=True):
        assert {row.energy for row in told[2]} == {row.energy for row in told[3]} == {energy}
        assert {row.method for row in told[2]} == {"analytic", "monte-carlo"}
    assert seen[-1][4] == 0.0


def test_an_error_in_a_batch_reaches_the_caller(monkeypatch):
    def broken(*args):
        raise FloatingPointError("planted")

    monkeypatch.setattr("mcprop.runner.run_batch", broken)
    with pytest.raises(FloatingPointError, match="planted"):
        run(STEADY, workers=2)


def test_observer_without_a_mean_free_path_sees_no_dipole():
    job = replace(jobs()[0].job, observer=Observer(np.zeros((3, 3)), 1.0))
    assert not run_job(job, 3, 0, 64, 0).moments.dipole().vector.any()

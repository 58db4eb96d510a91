"""One history once more in plain Python: the same bits as compiled, and the path it has taken.

All histories of these tests are replayed by one process without a compiler, see `answers`. Paths
are held against what compiled kernels and the models' formulas make of the same random numbers.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from mcprop import replay
from mcprop.background import background
from mcprop.background_job import BackgroundJob
from mcprop.galaxy import Galaxy, Grid, GridSolution
from mcprop.kernels import elementary, region, residence, rng
from mcprop.kernels.walk import walk
from mcprop.medium import Aligned
from mcprop.paths import Call, recorded, witnessed
from mcprop.plan import Planned
from mcprop.protocol import coefficient, kernel, outside, own_path
from mcprop.region import Region
from mcprop.region_job import RegionJob
from mcprop.replayed import replayed
from mcprop.scenario import load
from mcprop.source import SteadyDensity
from mcprop.transport import BoostJob, stream

SEED = 11
STEADY = load("xue-liu-2025").replace({"species.names": ["p"]})
BURST = load("xue-liu-2025-time-dependent").replace({"species.names": ["He"]})
THICK = {"cloud.depth": "30 pc"}
FAR = 10**14 + 7
"""Number of a history that no run gets to."""
QUICK = {
    "galaxy": (8, 11),
    "above the plane": (2, 10),
    "from nowhere": (4, 7),
    "off the centre": (6, 10),
    "within a ball": (5, 12),
}
"""Histories that are over soon, by job; the nightly tests take any."""


def analog(config):
    return config.replace({"monte_carlo.estimator": "analog"})


def assisted(config):
    return config.replace({"monte_carlo.estimator": "assisted"})


def planned_of(config, energy=1e3):
    return config.study.planner(config.model(), config.monte_carlo).jobs(energy)


def plans():
    """Jobs of every kind by a name, and the histories to replay."""
    galaxy = load("lrmf-sdp-region").replace({"species.names": ["He"]})
    configs = {
        "steady": STEADY,
        "thick": STEADY.replace(THICK),
        "burst": BURST,
        "thick burst": BURST.replace(THICK),
        "analog": analog(STEADY),
        "analog burst": analog(BURST),
        "assisted": assisted(STEADY),
        "assisted burst": assisted(BURST),
    }
    found = {}
    for name, config in configs.items():
        for k, planned in enumerate(planned_of(config)):
            found[f"{name} {k}"] = planned, (0, 1, FAR)
    for planned in planned_of(galaxy):
        found[f"galaxy {planned.component} {planned.gives}"] = planned, QUICK["galaxy"]
    for name, job in special().items():
        found[name] = Planned(job, name, "p", "dipole", "walk"), QUICK.get(name, (0, 1))
    return found


def special():
    """Jobs that no built-in scenario has, some of which lose their histories."""
    galaxy = Galaxy()
    guess = GridSolution(galaxy, Grid(galaxy), 1e5, 1e-7)
    high = background(galaxy, 1e5, 50.0, 1e-7, guess=guess)
    nowhere = high.starts.copy()
    nowhere[1, 0] = math.nan
    steady = planned_of(STEADY)[0].job
    last = np.ones((3, 2))
    return {
        "above the plane": BackgroundJob(("a",), high, last, 0.9),
        "without a guess": BackgroundJob(("b",), background(galaxy, 1e7), last, 1.0),
        "from nowhere": BackgroundJob(("c",), high._replace(starts=nowhere), last, 0.9),
        "off the centre": RegionJob(("d",), Region(10.0, 2.0, 0.5, 1.0), 3.0, 4.0),
        "within a ball": RegionJob(("e",), Region(10.0, 0.5, 0.2, 1.0), boundary=30.0),
        "density unknown": replace(steady, outside=SteadyDensity(math.nan)),
        "faster than light": BoostJob(("f",), 1e3, 0.938, 2.7, (1.1, 0.0, 0.0)),
        "at rest": BoostJob(("g",), 1e3, 0.938, 2.7, (0.0, 0.0, 0.0)),
    }


def replay_all(found):
    """Answers of the kernels, compiled or not, to every history of `plans`."""
    seen = witnessed if is_compiled() else recorded
    return {
        name: [replay._run(seen, planned, SEED, history) for history in histories]
        for name, (planned, histories) in found.items()
    }


@kernel
def multiply_add(cases, out):
    """Fill `out` (n,) with a b + c of `cases` (n, 3)."""
    for i in range(cases.shape[0]):
        out[i] = elementary.fma(cases[i, 0], cases[i, 1], cases[i, 2])


def fused():
    """Bits of fma where a sum cancels, is a tie, overflows or underflows, and where it does not."""
    random = np.random.default_rng(3)
    a, b, c = random.standard_normal((3, 4000))
    c[:1000] = -(a * b)[:1000]
    c[1000:2000] = (a * b)[1000:2000] * 2.0 ** random.integers(-60, 60, 1000)
    whole = random.integers(-(2**27), 2**27, (3, 500)).astype(float)
    a[2000:2500], b[2000:2500], c[2000:2500] = *whole[:2], whole[2] * 2.0**27
    a[3000:] *= 2.0 ** random.integers(-1000, 1000, 1000)
    b[3000:] *= 2.0 ** random.integers(-1000, 1000, 1000)
    odd = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, 1e300, 5e-324, 2.0**-52]
    grid = np.array(np.meshgrid(odd, odd, odd)).reshape(3, -1)
    cases = np.concatenate([np.array([a, b, c]), grid], axis=1).T.copy()
    out = np.empty(len(cases))
    with np.errstate(all="ignore"):
        multiply_add(cases, out)
    return ["nan" if math.isnan(x) else x.hex() for x in out.tolist()]


def is_compiled():
    from numba import config

    return not config.DISABLE_JIT


@pytest.fixture(scope="module")
def found():
    return plans()


@pytest.fixture(scope="module")
def plainly():
    """Answers to every history, and the bits of `fused`, of a process without a compiler."""
    code = (
        "import importlib.util, json, sys\n"
        f"spec = importlib.util.spec_from_file_location('plain', {__file__!r})\n"
        "plain = importlib.util.module_from_spec(spec); spec.loader.exec_module(plain)\n"
        "json.dump([plain.replay_all(plain.plans()), plain.fused()], sys.stdout)\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "PLAIN", ("-P", "-c", code))
        return replay._asked([])


@pytest.fixture(scope="module")
def answers(found, plainly):
    """Compiled and plain answers to every history: name -> [(number, compiled, plain), ...]."""
    compiled, plain = replay_all(found), plainly[0]
    return {
        name: list(zip(histories, compiled[name], plain[name], strict=True))
        for name, (_, histories) in found.items()
    }


# The same bits


def test_every_kind_of_job_has_the_same_bits(found, answers):
    kinds = set()
    for name, (planned, _) in found.items():
        for number, compiled, plain in answers[name]:
            assert replayed(planned, plain, compiled).differences == (), (name, number)
            assert np.array(plain["score"]).tobytes() == np.array(compiled["score"]).tobytes()
        kinds.add(type(planned.job).__name__)
    assert kinds == {
        "CloudJob", "BurstJob", "AnalogCloudJob", "AnalogBurstJob", "BoostJob", "BackgroundJob",
        "RegionJob",
    }  # fmt: skip


def test_fma_rounds_once_without_a_compiler(plainly):
    ours, theirs = plainly[1], fused()
    assert len(set(ours)) > 3000
    assert ours == theirs


def test_histories_are_lost_in_plain_python_as_well(found, answers):
    for name in ("from nowhere", "density unknown", "faster than light"):
        for _, compiled, plain in answers[name]:
            one = replayed(found[name][0], plain, compiled)
            assert one.fate == "lost"
            assert math.isnan(one.density)
            assert one.differences == ()


def test_a_history_of_a_batch_is_the_one_that_is_replayed(found, answers):
    """The score in the middle of a batch, not only that of a batch of one."""
    for name in ("steady 0", "burst 0", "galaxy background dipole"):
        job = found[name][0].job
        with witnessed() as calls:
            job.run(SEED, 0, 70, 0)
        batch = next(c for c in calls if c.kernel in ("slab_walk", "residence_walk"))
        for number, _, plain in answers[name][:2]:
            mine = next(c for c in map(as_call, plain["calls"]) if c.kernel == batch.kernel)
            assert [batch.values["scores"][number].tolist()] == mine.values["scores"]


# Paths


def as_call(values):
    return Call(*values)


def paths(answers, name, which):
    """(number of the history, call, path) of each history, in plain Python."""
    for number, _, plain in answers[name]:
        for call in map(as_call, plain["calls"]):
            if call.kernel == which:
                yield number, call, dict(zip(call.columns, np.array(call.rows).T, strict=True))


def normals(key, history, block):
    """The random numbers of a block, by the compiled generator."""
    out = np.empty((1, 6))
    rng.normals(np.uint64(SEED), key, np.uint64(history), np.uint64(block), out)
    return out[0]


def word(key, history, block):
    """The second random word of a block."""
    out = np.empty((1, 2), np.uint64)
    rng.words(np.uint64(SEED), key, np.uint64(history), np.uint64(block), out)
    return int(out[0, 1])


@pytest.mark.parametrize("name", ["burst 1", "steady 2", "analog 2"])
def test_walk_to_a_burst_is_that_of_the_kernel(found, answers, name):
    """Every other place of the path against the compiled walk, which records what it is asked."""
    job = found[name][0].job
    way, burst = job.outside, job.outside.burst
    medium = Aligned(burst.field, burst.kappa_parallel, burst.kappa_perp, 0.0, 0.0, 0.0)
    for number, call, path in paths(answers, name, "walk"):
        out = np.empty((len(call.rows) // 2, 3, 1))
        step, start = (burst.age - way.last) / (len(call.rows) - 1), np.zeros(3)
        key = stream(*job.name, "outside")
        walk(medium, np.uint64(SEED), key, np.uint64(number), start, 1, step, out)
        places = np.array([path["x [pc]"], path["y [pc]"], path["z [pc]"]]).T
        assert len(places) == way.steps_walked + 1
        assert places[2::2].tobytes() == out[:, :, 0].tobytes()
        assert not places[0].any()
        assert places[-1].tolist() == np.array(call.values["out"])[0, :, 0].tolist()
        assert path["time [yr]"][-1] == pytest.approx(burst.age - way.last, rel=1e-12)


@pytest.mark.parametrize("name", ["steady 0", "thick 0", "burst 0", "thick burst 0", "assisted 0"])
def test_slab_scores_follow_from_the_last_weights(found, answers, name):
    """The score is the share that has left times what meets an instant exit, and the rest."""
    job = found[name][0].job
    for number, call, path in paths(answers, name, "slab_walk"):
        density = job.outside
        if not isinstance(density, SteadyDensity):
            density = density.density(np.uint64(SEED), stream(*job.name, "outside"), number, 1)
        axes = np.array(call.values["frames"]).reshape(3, 3)
        for k, side in enumerate(("+1", "-1", "+2", "-2", "+3", "-3")):
            dx, dy, dz = (1 - 2 * (k % 2)) * job.observer.reach @ axes[k // 2]
            depth = job.slab.depth + dx
            assert path[f"depth{side} [pc]"][0] == pytest.approx(depth, rel=1e-14)
            assert path[f"weight{side}"][0] == 1.0
            place = (-job.slab.depth, dy - job.slab.ratio * depth, dz, 0.0)
            at_once = job.slab.centre * outside(density, *place, *own_path(density, 0))
            left = 1.0 - path[f"weight{side}"][-1]
            score = at_once * left + path[f"score{side}"][-1]
            assert call.values["scores"][0][k] == pytest.approx(score, rel=1e-12)


@pytest.mark.parametrize("name", ["steady 0", "thick burst 0"])
def test_base_copy_goes_where_its_random_numbers_send_it(found, answers, name):
    job = found[name][0].job
    slab, key, folded = job.slab, stream(*job.name), []
    for number, _, path in paths(answers, name, "slab_walk"):
        base, time = slab.depth, 0.0
        for k, (deep, late) in enumerate(zip(path["base [pc]"], path["time [yr]"], strict=True)):
            assert deep == pytest.approx(base, rel=1e-9)
            assert late == pytest.approx(time, rel=1e-12)
            n0, n1, n2, *_ = normals(key, number, k)
            h = slab.step * min(max(base, 0.5 * slab.depth), slab.far) ** 2 / slab.kappa_xx
            h = max(min(h, slab.age - time), 1e-9 * slab.step * slab.depth**2 / slab.kappa_xx)
            time, spread = time + h, 2.0 * slab.kappa_xx * h
            free = base + slab.flow * h + math.sqrt(spread) * n0
            unfolded = math.hypot(free, math.sqrt(spread * (n1**2 + n2**2)))
            folds = not isinstance(job.outside, SteadyDensity) or slab.centre < 1.0
            is_folded = folds and word(key, number, k) >> 62 == 0
            folded.append(is_folded)
            base = abs(free) if is_folded else unfolded
    assert any(folded) == (name == "thick burst 0")


def test_analog_history_ends_where_its_fate_says(found, answers):
    ends = set()
    for name in ("analog 0", "analog burst 0"):
        job = found[name][0].job
        for number, call, path in paths(answers, name, "analog_walk"):
            score, depth, time = call.values["scores"][0], path["depth [pc]"], path["time [yr]"]
            n = np.array(call.values["directions"])[0]
            x, y, z = job.observer.reach @ n + [job.slab.depth, 0.0, 0.0]
            assert depth[0] == pytest.approx(x, rel=1e-14)
            assert path["y shift [pc]"][0] == pytest.approx(y - job.slab.ratio * x, rel=1e-12)
            assert path["z [pc]"][0] == pytest.approx(z, rel=1e-12)
            assert (np.diff(time) > 0.0).all()
            assert (depth[:-1] > 0.0).all()
            fates = call.values["fates"]
            end = fates.index(1)
            assert (depth[-1] > job.slab.far) == (end == 0)
            assert (depth[-1] == 0.0) == (end == 2)
            assert (time[-1] >= 0.999 * job.slab.age) == (end == 1)
            if end == 2:
                density = job.outside
                if not isinstance(density, SteadyDensity):
                    key = stream(*job.name, "outside")
                    density = density.density(np.uint64(SEED), key, number, 1)
                place = (-job.slab.depth, path["y shift [pc]"][-1], path["z [pc]"][-1], time[-1])
                assert score == outside(density, *place, *own_path(density, 0))
            else:
                assert score == 0.0
            ends.add(end)
    assert len(ends) > 1


@pytest.mark.parametrize("name", ["galaxy background dipole", "above the plane", "without a guess"])
def test_path_through_the_galaxy(found, answers, name):
    """Heun's drift, taken out of the path by the random numbers, is the gradient of ln kappa."""
    job = found[name][0].job
    starts, profile = job.background.starts, job.background.galaxy.profile
    for number, call, path in paths(answers, name, "residence_walk"):
        places = np.array([path["x [pc]"], path["y [pc]"], path["z [pc]"]]).T
        assert places[0].tolist() == starts[0].tolist()
        for k, score in enumerate(call.values["scores"][0]):
            assert path[f"score {k}"][-1] == score
            assert path[f"weight {k}"][0] == 1.0
            assert path[f"weight {k}"][-1] <= residence.NEGLIGIBLE
        kappa, *slopes = np.array([coefficient(profile, *place) for place in places]).T
        gradient = np.array(slopes).T / kappa[:, None]
        h = np.diff(path["clock [pc2]"])
        assert np.diff(path["time [yr]"]) == pytest.approx(
            0.5 * h * (1.0 / kappa[1:] + 1.0 / kappa[:-1]), rel=1e-7
        )
        noise = np.array([normals(stream(*job.name), number, k) for k in range(len(h) // 2)])
        kicks = np.sqrt(2.0 * h)[:, None] * noise.reshape(-1, 3)
        drift = np.diff(places, axis=0) - kicks
        expected = 0.5 * h[:, None] * (gradient[1:] + gradient[:-1])
        off = np.abs(drift - expected).max(axis=1) / np.sqrt(2.0 * h + 1e-300)
        assert np.median(off[h > 0.0]) < 0.02
        assert np.median(np.abs(drift + expected).max(axis=1)[h > 0.0]) > 0.0


@pytest.mark.parametrize(
    "name", ["galaxy background gradient inside", "off the centre", "within a ball"]
)
def test_path_through_the_region(found, answers, name):
    """It ends outside with the weight that is its score; every step in the wall is a short one."""
    job = found[name][0].job
    axes = [job.region.axis(along, job.step) for along in (True, False)]
    starts = (job.along, job.across, 0.0), (job.across, 0.0, job.along)
    walks = [
        pair for pair in zip(axes, starts, strict=True) if pair[0].lifted != job.region.outside
    ]
    taken = list(paths(answers, name, "region_walk"))
    assert len(taken) == len(walks) * len(answers[name]) > 0
    for (_, call, path), (axis, start) in zip(taken, walks * len(answers[name]), strict=True):
        five = np.array([path[c] for c in ("x1 [pc]", "x2 [pc]", "x3 [pc]", "y [pc]", "z [pc]")])
        assert five[:, 0].tolist() == [start[0], 0.0, 0.0, *start[1:]]
        assert path["gone"].tolist() == [0.0] * (len(call.rows) - 1) + [1.0]
        score = path["factor"][-1] * math.exp(path["ln weight"][-1])
        assert call.values["scores"][0] == pytest.approx(score, rel=1e-12)
        r = np.sqrt(np.sum(five**2, axis=0))
        walled = (r[:-1] >= axis.inner - axis.margin) & (r[:-1] <= axis.edge + axis.margin)
        assert ((path["step [yr]"][1:] > 0.0) == walled).all()
        assert set(path["step [yr]"]) == {0.0, axis.step}
        if math.isfinite(job.boundary):
            assert r[-1] > (1.0 - region.SHELL) * job.boundary

"""Replaying a history from the outside: the report, what differs, and what cannot be replayed."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from mcprop import replay
from mcprop.errors import McpropError, ModelError, RangeError
from mcprop.paths import Call, note, recorded, witnessed
from mcprop.replayed import replayed
from mcprop.scenario import load

SEED = 11
STEADY = load("xue-liu-2025").replace({"species.names": ["p"]})


def planned_of(config, energy=1e3):
    return config.study.planner(config.model(), config.monte_carlo).jobs(energy)


def in_plain_python(monkeypatch, code):
    """Let the process without a compiler do something else first."""
    whole = f"{code}\nfrom mcprop.replay import main\nmain()"
    monkeypatch.setattr(replay, "PLAIN", ("-P", "-c", whole))


# Many histories


@pytest.mark.nightly
@pytest.mark.parametrize("scenario", ["xue-liu-2025", "xue-liu-2025-time-dependent"])
@pytest.mark.parametrize("estimator", ["walk", "assisted", "analog"])
def test_many_histories_have_the_same_bits(scenario, estimator):
    random = np.random.default_rng(1)
    base = load(scenario).replace({"monte_carlo.estimator": estimator})
    for depth, energy in (("1.6 pc", 1e2), ("1.6 pc", 2e4), ("20 pc", 1e6)):
        config = base.replace({"cloud.depth": depth})
        if estimator == "analog" and energy > 1e3:
            continue
        assert_same(config, energy, 10 ** random.uniform(0.0, 15.0, 30))


@pytest.mark.nightly
@pytest.mark.parametrize("scenario", ["lrmf-sdp", "lrmf-sdp-region", "lrmf-sdp-isotropic"])
def test_many_histories_of_the_galaxy_have_the_same_bits(scenario):
    random = np.random.default_rng(2)
    config = load(scenario).replace({"species.names": ["p", "Fe"]})
    for energy in (1e2, 1e4, 1e7):
        assert_same(config, energy, 10 ** random.uniform(0.0, 15.0, 1))


def assert_same(config, energy, histories):
    planned = planned_of(config, energy)
    numbers = range(len(planned))
    plain = replay._asked(
        [replay.request(config, SEED, energy, int(history), numbers) for history in histories]
    )
    for history, row in zip(histories, plain, strict=True):
        for one, answer in zip(planned, row, strict=True):
            compiled = replay._run(witnessed, one, SEED, int(history))
            assert replayed(one, answer, compiled).differences == ()


# What does not agree is seen


def test_the_report_ends_with_the_verdict():
    text, same = replay.run(STEADY, SEED, 1e3, 5, "nearby", "p")
    lines = text.splitlines()
    assert same
    assert lines[0] == "# history 5 of the run with seed 11, at 1000 GeV"
    assert lines[-1] == "# compiled: the same bits"
    heads = [line for line in lines if line.startswith("# nearby of p, ")]
    assert heads == ["# nearby of p, dipole (CloudJob)", "# nearby of p, burst density (BurstJob)"]
    table = np.loadtxt(text.partition("# walk, ")[0].splitlines())
    assert table[0, :3].tolist() == [0.0, 0.0, 1.6]
    assert table[:, 0].tolist() == list(range(len(table)))
    first = next(k for k, line in enumerate(lines) if line.startswith("# step"))
    assert len({len(line) for line in lines[first : first + len(table) + 1]}) == 1
    score = next(line for line in lines if line.startswith("#   scores = ")).split("= ")[1].split()
    with witnessed() as calls:
        planned_of(STEADY)[0].job.run(SEED, 5, 1, 0)
    assert [float(x) for x in score] == calls[0].values["scores"][0].tolist()


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ("rng.LAUNCH = launch.LAUNCH = np.uint64((1 << 63) + 1)", "boost_pairs arrivals[0][0]"),
        ("elementary.LN2_HIGH = np.nextafter(elementary.LN2_HIGH, 1.0)", "boost_pairs arrivals"),
        ("rng.MASK13 = np.uint64((1 << 12) - 1)", "boost_pairs arrivals"),
        ("boost.power = lambda x, y: np.nextafter(x**y, 2.0)", "boost_pairs intensity"),
    ],
)
def test_a_planted_difference_is_seen(monkeypatch, planted, told):
    """A wrong block of random numbers, a constant or a power with another last bit."""
    modules = "from mcprop.kernels import boost, elementary, launch, rng"
    in_plain_python(monkeypatch, f"import numpy as np\n{modules}\n{planted}")
    text, same = replay.run(STEADY, SEED, 1e3, 3, "compton-getting")
    assert not same
    lines = text.splitlines()
    assert lines[-1] == "# compiled: other bits, see above"
    assert any(
        line.startswith(f"# differs: compton-getting of p, dipole: {told}") for line in lines
    )


def test_one_bit_of_one_score_is_named(monkeypatch):
    asked = replay._asked

    def nudged(questions):
        [[answer]] = asked(questions)
        calls = [Call(*values) for values in answer["calls"]]
        [call] = [call for call in calls if call.kernel == "slab_walk"]
        scores = call.values["scores"]
        scores[0][4] = math.nextafter(scores[0][4], 1.0)
        return [[answer]]

    monkeypatch.setattr(replay, "_asked", nudged)
    [one] = replay.replay(STEADY, SEED, 1e3, 3, "nearby", "p", "dipole")
    [line] = one.differences
    assert line.startswith("nearby of p, dipole: slab_walk scores[0][4] = 0.")
    ours, theirs = (float(part.split()[-1]) for part in line.split(", compiled "))
    assert ours == math.nextafter(theirs, 1.0)


def test_an_exception_in_plain_python_is_told(monkeypatch):
    code = "from mcprop.kernels import boost\nboost.power = lambda x, y: 1 // 0"
    in_plain_python(monkeypatch, code)
    text, same = replay.run(STEADY, SEED, 1e3, 3, "compton-getting")
    assert not same
    assert "plain Python stopped with ZeroDivisionError: integer division or modulo by zero" in text


def test_a_process_that_fails_is_one_sentence(monkeypatch):
    monkeypatch.setattr(replay, "PLAIN", ("-c", "raise SystemExit('no room')"))
    with pytest.raises(McpropError, match=r"^Plain Python ended with exit code 1: no room$"):
        replay.run(STEADY, SEED, 1e3, 3, "compton-getting")


def test_errors_of_the_process_keep_their_sentence_and_code():
    question = replay.request(STEADY, SEED, 1e3, 0, [0])
    question["config"] = question["config"].replace('"xue-liu-2025"', '"nobody"')
    done = subprocess.run(
        [sys.executable, *replay.PLAIN],
        input=json.dumps([question]),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "nobody" in done.stderr


# Bad input


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (
            {"component": "nearbi"},
            "component = 'nearbi' is not transported at 1000 GeV; allowed: nearby, centre, "
            "compton-getting.",
        ),
        ({"species": "Fe"}, "species = 'Fe' is not transported at 1000 GeV; allowed: p."),
        (
            {"gives": "map"},
            "gives = 'map' is not transported at 1000 GeV; allowed: dipole, burst density.",
        ),
        (
            {"component": "centre", "gives": "burst density"},
            "component = 'centre', gives = 'burst density': no job at 1000 GeV is all of this.",
        ),
        ({"history": -1}, f"history = -1 must lie between 0 and {2**63 - 1}."),
        ({"history": 2**63}, f"history = {2**63} must lie between 0 and {2**63 - 1}."),
    ],
)
def test_what_is_not_there_is_one_sentence(wanted, sentence):
    with pytest.raises(RangeError) as error:
        replay.replay(STEADY, SEED, 1e3, **({"history": 0} | wanted))
    assert str(error.value) == sentence


def test_a_history_that_a_job_has_not_run_is_left_out(monkeypatch):
    config = load("lrmf-sdp").replace(
        {"species.names": ["p"], "monte_carlo.background_histories": 100}
    )
    with pytest.raises(RangeError, match=r"^history = 100 must lie between 0 and 99\.$"):
        replay.replay(config, SEED, 1e3, 100, "background")
    [one] = replay.replay(config, SEED, 1e3, 100)
    assert one.component == "geminga"
    assert one.differences == ()


def test_long_histories_are_announced_or_refused(monkeypatch):
    monkeypatch.setattr(replay, "SLOW", 10)
    with pytest.warns(UserWarning, match=r"has 20 steps: plain Python takes about 0 min"):
        replay.replay(STEADY, SEED, 1e3, 0, "centre")
    monkeypatch.setattr(replay, "MOST", 10)
    with pytest.raises(RangeError, match=r"has 20 steps; allowed are 10 in plain Python\.$"):
        replay.replay(STEADY, SEED, 1e3, 0, "centre")


def test_without_a_compiler_there_is_nothing_to_compare(monkeypatch):
    monkeypatch.setattr("numba.config.DISABLE_JIT", 1)
    with pytest.raises(RangeError, match=r"^NUMBA_DISABLE_JIT is set; it must not be"):
        replay.replay(STEADY, SEED, 1e3, 0)


def test_a_path_is_not_recorded_of_compiled_kernels():
    with pytest.raises(ModelError, match=r"^NUMBA_DISABLE_JIT is not set"), recorded():
        pass


def test_kernels_with_a_path_say_what_it_is():
    for name in ("slab_walk", "analog_walk", "walk", "residence_walk", "region_walk"):
        assert note(name).endswith(".")
    assert note("boost_pairs") == ""

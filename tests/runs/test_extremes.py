"""Parameters at the edge of what is allowed: an answer or "inconclusive", never a crash."""

import random
import warnings
from typing import get_args, get_origin

import numpy as np
import pytest

import mcprop as mp
from mcprop.errors import ConfigError
from mcprop.quantity_text import Allowed, Amount, Choice, Number, Whole
from mcprop.sections import Section

BASE = "xue-liu-2025"
TIMED = {"cloud.mode": "time-dependent"}


@pytest.mark.parametrize(
    "changes",
    [
        {"nearby.age": "3 yr"},
        {"nearby.age": "3 yr", **TIMED},
        {"cloud.depth": "100 pc"},
        {"cloud.depth": "10 pc"},
        {"cloud.depth": "1e-3 pc"},
        {"velocity.cloud_speed": "0 km/s"},
        {"compton_getting.coefficient": 0},
        {"compton_getting.coefficient": "spectrum"},
        {"species.names": ["He"]},
        {"cloud.transport": "wandering", **TIMED},
        {"monte_carlo.nside": 1, "monte_carlo.kernel_leg": 0.01},
    ],
    ids=lambda changes: ", ".join(f"{key} = {value}" for key, value in changes.items()),
)
def test_nothing_differs_and_the_run_is_written(changes, tmp_path):
    config = mp.load(BASE).replace({"monte_carlo.nside": 4, **changes})
    result = mp.Simulation(config).run(histories=4096, seed=2, energies=[1e2, 1e6])
    assert not result.comparison.of("differs"), result.comparison
    assert result.comparison.of("agrees")
    written = result.write(tmp_path / "run")
    assert mp.Result.read(written).energies == [1e2, 1e6]


@pytest.mark.parametrize("energy", [5.0, 1e9])
def test_the_ends_of_the_energy_range(energy, tmp_path):
    result = mp.Simulation.from_scenario(BASE).run(histories=4096, seed=2, energies=energy)
    assert not result.comparison.of("differs"), result.comparison
    result.write(tmp_path / "run")


# The edges of what each key may be, one at a time and in pairs. Whatever `replace` lets through
# must run: without a warning, and with a number wherever there is something to be seen.

ENERGY = 1e4
HISTORIES = 64
KEYS_OF_THE_RUN = ("title", "model", "energies", "species", "stop", "monte_carlo.seed")
SLOW = ("monte_carlo.step 0.02", "monte_carlo.nside 256")


def small(name):
    """A scenario of one nucleus, one energy and few histories."""
    changes = {
        "energies": {"values": [f"{ENERGY} GeV"]},
        "species.names": ["p"],
        "stop.histories": HISTORIES,
        "monte_carlo.nside": 1,
    }
    if name.startswith("lrmf"):
        few = ("background_histories", "region_histories")
        changes |= {f"monte_carlo.{key}": HISTORIES for key in few}
    return mp.load(name).replace(changes)


def markers(kind, prefix=""):
    """Dotted key and marker of every value of a configuration."""
    for name, info in kind.model_fields.items():
        key, hint = prefix + (info.alias or name), info.annotation
        if isinstance(hint, type) and issubclass(hint, Section):
            yield from markers(hint, f"{key}.")
        elif get_origin(hint) is dict:
            yield f"{key}.p", get_args(hint)[1].__metadata__[0]
        else:
            inner = [m for part in get_args(hint) for m in getattr(part, "__metadata__", ())]
            yield from ((key, m) for m in [*info.metadata, *inner] if isinstance(m, Allowed))


def edges(marker):
    """The outermost values that a marker allows."""
    if isinstance(marker, Choice):
        return list(marker.words)
    if isinstance(marker, Whole):
        return [max(marker.least, marker.multiple_of), min(marker.most, 1024)]
    if not isinstance(marker, (Amount, Number)):
        return []
    span = marker.bounds
    inside = [(span.above, 1e-6, 1.001), (span.least, 0.0, 1.0), (span.most, 0.0, 1.0)]
    found = [moved(bound, *by) for bound, *by in inside if bound is not None]
    if span.below is not None:
        found.append(moved(span.below, 0.0, 0.999))
    return found + list(getattr(marker, "words", ()))


def moved(bound, offset, factor):
    """A bound, or a value beside it."""
    number, _, unit = str(bound).partition(" ")
    value = float(number) * factor + offset
    return f"{value!r} {unit}" if unit else value


def all_edges(name):
    return [
        (key, value)
        for key, marker in markers(type(mp.load(name)))
        if not key.startswith(KEYS_OF_THE_RUN)
        for value in edges(marker)
    ]


def attempt(name, changes):
    """Run a configuration if it is allowed; whether it was."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            simulation = mp.Simulation(small(name).replace(changes))
            result = simulation.run(seed=1, workers=1)
        except ConfigError:
            return False
    for row in result.rows:
        numbers = [row.weight, *row.dipole.vector, *row.dipole.covariance.ravel()]
        # what is not there, or has not been met, has no direction
        assert np.isfinite(numbers).all() or row.weight == 0.0, (changes, row)
    return True


def refusals(name, changes):
    return [item for item in changes if not attempt(name, dict(item))]


BASES = ("xue-liu-2025", "xue-liu-2025-time-dependent", "lrmf-sdp", "lrmf-sdp-region")


def sample(name, count, together):
    """Edges that are drawn, one for each of `together` keys at a time."""
    draw, known = random.Random(f"edges of {name}"), all_edges(name)
    known = [(key, value) for key, value in known if f"{key} {value}" not in SLOW]
    return [draw.sample(known, together) for _ in range(count)]


@pytest.mark.parametrize("name", BASES)
def test_what_is_allowed_runs(name):
    for together in (1, 2):
        chosen = sample(name, 3, together)
        assert len(refusals(name, chosen)) < len(chosen)


@pytest.mark.nightly
@pytest.mark.parametrize("name", BASES)
def test_every_edge_that_is_allowed_runs(name):
    single = [[edge] for edge in all_edges(name)]
    assert len(single) > 60
    assert len(refusals(name, single)) < 0.4 * len(single)
    pairs = sample(name, 150, 2)
    assert len(refusals(name, pairs)) < 0.6 * len(pairs)


def test_a_warning_and_a_missing_number_are_caught(monkeypatch):
    """The attempt can fail: a planted division by zero, a planted dipole that is no number."""
    with monkeypatch.context() as patch:
        patch.setattr(mp.Simulation, "_curve", lambda *_: np.float64(0.0) / np.float64(0.0))
        with pytest.raises(RuntimeWarning):
            attempt("xue-liu-2025", {})
    with monkeypatch.context() as patch:
        nothing = staticmethod(lambda *_: np.full(3, np.nan))
        patch.setattr("mcprop.analytic.green.dipole", nothing)
        with pytest.raises((AssertionError, ValueError, np.linalg.LinAlgError)):
            attempt("xue-liu-2025", {})


@pytest.mark.parametrize(
    ("name", "changes", "line"),
    [
        (
            "xue-liu-2025",
            {f"{part}.cutoff": "1 GV" for part in ("nearby", "centre", "background")},
            r"energies: got 10000 GeV, where the cut-offs leave nothing, exp\(-1e\+04\) at most;"
            r" allowed: energies up to 300 times the highest cut-off",
        ),
        (
            "lrmf-sdp",
            {"background.cutoff": "1 GV", "geminga.cutoff_rigidity": "1 GV"},
            r"energies: got 10000 GeV, where the cut-offs leave nothing, exp\(-9.9e\+03\) at most;"
            r" allowed: energies up to 300 times the highest cut-off",
        ),
        (
            "lrmf-sdp",
            {"background.cutoff": "1 MV", "energies": {"values": ["2 GeV"]}},
            r"background.cutoff: got 0.001 GV; allowed: at least 0.327 GV, [^\n]+",
        ),
        (
            "lrmf-sdp",
            {"diffusion.r0": "1e9 GV"},
            r"diffusion.r0: got 1e\+09 GV with diffusion.slope 0.58; allowed: [^\n]+",
        ),
        (
            "lrmf-sdp-region",
            {"monte_carlo.wall": "0.01 pc"},
            r"monte_carlo.wall: got 0.01 pc; allowed: 0.05 to 5 pc, [^\n]+",
        ),
        (
            "lrmf-sdp-region",
            {"monte_carlo.wall": "30 pc"},
            r"monte_carlo.wall: got 30 pc; allowed: 0.05 to 5 pc, [^\n]+",
        ),
        ("lrmf-sdp", {"field.epsilon": 1.5}, r"field.epsilon: got 1.5; allowed: [^\n]+ at most 1"),
        (
            "lrmf-sdp",
            {"geminga.distance": "1e-9 pc"},
            r"geminga.distance: got \"1e-9 pc\"; allowed: a length at least 1 pc [^\n]+",
        ),
        (
            "lrmf-sdp",
            {"galaxy.sun_radius": "25 kpc"},
            r"galaxy.sun_radius: got 25000 pc; allowed: below galaxy.radius, 20000 pc",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(name, changes, line):
    with pytest.raises(ConfigError, match=rf"\A{line}\Z"):
        small(name).replace(changes)


def test_a_burst_out_of_reach_everywhere_is_one_sentence():
    """What only the formulas know is told before anything runs."""
    far = {"nearby.r_parallel": "100 kpc", "centre.age": "1 yr", "background.cutoff": "1 MV"}
    simulation = mp.Simulation(small("xue-liu-2025").replace(far))
    said = r"\Aenergies: got 10000 GeV, where the intensity of all components is 0 [^\n]+\Z"
    with pytest.raises(ConfigError, match=said):
        simulation.run(seed=1)
    with pytest.raises(ConfigError, match=said):
        simulation.analytic()

"""Thousands of mutated scenarios: each is either valid or refused in lines, never a traceback."""

import random

import numpy as np
import pytest
from astropy import units as u
from mutations import check_lines, try_many

from mcprop import scenario
from mcprop.errors import ConfigError
from mcprop.wander_study import config as wandering


def check_counts(counts, count):
    """Nothing but valid and refused; both occur, so that neither branch is idle."""
    assert counts.tracebacks == 0, counts.failures[:3]
    assert counts.valid + counts.refused == count
    assert counts.valid > count / 20
    assert counts.refused > count / 3
    assert counts.evaluated > count / 1000
    assert counts.commands == count / 200


def test_mutated_scenarios_are_valid_or_refused_in_lines(tmp_path):
    check_counts(try_many(2000, 1, tmp_path), 2000)


def test_mutated_studies_are_valid_or_refused_in_lines(tmp_path):
    check_counts(try_many(1000, 1, tmp_path, of=wandering), 1000)


@pytest.mark.nightly
@pytest.mark.parametrize("of", [scenario, wandering])
def test_many_more_mutated_scenarios_are_valid_or_refused_in_lines(of, tmp_path):
    check_counts(try_many(20_000, 2, tmp_path, of=of), 20_000)


def test_a_traceback_a_warning_and_a_line_break_are_counted(tmp_path, monkeypatch):
    """The counts can fail: each planted fault is seen in every mutation."""
    faults = [KeyError("inside"), ConfigError([]), ConfigError(["title: " + "x" * 999])]
    for fault in faults:

        def fail(text, name, fault=fault):
            raise fault

        monkeypatch.setattr(scenario, "parse", fail)
        counts = try_many(20, 3, tmp_path)
        assert counts.tracebacks >= 15
        assert str(fault)[:20] in "".join(counts.failures)


VALUES = [
    None, True, 0, -1, 64, 1.5, float("nan"), 10**400, 1j, "", "1 pc", "2 PV", "3 TeV", "p", b"1",
    [], {}, {"p": 2}, {"p": "1 GV-1", "He": "1 GV-1"}, {1: {2: {3: {4: 5}}}}, {"values": ["1 TeV"]},
    ("p", "He"), {"p"}, object(), u.pc, 1 * u.pc, [1, 2] * u.TeV, [1 * u.TeV, 3], [[1]] * u.GV,
    1 / u.GV, np.inf * u.yr, 1j * u.kpc, 1 * u.mag, np.int64(128), np.float32(0.5), np.True_,
    np.array(["p"]), np.array([]), np.arange(3), np.array([None, 1 * u.pc]), range(3), lambda: 1,
]  # fmt: skip
PARTS = ["", "x", "p", "He", "0", "a b", "\n", "source", "depth", "values"]


def some_key(draw, known):
    key = draw.choice(known)
    for _ in range(draw.choice([0, 0, 0, 1, 3])):
        key += "." + draw.choice(PARTS)
    return draw.choice([key, key, key, key, draw.choice([1, None, 2.5, ("cloud", "depth"), ""])])


def test_random_changes_are_taken_or_refused_in_lines():
    draw = random.Random("changes")
    best = scenario.load("xue-liu-2025")
    tables = {name: part for name, part in best.model_dump().items() if isinstance(part, dict)}
    known = [
        *tables,
        "title",
        "model",
        *(f"{name}.{key}" for name in tables for key in tables[name]),
    ]
    counts = {"taken": 0, "refused": 0}
    for _ in range(3000):
        count = draw.choice([1, 1, 2])
        changes = {some_key(draw, known): draw.choice(VALUES) for _ in range(count)}
        try:
            config = best.replace(changes)
        except ConfigError as error:
            counts["refused"] += 1
            check_lines(error.problems, str(error))
        else:
            counts["taken"] += 1
            assert scenario.parse(config.to_toml()) == config
    # both kinds occur, so neither branch is idle
    assert min(counts.values()) > 50


def test_random_bytes_as_files_are_refused_in_lines(tmp_path):
    draw = random.Random("random bytes")
    path = tmp_path / "noise.toml"
    for _ in range(200):
        path.write_bytes(draw.randbytes(draw.randrange(300)))
        with pytest.raises(ConfigError) as caught:
            scenario.load(path)
        check_lines(caught.value.problems, str(caught.value))

"""The benchmarks run and say what they measured; how fast it was is no test's business."""

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def engine(repository):
    """What the smallest benchmark of the kernels prints."""
    done = subprocess.run(
        [repository / "scripts" / "bench", "engine", "--quick"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_says_when_and_where(engine):
    assert {"benchmark", "date", "machine", "measured", "quick"} == set(engine)
    assert engine["benchmark"] == "engine"
    assert engine["quick"] is True
    assert {"cpu", "cores", "numba", "vector_features", "load_average"} <= set(engine["machine"])


def test_every_engine_has_a_speed_and_solves_the_same_problem(engine):
    speed = engine["measured"]["speed"]
    ours_and_rivals = {"lanes", "numpy_best", "numpy_typical", "numba_naive", "numba_generator"}
    assert ours_and_rivals <= set(speed)
    for name in ours_and_rivals:
        assert speed[name]["min"] <= speed[name]["median"] <= speed[name]["max"]
        # 8192 particles: 1.6 % is one standard deviation
        assert speed[name]["relative_variance"]["along"] == pytest.approx(1.0, abs=0.1)
        assert speed[name]["relative_variance"]["across"] == pytest.approx(1.0, abs=0.1)


def test_a_target_stands_beside_its_measurement(engine):
    measured = engine["measured"]
    compared = [measured["ratio"]["lanes/numpy_best"], measured["ratio"]["lanes/numba_naive"]]
    for item in [*compared, measured["threads"]["two/one"]]:
        least = float(item["target"].removeprefix(">= "))
        # the median is rounded to four digits for show, so the border itself is left out
        assert item["met"] == (item["median"] >= least) or item["median"] == least


def test_slab_and_first_calls_are_measured(engine):
    assert engine["measured"]["slab"]["steady outside"]["median"] > 0.0
    assert set(engine["measured"]["first_call"]["cold"]) == {"imports", "walk"}
    assert set(engine["measured"]["first_call"]["warm"]) == {"imports", "walk"}


def test_an_unknown_part_is_refused(repository):
    done = subprocess.run(
        [repository / "scripts" / "bench", "everything"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "engine" in done.stderr

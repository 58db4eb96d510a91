"""The benchmarks run and say what they measured; how fast it was is no test's business."""

import json
import os
import subprocess
import sys

import pytest


def quick(repository, part):
    """What the smallest benchmark of a part prints."""
    done = subprocess.run(
        [repository / "scripts" / "bench", part, "--quick"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def engine(repository):
    return quick(repository, "engine")


@pytest.fixture(scope="module")
def galaxy(repository):
    return quick(repository, "galaxy")["measured"]


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


def test_every_walk_through_the_galaxy_solves_the_same_problem(galaxy):
    speed = galaxy["speed"]
    numpy = {"numpy_typical", "numpy_typical_1e4", "numpy_best", "numpy_best_pcg64"}
    assert set(speed) == {"euler", "heun", "numba_naive", "numba_generator"} | numpy
    for found in speed.values():
        assert found["min"] <= found["median"] <= found["max"]
        # 2048 particles each; four standard deviations of a difference
        assert found["ends"]["left"] == pytest.approx(speed["euler"]["ends"]["left"], abs=0.035)
        for name, allowed in (("rms_height", 125.0), ("mean_r", 230.0)):
            assert found["ends"][name] == pytest.approx(speed["euler"]["ends"][name], abs=allowed)
    assert {name for name, item in galaxy["ratio"].items() if "target" in item} == {
        f"euler/{name}" for name in numpy | {"numba_naive", "numba_generator"}
    }


def test_background_of_the_galaxy_is_measured(galaxy):
    assert galaxy["residence"]["median"] > 0.0
    assert galaxy["table"]["wall"]["target"] == "<= 3"
    merit = galaxy["merit"]["1000 GV"]
    assert merit["psi"]["pooled"] > merit["psi, no control variate"]["pooled"]
    assert 0.0 < merit["gradient"]["relative_error"] < 0.1


def test_an_unknown_part_is_refused(repository):
    done = subprocess.run(
        [repository / "scripts" / "bench", "everything"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2
    assert "engine" in done.stderr

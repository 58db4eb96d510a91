"""The table of scripts/reliability is measured, and says where a figure misses its target."""

import importlib
import os
import subprocess
import sys

import pytest

TIMED = "overhead"  # how long something takes is no test's business


@pytest.fixture(scope="module")
def reliability(repository):
    """The script as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(repository / "scripts")
        yield importlib.import_module("reliability")


def table(repository, *arguments):
    """Exit code and lines of the script."""
    done = subprocess.run(
        [repository / "scripts" / "reliability", *arguments],
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_a_row_is_measured(repository):
    code, lines, told = table(repository, "--quick", "configurations")
    assert (code, told) == (0, "")
    assert len(lines) == 2
    assert lines[1].split()[:5] == ["tracebacks", "from", "1000", "mutated", "configurations"]
    assert lines[1].split()[5:] == ["0", "0", "tests/models/mutations.py"]


def test_an_unknown_row_is_refused(repository):
    code, _, told = table(repository, "everything")
    assert code == 2
    assert "no row everything; there are kills, results, damage" in told


def test_a_missed_target_is_told(reliability, monkeypatch, capsys):
    def rows(found):
        return {"damage": lambda *given: [reliability.of_all("bit flips", found, 3, "here")]}

    for found, code, said in ((3, 0, "3 of 3"), (2, 1, "MISSED"), (0, 1, "0 of 3")):
        monkeypatch.setattr(reliability, "ROWS", rows(found))
        monkeypatch.setattr(sys, "argv", ["reliability"])
        assert reliability.main() == code
        assert said in capsys.readouterr().out
    assert not reliability.of_all("nothing was tried", 0, 0, "here").met


def test_damage_that_nobody_sees_is_counted(reliability, monkeypatch, tmp_path):
    monkeypatch.setattr(reliability.faults, "is_refused", lambda directory: False)
    figures = list(reliability.damage(tmp_path, True))
    assert [figure.value for figure in figures] == ["0 of 200", "0 of 200"]
    assert not any(figure.met for figure in figures)


@pytest.mark.nightly
def test_all_targets_are_met(repository, reliability):
    code, lines, told = table(
        repository, "--quick", *(name for name in reliability.ROWS if name != TIMED)
    )
    assert code == 0, "\n".join([*lines, told])

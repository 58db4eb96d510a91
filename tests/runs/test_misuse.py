"""Misuse of the command line: an exit code, one line that says what is wrong, nothing touched."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

import mcprop as mp
from mcprop import cli, scenario, scenario_files

BEST = "xue-liu-2025"
QUICK = ["--energies", "1e3", "--histories", "64", "--seed", "1"]
ESCAPE = "\x1b]0;owned\x07\x1b[31m\u202e"

# Placeholders: {f} a file with a line, {d} an empty folder, {x} a folder with a foreign file,
# {r} a finished run, {m} nothing, {l} a symbolic link to itself, {p} a FIFO, {n} a name with
# control characters that is nothing, {c} a scenario with control characters in its name.
# (arguments, exit code, what the last line on stderr says)
USAGE = {
    "unknown command": (["rum"], 2, "No such command 'rum'"),
    "command with control characters": ([ESCAPE], 2, "No such command"),
    "unknown option of the program": (["--no-such"], 2, "No such option"),
    "run without arguments": (["run"], 2, "Missing argument 'CONFIG|SCENARIO'"),
    "run without -o": (["run", BEST], 2, "Missing option '-o'"),
    "-o without a value": (["run", BEST, "-o"], 2, "requires an argument"),
    "unknown option": (["run", BEST, "-o", "{m}", "--sead", "1"], 2, "No such option"),
    "one argument too many": (["check", BEST, BEST], 2, "unexpected extra argument"),
    "init of nothing": (["init"], 2, "Missing argument 'SCENARIO'"),
    "cite of nothing": (["cite"], 2, "Missing argument 'DIR|SCENARIO'"),
    "no workers": (["run", BEST, "-o", "{m}", "-j", "0"], 2, "allowed are 1 to 1024"),
    "negative workers": (["run", BEST, "-o", "{m}", "-j", "-3"], 2, "allowed are 1 to 1024"),
    "workers in words": (["run", BEST, "-o", "{m}", "-j", "x"], 2, "not a valid integer"),
    "no end of workers": (["run", BEST, "-o", "{m}", "-j", "9" * 500], 2, "allowed are 1 to"),
    "seed in words": (["run", BEST, "-o", "{m}", "--seed", "x"], 2, "not a valid integer"),
    "error in words": (["run", BEST, "-o", "{m}", "--rel-err", "x"], 2, "not a valid float"),
    "histories in words": (["run", BEST, "-o", "{m}", "--histories", "x"], 2, "whole number"),
    "half a history": (["run", BEST, "-o", "{m}", "--histories", "64.5"], 2, "whole number"),
    "option with control characters": (
        ["run", BEST, "-o", "{m}", "--histories", ESCAPE], 2, "whole number",
    ),
}  # fmt: skip
TROUBLE = {
    "empty CONFIG": (["check", ""], 2, "is a directory, not a scenario file"),
    "CONFIG is a folder": (["check", "{d}"], 2, "is a directory, not a scenario file"),
    "CONFIG is missing": (["check", "{m}"], 2, "neither a file nor a scenario"),
    "CONFIG below a file": (["check", "{f}/x"], 2, "neither a file nor a scenario"),
    "CONFIG is no TOML": (["check", "{f}"], 2, "not valid TOML"),
    "CONFIG is a FIFO": (["check", "{p}"], 2, "is not a regular file"),
    "CONFIG is a device": (["check", "/dev/zero"], 2, "is not a regular file"),
    "CONFIG is a loop of links": (["check", "{l}"], 2, "neither a file nor a scenario"),
    "CONFIG is a NUL byte": (["check", "\x00"], 2, "neither a file nor a scenario"),
    "CONFIG is an endless name": (["check", "a" * 5000], 2, "neither a file nor a scenario"),
    "CONFIG has control characters": (["check", "{n}"], 2, "neither a file nor a scenario"),
    "CONFIG of a run is a FIFO": (["run", "{p}", "-o", "{m}"], 2, "is not a regular file"),
    "misspelt scenario": (["check", "xue-liu-2026"], 2, "did you mean xue-liu-2025?"),
    "energies in words": (["run", BEST, "-o", "{m}", "--energies", "ten"], 2, "--energies: got"),
    "energies with control characters": (
        ["run", BEST, "-o", "{m}", "--energies", ESCAPE], 2, "--energies: got",
    ),
    "no energies": (["run", BEST, "-o", "{m}", "--energies", ""], 2, "--energies: got"),
    "energy that is not finite": (
        ["analytic", BEST, "-o", "{m}", "--energies", "1e3,inf"], 2, "--energies: got",
    ),
    "energy at rest": (["analytic", BEST, "-o", "{m}", "--energies", "1"], 2, "rest energy of He"),
    "energy twice": (["analytic", BEST, "-o", "{m}", "--energies", "1e3,1e3"], 2, "twice"),
    "too high an energy": (["analytic", BEST, "-o", "{m}", "--energies", "1e30"], 2, "1 EeV"),
    "no histories": (["run", BEST, "-o", "{m}", "--histories", "0"], 2, "stop.histories: got 0"),
    "too few histories": (["run", BEST, "-o", "{m}", "--histories", "63"], 2, "from 64"),
    "negative seed": (["run", BEST, "-o", "{m}", "--seed", "-1"], 2, "monte_carlo.seed: got -1"),
    "error of zero": (["run", BEST, "-o", "{m}", "--rel-err", "0"], 2, "stop.rel_err: got 0"),
    "error of nan": (["run", BEST, "-o", "{m}", "--rel-err", "nan"], 2, "stop.rel_err: got nan"),
    "analog where there is none": (["run", "lrmf-sdp", "-o", "{m}", "--analog"], 2, "analog"),
    "-o on a file": (["analytic", BEST, "-o", "{f}"], 3, "{f}"),
    "-o below a file": (["run", BEST, "-o", "{f}/x", *QUICK], 3, "{f}/x"),
    "-o where nothing can be": (["run", BEST, "-o", "/proc/nowhere", *QUICK], 3, "/proc/nowhere"),
    "-o on a device": (["run", BEST, "-o", "/dev/null", *QUICK], 3, "/dev/null"),
    "-o on a FIFO": (["run", BEST, "-o", "{p}", *QUICK], 3, "{p}"),
    "-o is a loop of links": (["run", BEST, "-o", "{l}", *QUICK], 3, "{l}"),
    "-o is an endless name": (["run", BEST, "-o", "a" * 5000, *QUICK], 3, "File name too long"),
    "-o among foreign files": (["run", BEST, "-o", "{x}", *QUICK], 3, "{x}"),
    "--overwrite of foreign files": (["run", BEST, "-o", "{x}", *QUICK, "--overwrite"], 3, "{x}"),
    "two runs into one DIR": (["run", BEST, "-o", "{r}", *QUICK], 3, "holds a run already"),
    "formulas into a run": (["analytic", BEST, "-o", "{r}"], 3, "holds a run already"),
    "init of junk": (["init", "junk"], 2, "no such scenario"),
    "init of an empty name": (["init", ""], 2, "no such scenario"),
    "init of control characters": (["init", ESCAPE], 2, "no such scenario"),
    "init of a file": (["init", "{f}"], 2, "no such scenario"),
    "init onto a file": (["init", BEST, "-o", "{f}"], 3, "exists already"),
    "init onto a folder": (["init", BEST, "-o", "{d}"], 3, "{d}"),
    "init below a file": (["init", BEST, "-o", "{f}/x"], 3, "cannot be written"),
    "init into nowhere": (["init", BEST, "-o", "{m}/x"], 3, "cannot be written"),
    "init onto a device": (["init", BEST, "-o", "/dev/full", "--overwrite"], 3, "No space"),
    "init onto control characters": (["init", BEST, "-o", "{n}/x"], 3, "cannot be written"),
    "cite of junk": (["cite", "junk"], 2, "neither a run directory, a file nor a scenario"),
    "cite of an empty name": (["cite", ""], 3, "holds no run"),
    "cite of a folder": (["cite", "{d}"], 3, "{d}"),
    "cite of a file": (["cite", "{f}"], 2, "not valid TOML"),
    "cite of control characters": (["cite", "{n}"], 2, "neither a run directory"),
    "resume of nothing": (["resume", "{m}"], 3, "{m}"),
    "resume of a file": (["resume", "{f}"], 3, "{f}"),
    "resume of foreign files": (["resume", "{x}"], 3, "{x}"),
    "resume of control characters": (["resume", "{n}"], 3, "owned"),
    "status of nothing": (["status", "{m}"], 3, "{m}"),
    "status of foreign files": (["status", "{x}"], 3, "{x}"),
    "status of a FIFO": (["status", "{p}"], 3, "{p}"),
}  # fmt: skip


@pytest.fixture(scope="module")
def run_directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("finished") / "run"
    mp.Simulation.from_scenario(BEST).analytic(energies=[1e3]).write(directory)
    return directory


@pytest.fixture
def places(tmp_path, run_directory):
    """What the placeholders of the table stand for."""
    found = {name: tmp_path / name for name in "fdxmlp"} | {"r": run_directory}
    found["f"].write_text("years of work\n")
    found["d"].mkdir()
    found["x"].mkdir()
    (found["x"] / "thesis.tex").write_text("years of work\n")
    found["l"].symlink_to(found["l"])
    os.mkfifo(found["p"])
    found["n"] = tmp_path / f"nothing{ESCAPE}\n"
    return {name: str(path) for name, path in found.items()}


def filled(text, places):
    for name, path in places.items():
        text = text.replace(f"{{{name}}}", path)
    return text


def contents(*folders):
    """Every file below, with what it holds."""
    return {
        path: path.read_bytes() if path.is_file() else b""
        for folder in folders
        for path in sorted(folder.rglob("*"))
    }


def check_plain(text):
    """Nothing that a terminal would obey, and no internals."""
    assert all(line.isprintable() for line in text.splitlines()), repr(text)
    assert "Traceback" not in text


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_is_told(name, places, tmp_path):
    check_row(*USAGE[name], places, tmp_path, lines=None)


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_is_one_line(name, places, tmp_path, run_directory):
    check_row(*TROUBLE[name], places, tmp_path, run_directory, lines=1)


def check_row(arguments, code, said, places, *folders, lines):
    before = contents(*folders)
    outcome = CliRunner().invoke(cli.main, [filled(word, places) for word in arguments])
    assert isinstance(outcome.exception, SystemExit), outcome.exception
    assert (outcome.exit_code, outcome.stdout) == (code, ""), outcome.output
    check_plain(outcome.stderr)
    told = outcome.stderr.splitlines()
    assert filled(said, places) in told[-1]
    assert lines is None or len(told) == lines
    assert len(told[-1]) < 1000
    assert contents(*folders) == before


@pytest.mark.parametrize("name", ["rum", "-o on a file", "CONFIG is a FIFO"])
def test_as_a_program(name, places, tmp_path):
    arguments, code, said = {"rum": (["rum"], 2, "No such command"), **TROUBLE}[name]
    words = [filled(word, places) for word in arguments]
    done = subprocess.run(
        [sys.executable, "-m", "mcprop", *words], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert filled(said, places) in done.stderr.splitlines()[-1]
    check_plain(done.stderr)


def test_a_file_that_may_not_be_read_is_one_line(tmp_path, monkeypatch):
    """Also as a user whom permissions do not stop: the disk says no."""
    path = tmp_path / "run.toml"
    path.write_text(scenario.text(BEST))

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    outcome = CliRunner().invoke(cli.main, ["check", str(path)])
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr == f"{path}: cannot be read (Permission denied)\n"


def test_a_file_that_vanishes_is_one_line(tmp_path, monkeypatch):
    path = tmp_path / "run.toml"
    path.write_text(scenario.text(BEST))
    read = scenario_files.read_text
    monkeypatch.setattr(scenario_files, "read_text", lambda found: found.unlink() or read(found))
    outcome = CliRunner().invoke(cli.main, ["check", str(path)])
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr == f"{path}: cannot be read (No such file or directory)\n"


def test_control_characters_of_a_valid_file_reach_no_terminal(tmp_path):
    path = tmp_path / f"run{ESCAPE}.toml"
    path.write_text(scenario.text(BEST))
    outcome = CliRunner().invoke(cli.main, ["check", str(path)])
    assert outcome.exit_code == 0
    check_plain(outcome.output)

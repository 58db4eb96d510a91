"""The command line, end to end."""

import json
import os
import pty
import re
import subprocess
import sys
import tomllib

import pytest
from astropy.table import Table
from click.testing import CliRunner

from mcprop import cli, cli_shared, scenario
from mcprop.wander_study import config as wandering

BEST = "xue-liu-2025"
QUICK = ["--histories", "512", "--seed", "7", "-j", "1"]


def invoke(*arguments):
    return CliRunner().invoke(cli.main, [str(item) for item in arguments])


def mcprop(*arguments, **options):
    command = [sys.executable, "-m", "mcprop", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, **options
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small run: its directory and what it said."""
    directory = tmp_path_factory.mktemp("cli") / "run"
    outcome = invoke("run", BEST, "-o", directory, "--energies", "1e3,12345.678", *QUICK)
    assert outcome.exit_code == 0, outcome.output
    return directory, outcome


def test_help_names_every_command_without_heavy_imports():
    code = (
        "import sys; from mcprop.cli import main; main(['--help'], standalone_mode=False);"
        "heavy = {'numpy', 'astropy', 'pydantic', 'rich', 'numba', 'healpy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True
    )
    *text, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    for command in ("scenarios", "init", "check", "analytic", "run", "wander", "cite"):
        assert any(line.strip().startswith(command) for line in text)


@pytest.mark.parametrize(
    "command", ["scenarios", "init", "check", "analytic", "run", "wander", "cite"]
)
def test_every_command_has_help(command):
    outcome = invoke(command, "--help")
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith("Usage:")


def test_the_version_is_the_one_of_the_package():
    from mcprop import __version__

    assert __version__ in invoke("--version").stdout


def test_scenarios_lists_each_with_its_title():
    lines = invoke("scenarios").stdout.splitlines()
    titles = {name: scenario.load(name).title for name in scenario.names()}
    titles |= {name: wandering.load(name).title for name in wandering.names()}
    assert [line.split()[0] for line in lines] == list(titles)
    for title, line in zip(titles.values(), lines, strict=True):
        assert line.endswith(title)


@pytest.mark.parametrize("name", scenario.names())
def test_init_prints_the_scenario_as_it_is(name):
    outcome = invoke("init", name)
    assert outcome.exit_code == 0
    assert outcome.stdout == scenario.text(name)


def test_init_writes_a_file_that_can_be_checked_and_keeps_an_existing_one(tmp_path):
    path = tmp_path / "run.toml"
    assert invoke("init", BEST, "-o", path).exit_code == 0
    assert invoke("check", path).exit_code == 0
    path.write_text("mine")
    outcome = invoke("init", BEST, "-o", path)
    assert outcome.exit_code == 3
    assert outcome.stderr.splitlines() == [f"{path}: exists already; --overwrite replaces it."]
    assert path.read_text() == "mine"
    assert invoke("init", BEST, "-o", path, "--overwrite").exit_code == 0
    assert path.read_text() == scenario.text(BEST)


def test_init_into_no_directory_is_trouble_with_files(tmp_path):
    outcome = invoke("init", BEST, "-o", tmp_path / "nowhere" / "run.toml")
    assert outcome.exit_code == 3
    assert len(outcome.stderr.splitlines()) == 1


def test_init_of_an_unknown_scenario_suggests_one():
    outcome = invoke("init", "xue-liu-2024")
    assert outcome.exit_code == 2
    assert "did you mean xue-liu-2025?" in outcome.stderr


def test_check_says_what_follows_from_the_configuration():
    outcome = invoke("check", BEST)
    assert outcome.exit_code == 0
    assert "16 energies, 100 to 1e+07 GeV, of p, He" in outcome.stdout
    # the velocity that the measured ones imply
    assert "19.343 km/s toward RA 37.13, Dec 62.73 deg, at 84.41 deg" in outcome.stdout


def differences(config) -> str:
    outcome = invoke("check", config)
    assert outcome.exit_code == 0
    return outcome.stdout.splitlines()[-1]


def test_check_lists_what_differs_from_the_best_fit(tmp_path):
    head = "differs from xue-liu-2025 in: "
    assert differences(BEST) == head + "nothing"
    path = tmp_path / "run.toml"
    path.write_text(
        'title = "Mine"\nmodel = "xue-liu-2025"\n[cloud]\ndepth = "10 pc"\n'
        '[species]\nnames = ["p"]\n[monte_carlo]\nseed = 5\nnside = 16\n'
    )
    what = "species.names = p (p He), cloud.depth = 10 pc (1.6 pc), monte_carlo.seed = 5 (not set)"
    assert differences(path) == head + what
    timed = differences("xue-liu-2025-time-dependent")
    assert timed == head + "cloud.mode = time-dependent (steady)"
    values = [f"{i} TeV" for i in range(1, 11)]
    path.write_text(f'model = "xue-liu-2025"\n[energies]\nvalues = {values}\n')
    assert "energies.values = 10 values (not set), " in differences(path)
    assert "energies.minimum = not set (100 GeV)" in differences(path)


def test_analytic_writes_formulas_only(tmp_path):
    directory = tmp_path / "out"
    outcome = invoke("analytic", BEST, "-o", directory, "--energies", "1e3,1e4")
    assert outcome.exit_code == 0
    table = Table.read(directory / "dipole.ecsv")
    assert set(table["method"]) == {"analytic"}
    assert set(table["energy"]) == {1e3, 1e4}
    assert (directory / "spectrum.ecsv").is_file()
    assert not (directory / "comparison.ecsv").exists()
    # amplitude and phase at 10 TeV, as the paper has them
    assert re.search(r"^\s+10000\s+9\.82\de-04\s+38\.37$", outcome.stdout, re.MULTILINE)
    assert outcome.stdout.splitlines()[-1] == f"Output: {directory}"


def test_run_keeps_the_energies_exactly(finished):
    directory, _ = finished
    table = Table.read(directory / "dipole.ecsv")
    assert set(table["energy"]) == {1e3, 12345.678}
    assert set(table["method"]) == {"analytic", "monte-carlo"}
    document = tomllib.loads((directory / "config.toml").read_text())
    assert scenario.load(directory / "config.toml").energies.grid == (1e3, 12345.678)
    assert document["monte_carlo"]["seed"] == 7
    assert document["stop"]["histories"] == 512


def test_run_says_a_line_for_each_energy_then_table_verdict_and_place(finished):
    directory, outcome = finished
    lines = outcome.stdout.splitlines()
    assert lines[0].startswith("1/2  1000 GeV  total ")
    assert lines[1].startswith("2/2  12345.7 GeV  total ")
    assert lines[1].endswith("0 s left")
    head = "energy [GeV] analytic RA [deg] Monte Carlo RA [deg] pull health"
    assert " ".join(lines[2].split()) == head
    assert [line.split()[0] for line in lines[3:5]] == ["1000", "12345.7"]
    assert any(line.startswith("Monte Carlo and reference") for line in lines)
    assert "Seed: 7" in lines
    assert lines[-1] == f"Output: {directory}"


@pytest.mark.parametrize("extra", [["--histories", "4.096e3"], ["--analog"]])
def test_a_single_energy_runs_and_draws(extra, tmp_path):
    outcome = invoke("run", BEST, "-o", tmp_path / "run", "--energies", "1e3", *QUICK, *extra)
    assert outcome.exit_code == 0, outcome.output
    assert (tmp_path / "run" / "figures" / "dipole.png").stat().st_size > 10_000
    assert ("inconclusive" in outcome.output) == ("--analog" in extra)


def test_run_writes_all_that_is_promised(finished):
    directory, _ = finished
    names = {"config.toml", "provenance.json", "dipole.ecsv", "spectrum.ecsv", "comparison.ecsv"}
    assert names <= {path.name for path in directory.iterdir()}
    assert json.loads((directory / "provenance.json").read_text())["seed"] == 7
    assert (directory / "sky" / "total_1e+03GeV.fits").is_file()
    assert any((directory / "figures").glob("*.png"))


def test_the_written_configuration_repeats_the_run(finished, tmp_path):
    directory, _ = finished
    outcome = invoke("run", directory / "config.toml", "-o", tmp_path / "again", "-j", "2")
    assert outcome.exit_code == 0
    first, second = (Table.read(path / "dipole.ecsv") for path in (directory, tmp_path / "again"))
    assert first.colnames == second.colnames
    for name in first.colnames:
        assert list(first[name]) == list(second[name])


def test_cite_of_a_run_names_its_parts(finished):
    directory, _ = finished
    outcome = invoke("cite", directory)
    assert outcome.exit_code == 0
    for key in ("XueLiu2025", "Salmon2011", "Gorski2005", "Hunter2007"):
        assert key in outcome.stdout


@pytest.mark.parametrize("command", ["run", "analytic"])
def test_an_existing_run_is_kept_unless_told_otherwise(command, tmp_path):
    directory = tmp_path / "out"
    assert invoke("analytic", BEST, "-o", directory, "--energies", "1e3").exit_code == 0
    before = (directory / "dipole.ecsv").read_bytes()
    options = ["--energies", "1e4,1e5", *(QUICK if command == "run" else [])]
    outcome = invoke(command, BEST, "-o", directory, *options)
    assert outcome.exit_code == 3
    assert outcome.stderr.splitlines() == [
        f"{directory}: holds a run already; --overwrite replaces it."
    ]
    assert (directory / "dipole.ecsv").read_bytes() == before
    assert invoke(command, BEST, "-o", directory, *options, "--overwrite").exit_code == 0
    assert set(Table.read(directory / "dipole.ecsv")["energy"]) == {1e4, 1e5}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_is_no_run_is_never_overwritten(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    outcome = invoke("run", BEST, "-o", tmp_path, "--overwrite", *QUICK)
    assert outcome.exit_code == 3
    assert len(outcome.stderr.splitlines()) == 1
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_file_in_the_place_of_the_output_is_trouble_with_files(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    for output in (path, path / "below", "/proc/nowhere", "a" * 5000):
        outcome = invoke("run", BEST, "-o", output, *QUICK)
        assert outcome.exit_code == 3, output
        assert len(outcome.stderr.splitlines()) == 1
    assert path.read_text() == ""


@pytest.mark.parametrize("text", ["", "x", "1e3,", "1e3;1e4", "nan", "inf", "1e3,-inf", "1e3 GeV"])
def test_energies_that_are_no_numbers_are_refused(text, tmp_path):
    outcome = invoke("run", BEST, "-o", tmp_path / "out", "--energies", text)
    assert outcome.exit_code == 2
    assert len(outcome.stderr.splitlines()) == 1
    assert outcome.stderr.startswith("--energies: got ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", BEST],
        ["run", "-o", "out"],
        ["run", BEST, "-o", "out", "-j", "0"],
        ["run", BEST, "-o", "out", "--histories", "many"],
        ["run", BEST, "-o", "out", "--histories", "1.5"],
        ["run", BEST, "-o", "out", "--histories", "nan"],
        ["run", BEST, "-o", "out", "--histories", "1e999999999"],
        ["run", BEST, "-o", "out", "-j", "2.0"],
        ["run", BEST, "-o", "out", "--no-such-option"],
        ["rum"],
        ["init"],
    ],
)
def test_wrong_usage_exits_with_2(arguments):
    outcome = invoke(*arguments)
    assert outcome.exit_code == 2
    assert "Error:" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("text", ["1e5", "100000", "1.0E5", "100000.0"])
def test_histories_may_be_written_as_a_float(text):
    assert cli_shared.Whole().convert(text, None, None) == 100_000


def test_too_many_workers_are_refused_in_words():
    outcome = invoke("run", BEST, "-o", "out", "-j", "1025")
    assert outcome.exit_code == 2
    assert "1025 workers; allowed are 1 to 1024." in outcome.stderr


def test_help_of_run_tells_what_is_hard_to_guess():
    text = " ".join(invoke("run", "--help").stdout.split())
    assert "Exit codes: 0 (also if ended by a signal); 2 (usage or configuration); 3" in text
    assert "needs far more of them" in text
    assert "refused unless --overwrite is given" in text


def test_analog_runs_and_says_so(tmp_path):
    options = ["--energies", "1e3,1e4", "--histories", "200000", "--seed", "3"]
    outcome = invoke("run", BEST, "-o", tmp_path / "out", "--analog", *options)
    assert outcome.exit_code == 0, outcome.output
    document = tomllib.loads((tmp_path / "out" / "config.toml").read_text())
    assert document["monte_carlo"]["estimator"] == "analog"
    comparison = Table.read(tmp_path / "out" / "comparison.ecsv")
    assert "analog" in set(comparison["estimator"])


def test_as_a_program_it_ends_with_lines_and_codes(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('model = "xue-liu-2025"\n[cloud]\ndepth = "1.6"\n')
    done = mcprop("check", path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(r"cloud\.depth: got \"1\.6\" without a unit; [^\n]+\n", done.stderr)
    assert mcprop("check", BEST).returncode == 0
    assert mcprop("cite", tmp_path).returncode == 3


@pytest.mark.parametrize(
    ("arguments", "interrupted", "said"),
    [
        (["check", BEST], "mcprop.scenario.load", "Interrupted.\n"),
        (["cite", BEST], "mcprop.cite.bibliography", "Interrupted.\n"),
        (["run", BEST, "-o"], "mcprop.scenario.load", "Interrupted; nothing was written.\n"),
        (["analytic", BEST, "-o"], "mcprop.scenario.load", "Interrupted; nothing was written.\n"),
        (["analytic", BEST, "-o"], "mcprop.result.Result.write", "Interrupted.\n"),
    ],
)
def test_what_is_said_on_interruption(arguments, interrupted, said, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(interrupted, interrupt)
    outcome = invoke(*arguments, *([tmp_path / "out"] if arguments[-1] == "-o" else []))
    assert outcome.exit_code == 130
    assert outcome.stderr == said


def test_on_a_terminal_a_table_lives_until_the_final_one(tmp_path):
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "mcprop", "run", BEST, "-o", str(tmp_path / "out")]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80", "LINES": "40"}
    with subprocess.Popen(
        [*command, "--energies", "1e3,1e4", *QUICK], stdout=slave, stderr=slave, env=environment
    ) as process:
        os.close(slave)
        shown = read_all(master)
    assert process.returncode == 0
    for head in (
        "component",
        "amplitude",
        "phase",
        "pull",
        "time left",
        "Compton-G.",
        "prescribed",
    ):
        assert head in shown
    assert "1/2  1000 GeV" not in shown
    assert f"Output: {tmp_path / 'out'}" in shown


def read_all(master):
    """Everything that is written to a terminal until its other end is closed."""
    chunks = []
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            chunk = b""
        if not chunk:
            os.close(master)
            return b"".join(chunks).decode()
        chunks.append(chunk)

"""What is cited: BibTeX that parses, of what ran and nothing else."""

import re

import pytest
from click.testing import CliRunner

from mcprop import __version__, cite, cli, models, scenario
from mcprop.wander_study import config as wandering
from mcprop.wander_study.papers import PAPERS

ALWAYS = {"mcprop", "XueLiu2025", "Astropy2022", "Harris2020"}
MONTE_CARLO = {"Salmon2011", "Plaszczynski2014", "Lam2015"}
SKY = {"Gorski2005", "Zonca2019"}
FIGURES = {"Hunter2007", "Maurin2023"}
HEAD = "# %ECSV 1.0\n# ---\n# comment: monte-carlo is not said in a comment\nenergy method\n"


def keys(bibtex):
    return set(re.findall(r"^@\w+\{(\w+),$", bibtex, re.MULTILINE))


def run_directory(path, method="analytic", **files):
    path.mkdir()
    (path / "config.toml").write_text(scenario.load("xue-liu-2025").to_toml())
    (path / "dipole.ecsv").write_text(HEAD + f"1000.0 {method}\n")
    for name, text in files.items():
        file = path / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return path


def test_entries_are_balanced_and_have_unique_keys():
    bibtex = cite.bibliography()
    found = re.findall(r"^@\w+\{(\w+),$", bibtex, re.MULTILINE)
    assert len(found) == len(set(found)) == 11
    for entry in re.split(r"\n\n", bibtex.strip()):
        assert entry.startswith("% ")
        assert entry.count("{") == entry.count("}")
        assert re.search(r"^\s+(doi|eprint|version)\s+= \{\S+\},$", entry, re.MULTILINE)


def test_the_identifiers_are_those_of_the_papers():
    bibtex = cite.bibliography()
    for identifier in (
        "2507.07057", "10.1145/2063384.2063405", "10.1093/mnras/stu270", "10.1086/427976",
        "10.21105/joss.01298", "10.3847/1538-4357/ac7c74", "10.1038/s41586-020-2649-2",
        "10.1145/2833157.2833162", "10.1109/MCSE.2007.55",
        "10.1140/epjc/s10052-023-12092-8",
    ):  # fmt: skip
        assert f"{{{identifier}}}" in bibtex


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("formulas",), ALWAYS),
        (("formulas", "figures"), ALWAYS | FIGURES),
        (("formulas", "monte-carlo"), ALWAYS | MONTE_CARLO),
        (("formulas", "monte-carlo", "sky"), ALWAYS | MONTE_CARLO | SKY),
        (cite.RUN_PARTS, ALWAYS | MONTE_CARLO | SKY | FIGURES),
    ],
)
def test_only_what_ran_is_cited(parts, expected):
    assert keys(cite.bibliography(parts)) == expected


def test_a_scenario_cites_everything_that_its_run_would_use():
    outcome = CliRunner().invoke(cli.main, ["cite", "xue-liu-2025-wandering"])
    assert outcome.exit_code == 0
    assert outcome.stdout == cite.bibliography()
    assert f"version = {{{__version__}}}" in outcome.stdout


def test_formulas_alone_cite_no_random_numbers(tmp_path):
    directory = run_directory(tmp_path / "run")
    outcome = CliRunner().invoke(cli.main, ["cite", str(directory)])
    assert outcome.exit_code == 0
    assert keys(outcome.stdout) == ALWAYS


def test_a_run_cites_the_version_and_the_parts_that_wrote_it(tmp_path):
    directory = run_directory(
        tmp_path / "run",
        "monte-carlo",
        provenance_dot_json='{"mcprop": "7.6.5"}',
        sky__total_dot_fits="",
        figures__dipole_dot_png="",
    )
    outcome = CliRunner().invoke(cli.main, ["cite", str(directory)])
    assert outcome.exit_code == 0
    assert keys(outcome.stdout) == keys(cite.bibliography())
    assert "version = {7.6.5}" in outcome.stdout


@pytest.mark.parametrize("record", ["", "[]", "{}", "3", "\udcff"])
def test_a_broken_record_falls_back_to_this_version(tmp_path, record):
    directory = run_directory(tmp_path / "run")
    (directory / "provenance.json").write_bytes(record.encode(errors="surrogateescape"))
    assert cite.version_of(directory) == __version__


def test_a_directory_without_a_run_is_refused(tmp_path):
    outcome = CliRunner().invoke(cli.main, ["cite", str(tmp_path)])
    assert outcome.exit_code == 3
    assert outcome.stderr.splitlines() == [
        f"{tmp_path}: holds no run (no readable dipole.ecsv in it)."
    ]


def test_a_run_is_cited_by_what_it_wrote_not_by_its_configuration(tmp_path):
    directory = run_directory(tmp_path / "run")
    (directory / "config.toml").write_text("of a version to come")
    outcome = CliRunner().invoke(cli.main, ["cite", str(directory)])
    assert outcome.exit_code == 0
    assert keys(outcome.stdout) == ALWAYS


@pytest.mark.parametrize("name", ["nothing", "xue-liu-2052", "a" * 5000, "x\0y"])
def test_what_is_nowhere_cannot_be_cited(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = CliRunner().invoke(cli.main, ["cite", name])
    assert outcome.exit_code == 2
    (line,) = outcome.stderr.splitlines()
    assert ": neither a run directory, a file nor a scenario; scenarios: xue-liu-2025, " in line
    assert ("did you mean xue-liu-2025?" in line) == (name == "xue-liu-2052")


SOFTWARE = {"mcprop", "Salmon2011", "Lam2015", "Astropy2022", "Harris2020", "Hunter2007"}


@pytest.mark.parametrize("name", wandering.names())
def test_a_study_of_wandering_fields_cites_its_own_papers(tmp_path, name):
    """The scenario, and the directory of the study; skies are HEALPix maps."""
    model = wandering.load(name).study
    outcome = CliRunner().invoke(cli.main, ["cite", name])
    assert outcome.exit_code == 0
    skies = {"Gorski2005", "Zonca2019"} if model == "wandering-sky" else set()
    papers = keys("\n".join(paper.bibtex for paper in PAPERS[model]))
    assert {"XueLiu2025", "Giacalone1999"} <= papers
    assert keys(outcome.stdout) == SOFTWARE | papers | skies
    (tmp_path / "config.toml").write_text(wandering.text(name))
    (tmp_path / "summary.txt").write_text("")
    if skies:
        (tmp_path / "sky").mkdir()
        (tmp_path / "sky" / "0.fits").write_text("")
    assert CliRunner().invoke(cli.main, ["cite", str(tmp_path)]).stdout == outcome.stdout


def test_the_studies_are_told_by_the_same_names_everywhere():
    assert set(PAPERS) == set(models.WANDERING) == set(wandering.STUDIES)

"""`mcprop wander`: studies of fields that wander, end to end."""

import shutil
import tomllib

import numpy as np
import pytest
from matplotlib.image import imread
from wander_runs import SMALL, every_file_says_where_it_comes_from, invoke, written

from mcprop.analytic import kinetic_tensor
from mcprop.provenance import provenance
from mcprop.sky import SkyMap
from mcprop.wander_study import config as configurations
from mcprop.wander_study import scan, tables
from mcprop.wander_study.cost import evaluations
from mcprop.wander_study.outcome import Outcome
from mcprop.wander_study.study import Study
from mcprop.wander_study.tables import (
    ExponentRow,
    HalvingRow,
    MsdRow,
    SourceRow,
    WanderRow,
)
from mcprop.wander_study.verdicts import LINES
from mcprop.wandering import pseudo_particles


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small scan on two threads: its directory and what it said."""
    folder = tmp_path_factory.mktemp("wander")
    outcome = invoke("wander", written(folder / "s.toml", SMALL), "-o", folder / "out", "-j", 2)
    assert outcome.exit_code == 0, outcome.output
    return folder / "out", outcome


def test_a_scan_writes_all_that_is_promised(finished):
    directory, outcome = finished
    assert {path.name for path in directory.iterdir()} == {
        "config.toml", "exponents.ecsv", "figures", "halving.ecsv", "msd.ecsv", "provenance.json",
        "summary.txt", "wander.ecsv",
    }  # fmt: skip
    lines = outcome.stdout.splitlines()
    # what it is about to do, before it does
    assert lines[0].startswith("8 cases, 6 walks, 6 realisations of 16 particles: ")
    assert lines[0].endswith("; seed 5")
    assert lines[1].startswith("1/6  isotropic 1.67 20-100 pc  M_A 0.001  epsilon 0.01  D_perp/")
    assert lines[6].endswith(" 0 s left")
    assert "20000 GV" not in outcome.stdout
    assert "10000 GV: mean free path 20.9 pc" in outcome.stdout
    assert "80000 GV: mean free path 41.8 pc, 2.09 of the shortest" in outcome.stdout
    assert lines[-2:] == ["Seed: 5", f"Output: {directory}"]
    summary = (directory / "summary.txt").read_text().split("\n")
    assert "\n".join(line for line in summary if not line.startswith("#")) in outcome.stdout
    assert "#" not in outcome.stdout


def test_every_file_of_a_scan_says_where_it_comes_from(finished):
    every_file_says_where_it_comes_from(finished[0])


def test_every_file_of_a_study_has_the_seed_of_the_study(tmp_path):
    """And not one that a part of it has drawn."""
    config = configurations.load("wander-sky").replace({"monte_carlo.seed": 5})
    skies = {"first.fits": SkyMap(np.ones(12), np.zeros(12), seed=77)}
    skies["mean.fits"] = SkyMap(np.ones(12), np.zeros(12))
    outcome = Outcome({"wander.ecsv": ([], WanderRow)}, {}, "what came out", skies)
    told = provenance(config.title) | {"seed": 5, "config_hash": config.digest}
    directory = Study(config, outcome, told).write(tmp_path / "out")
    every_file_says_where_it_comes_from(directory)
    assert {one.name for one in (directory / "sky").iterdir()} == set(skies)
    assert (directory / "summary.txt").read_text().endswith("\nwhat came out\n")


def test_every_rigidity_and_epsilon_has_its_rows_of_few_walks(finished):
    rows = tables.read(finished[0] / "wander.ecsv", WanderRow)
    assert len(rows) == 8
    assert {row.rigidity for row in rows} == {1e4, 8e4}
    # a number is one walk for both rigidities, in other units of time
    given = [row for row in rows if row.epsilon_from == "number" and row.mach == 0.3]
    assert len({row.walk for row in given}) == 1
    assert len({row.ratio for row in given}) == 1
    assert given[1].kappa_parallel / given[0].kappa_parallel == pytest.approx(2.0)
    assert given[1].d_perp / given[0].d_perp == pytest.approx(2.0)
    assert given[1].duration / given[0].duration == pytest.approx(0.5)
    kinetic = [row for row in rows if row.epsilon_from == "kinetic" and row.mach == 0.3]
    for row in kinetic:
        parallel, perp = kinetic_tensor(f"{row.rigidity} GV")
        assert row.epsilon == pytest.approx(float(perp / parallel), rel=1e-6)


def test_without_waves_particles_diffuse_as_they_are_told(finished):
    for row in tables.read(finished[0] / "wander.ecsv", WanderRow):
        if row.mach == 1e-3:
            assert abs(row.d_perp - row.kappa_perp) < 4.0 * row.d_perp_err
            assert abs(row.d_parallel - row.kappa_parallel) < 4.0 * row.d_parallel_err
            assert abs(row.ratio - row.epsilon) < 4.0 * row.ratio_err
            assert row.d_perp_err < 0.3 * row.d_perp


def test_the_wandering_case_is_near_the_isotropic_law_and_no_other(finished):
    for row in tables.read(finished[0] / "wander.ecsv", WanderRow):
        if row.mach == 0.3:
            assert abs(row.pull_isotropic) < 4.0
            assert abs(row.pull_mach_two) > 4.0
            # laws of D_parallel as measured, of which only the ratio has an error of its own
            assert row.mach_two == pytest.approx(0.09 * row.d_parallel)
            assert row.mach_four == pytest.approx(0.0081 * row.d_parallel)
            with_ratio = row.ratio_err * row.d_parallel
            assert row.pull_mach_two == pytest.approx((row.d_perp - row.mach_two) / with_ratio)
            assert row.pull_mach_four == pytest.approx((row.d_perp - row.mach_four) / with_ratio)
            assert with_ratio != pytest.approx(row.d_perp_err, rel=0.01)
            # the quasi-linear (pi/8) <1/k> M^2 with <1/k> of the spectrum, to its accuracy
            assert abs(row.d_lines - 0.34) < 4.0 * row.d_lines_err + 0.06
            assert row.isotropic / row.kappa_parallel == pytest.approx(
                row.epsilon + np.pi / 8 * 0.09 * row.epsilon**0.5
            )
            assert row.pull_isotropic == pytest.approx(
                (row.d_perp - row.isotropic) / row.d_perp_err
            )


def test_displacements_grow_and_are_those_of_the_coefficients(finished):
    directory, _ = finished
    msd = tables.read(directory / "msd.ecsv", MsdRow)
    row = next(r for r in tables.read(directory / "wander.ecsv", WanderRow) if r.mach == 0.3)
    mine = [one for one in msd if one[:7] == (*row.spectrum, row.rigidity, row.mach, row.epsilon)]
    times = [one.time for one in mine]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(row.duration, rel=0.01)
    first, last = mine[0], mine[-1]
    # at first along lines that lean, <b_x^2> = M^2/3 to first order in M^2
    early = 2.0 * (row.kappa_perp + row.mach**2 / 3.0 * row.kappa_parallel) * first.time
    assert abs(first.perp - early) < 4.0 * first.perp_err + 0.1 * early
    window, two = mine[-13], mine[-9]  # of four, with four records each
    growth = (two.perp - window.perp) / (2.0 * (two.time - window.time))
    assert growth == pytest.approx(row.d_perp, abs=1.5 * row.d_perp_err)  # twins take out more
    later = (last.perp - two.perp) / (2.0 * (last.time - two.time))
    assert later - growth == pytest.approx(row.drift, abs=1.5 * row.drift_err)
    assert 0.0 < row.drift_err < row.d_perp


def test_the_cost_is_estimated_to_a_factor_of_two(tmp_path, monkeypatch):
    counted = []
    wander = pseudo_particles.wander

    def counting(medium, *rest):
        found = wander(medium, *rest)
        counted.append(0 if "Uniform" in type(medium.field).__name__ else 4 * found)
        return found

    monkeypatch.setattr(pseudo_particles, "wander", counting)
    changes = {"scan.mach": [0.05, 0.3, 1.0], "transport.epsilon": [1e-2]}
    path = written(tmp_path / "s.toml", SMALL | changes | {"monte_carlo.realisations": 2})
    outcome = invoke("wander", path, "-o", tmp_path / "out", "-j", 1)
    assert outcome.exit_code == 0, outcome.output
    assert 0.5 < sum(counted) / evaluations(configurations.load(path)) < 2.0


def test_every_column_is_described(finished):
    text = (finished[0] / "wander.ecsv").read_text()
    assert "name: mean_free_path, unit: pc, datatype: float64, description: 'along" in text
    kinds = (tables.WanderRow, MsdRow, HalvingRow, ExponentRow, SourceRow)
    for kind in (*kinds, tables.SkyRow, tables.HallRow, tables.PowerRow, tables.DurationRow):
        made = tables.table([], kind, {})
        assert [name for name in made.colnames if not made[name].description] == []


def test_half_the_step_changes_nothing_that_is_seen(finished):
    halving = tables.read(finished[0] / "halving.ecsv", HalvingRow)
    # the strongest field of each epsilon, and every field of the largest; two quantities each
    assert len(halving) == 2 * (3 + 1)
    assert max(abs(row.pull) for row in halving) < 5.0
    for row in halving:
        assert row.half - row.whole == pytest.approx(row.difference)


def test_powers_are_told_with_their_errors(finished):
    powers = tables.read(finished[0] / "exponents.ecsv", ExponentRow)
    late = [row for row in powers if row.against == "time" and row.regime == "late"]
    assert late
    for row in late:
        if row.mach == 0.3:
            assert abs(row.exponent - 1.0) < 4.0 * row.exponent_err + 0.1
    assert {row.against for row in powers} >= {"time", "epsilon"}


def test_field_lines_are_told_by_arc_length_and_by_height(finished):
    rows = tables.read(finished[0] / "wander.ecsv", WanderRow)
    weak, strong = (next(row for row in rows if row.mach == mach) for mach in (1e-3, 0.3))
    # a line that wanders is longer than it is high
    assert strong.d_lines_height > 1.005 * strong.d_lines
    assert weak.d_lines_height == pytest.approx(weak.d_lines, rel=1e-4)
    powers = tables.read(finished[0] / "exponents.ecsv", ExponentRow)
    (fit,) = (row for row in powers if row.quantity == LINES)
    rise = np.log(strong.d_lines_height / weak.d_lines_height)
    assert fit.exponent == pytest.approx(rise / np.log(300.0), abs=1e-6)
    errors = [row.d_lines_height_err / row.d_lines_height for row in (weak, strong)]
    assert fit.exponent_err == pytest.approx(np.hypot(*errors) / np.log(300.0), rel=1e-5)


def test_figures_are_drawn(finished):
    figures = sorted((finished[0] / "figures").iterdir())
    assert [path.name for path in figures] == ["excess.png", "lines.png", "msd.png", "ratio.png"]
    for path in figures:
        picture = imread(path)[..., :3]
        assert min(picture.shape[:2]) > 400
        assert picture.std() > 0.05


def data_of(directory):
    """Contents of the tables, and the summary: all that a seed determines."""
    names = ("wander.ecsv", "msd.ecsv", "halving.ecsv", "exponents.ecsv", "summary.txt")
    return {
        name: [
            line for line in (directory / name).read_text().splitlines() if not line.startswith("#")
        ]
        for name in names
    }


def test_one_thread_gives_the_same_bits_and_so_does_the_written_configuration(finished, tmp_path):
    directory, _ = finished
    again = tmp_path / "again"
    outcome = invoke("wander", directory / "config.toml", "-o", again, "-j", 1)
    assert outcome.exit_code == 0, outcome.output
    assert data_of(again) == data_of(directory)


def test_options_change_the_configuration_and_cases_keep_their_numbers(finished, tmp_path):
    directory, _ = finished
    path = written(
        tmp_path / "s.toml", SMALL | {"transport.epsilon": [1e-2], "monte_carlo.halving": "off"}
    )
    outcome = invoke("wander", path, "-o", tmp_path / "a", "--mach", "0.3", "-j", 2)
    assert outcome.exit_code == 0, outcome.output
    one = tables.read(tmp_path / "a" / "wander.ecsv", WanderRow)[0]
    rows = tables.read(directory / "wander.ecsv", WanderRow)
    same = next(row for row in rows if (row.mach, row.epsilon) == (0.3, 1e-2))
    assert (one.mach, one.epsilon, one.rigidity) == (0.3, 1e-2, same.rigidity)
    assert one._replace(walk=same.walk) == same
    outcome = invoke(
        "wander", path, "-o", tmp_path / "b", "--mach", "0.3", "--seed", 6, "--realisations", "2"
    )
    assert outcome.exit_code == 0, outcome.output
    other = tables.read(tmp_path / "b" / "wander.ecsv", WanderRow)[0]
    assert (other.realisations, one.realisations) == (2, 6)
    assert other.d_perp != one.d_perp
    document = tomllib.loads((tmp_path / "b" / "config.toml").read_text())
    assert document["monte_carlo"]["seed"] == 6
    assert document["scan"]["mach"] == [0.3]


@pytest.mark.parametrize("command", ["status", "resume", "replay"])
def test_commands_of_other_runs_say_that_they_are(finished, command):
    more = ["--batch", "0", "--history", "0"] if command == "replay" else []
    outcome = invoke(command, finished[0], *more)
    assert outcome.exit_code == 3
    assert outcome.stderr.count("\n") == 1
    assert outcome.stderr.endswith("status, resume and replay are for mcprop run.\n")


def test_a_run_is_replaced_only_when_asked(finished, tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    shutil.copytree(finished[0], copy)
    path = written(tmp_path / "s.toml", SMALL)
    before = data_of(copy)
    outcome = invoke("wander", path, "-o", copy)
    assert outcome.exit_code == 3
    assert outcome.stderr == f"{copy}: holds a run already; --overwrite replaces it.\n"
    assert data_of(copy) == before

    # a run that fails on the way leaves the earlier one
    def breaks(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(scan, "walk_in", breaks)
    outcome = invoke("wander", path, "-o", copy, "--overwrite")
    assert outcome.exit_code == 130
    assert outcome.stderr == "Interrupted; nothing was written.\n"
    assert data_of(copy) == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["copy", "s.toml"]


def test_overwriting_takes_the_place_of_a_run_but_not_of_other_files(finished, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished[0], copy)
    (copy / "figures" / "old.png").touch()
    path = written(tmp_path / "s.toml", SMALL | {"scan.mach": [0.3], "transport.epsilon": [1e-2]})
    outcome = invoke("wander", path, "-o", copy, "--overwrite")
    assert outcome.exit_code == 0, outcome.output
    assert not (copy / "figures" / "old.png").exists()
    assert {row.mach for row in tables.read(copy / "wander.ecsv", WanderRow)} == {0.3}
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").touch()
    outcome = invoke("wander", path, "-o", mine, "--overwrite")
    assert outcome.exit_code == 3
    assert [one.name for one in mine.iterdir()] == ["thesis.tex"]


def test_nothing_half_written_is_left_where_the_disk_refuses(finished, tmp_path, monkeypatch):
    from mcprop.wander_study import figures

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    path = written(tmp_path / "s.toml", SMALL | {"scan.mach": [0.3], "transport.epsilon": [1e-2]})
    monkeypatch.setattr(figures, "save", full)
    outcome = invoke("wander", path, "-o", tmp_path / "out")
    assert outcome.exit_code == 3
    assert "No space left on device" in outcome.stderr
    # what came out is on the screen all the same, and can be had again
    assert "what wandering adds" in outcome.stdout
    assert outcome.stdout.splitlines()[-1] == "Seed: 5"
    assert [one.name for one in tmp_path.iterdir()] == ["s.toml"]

"""`mcprop wander`: studies of fields that wander, end to end."""

import json
import re
import shutil
import tomllib

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.image import imread

from mcprop import cli
from mcprop.analytic import kinetic_tensor
from mcprop.sky import SkyMap
from mcprop.units import C_LIGHT
from mcprop.wander import config as configurations
from mcprop.wander import scan, tables
from mcprop.wander.tables import (
    ExponentRow,
    HalvingRow,
    MsdRow,
    PowerRow,
    SkyRow,
    SourceRow,
    WanderRow,
)

SMALL = {
    "model": "wandering-scan",
    "title": "small",
    "field.waves": 24,
    "transport.epsilon": [1e-2, "kinetic"],
    "scan.mach": [1e-3, 0.3],
    "scan.rigidities": ["10 TV", "80 TV"],
    "lines.count": 16,
    "lines.length": "300 pc",
    "monte_carlo.realisations": 6,
    "monte_carlo.particles": 16,
    "monte_carlo.windows": 2.0,
    "monte_carlo.seed": 5,
}
SKY = {
    "model": "wandering-sky",
    "title": "small",
    "field.waves": 24,
    "sky.nside": 4,
    "sky.duration": "10 yr",
    "monte_carlo.realisations": 2,
    "monte_carlo.seed": 5,
}
BURST = {
    "model": "wandering-burst",
    "title": "small",
    "field.waves": 24,
    "transport.epsilon": [1e-2],
    "monte_carlo.realisations": 3,
    "monte_carlo.particles": 256,
    "monte_carlo.parallel_step": "80 pc",
    "monte_carlo.seed": 5,
}


def written(path, values):
    """A configuration file of dotted keys."""
    document = {}
    for key, value in values.items():
        *home, name = key.split(".")
        (document.setdefault(home[0], {}) if home else document)[name] = value
    lines = [f"{key} = {json.dumps(v)}" for key, v in document.items() if not isinstance(v, dict)]
    for section, keys in document.items():
        if isinstance(keys, dict):
            lines.append(f"[{section}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


def invoke(*arguments):
    return CliRunner().invoke(cli.main, [str(item) for item in arguments])


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
    assert lines[0].startswith("1/6  isotropic 1.67 20-100 pc  M_A 0.001  epsilon 0.01  D_perp/")
    assert lines[5].endswith(" 0 s left")
    assert lines[-2:] == ["Seed: 5", f"Output: {directory}"]
    assert (directory / "summary.txt").read_text() in outcome.stdout
    told = json.loads((directory / "provenance.json").read_text())
    assert told["seed"] == 5


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
    growth = (last.perp - mine[-5].perp) / (2.0 * (last.time - mine[-5].time))
    assert growth == pytest.approx(row.d_perp, rel=0.1)  # the last window but one, and the last


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


def test_a_burst_is_seen_through_each_realisation(tmp_path):
    path = written(tmp_path / "b.toml", BURST)
    outcome = invoke("wander", path, "-o", tmp_path / "out", "-j", 2)
    assert outcome.exit_code == 0, outcome.output
    rows = tables.read(tmp_path / "out" / "source.ecsv", SourceRow)
    assert [row.realisation for row in rows] == [0, 1, 2]
    for row in rows:
        assert row.density > 0.0
        assert 0.0 <= row.local_lean < 30.0
        # kappa_perp alone is 1e-2; what wandering adds is less than a fifth of it
        assert row.growth_perp == pytest.approx(1e-2, rel=0.3)
    assert "is not M_A^4 = 0.0001" in outcome.stdout
    assert imread(tmp_path / "out" / "figures" / "burst.png")[..., :3].std() > 0.05
    assert len(list((tmp_path / "out" / "figures").iterdir())) == 1


def test_a_sky_is_seen_through_each_realisation(tmp_path):
    path = written(tmp_path / "k.toml", SKY)
    outcome = invoke("wander", path, "-o", tmp_path / "out", "-j", 2)
    assert outcome.exit_code == 0, outcome.output
    rows = tables.read(tmp_path / "out" / "sky.ecsv", SkyRow)
    power = tables.read(tmp_path / "out" / "power.ecsv", PowerRow)
    assert [row.realisation for row in rows] == [0, 1]
    assert [row.multipole for row in power] == list(range(1, 9))
    assert power[0].relative == 1.0
    # without waves the dipole is that of an orbit round the mean field
    path = written(tmp_path / "u.toml", SKY | {"field.mach": 1e-3, "sky.gradient_across": "0 pc-1"})
    assert invoke("wander", path, "-o", tmp_path / "none", "-j", 2).exit_code == 0
    for row in tables.read(tmp_path / "none" / "sky.ecsv", SkyRow):
        # v T g along the field: 10 light years at 1e-4 per pc
        length = np.linalg.norm([row.dipole_x, row.dipole_y, row.dipole_z])
        assert length == pytest.approx(10 * C_LIGHT * 1e-4, rel=0.01)
        assert row.angle_to_mean < 3.0
        assert row.power < 0.01
    figures = sorted((tmp_path / "out" / "figures").iterdir())
    assert {"power.png", "residual.png", "sky.png"} <= {one.name for one in figures}
    assert all(imread(one)[..., :3].std() > 0.05 for one in figures)
    assert SkyMap.read(tmp_path / "out" / "sky" / "first.fits").nside == 4


# what is changed, and what the line must say
MALFORMED = {
    "misspelt key": ({"scan.mack": [0.1]}, "scan.mack: unknown key", "did you mean mach?"),
    "key of another section": ({"scan.waves": 3}, "scan.waves", "did you mean field.waves?"),
    "empty list": ({"scan.mach": []}, "scan.mach: got an empty list", "a list of 1 to 50"),
    "negative": ({"scan.mach": [-0.1]}, "scan.mach[0]: got -0.1", "at least 0.001"),
    "no list": ({"scan.mach": 0.1}, "scan.mach: got 0.1", "a list"),
    "twice": ({"scan.mach": [0.1, 0.1]}, "scan.mach[1]: got 0.1 twice", "once"),
    "no unit": ({"field.longest": [100]}, "field.longest[0]: got 100 without a unit", "length"),
    "wrong unit": ({"scan.rigidities": ["1 TeV"]}, "scan.rigidities[0]", "in volts"),
    "scales in disorder": (
        {"field.shortest": ["200 pc"]}, "field.shortest: got 200 pc", "less than field.longest",
    ),
    "unknown geometry": (
        {"field.geometry": ["isotropc"]}, "field.geometry[0]", "did you mean isotropic?",
    ),
    "unknown epsilon": (
        {"transport.epsilon": ["kinetik"]}, "transport.epsilon[0]", "did you mean kinetic?",
    ),
    "epsilon above one": ({"transport.epsilon": [2]}, "transport.epsilon[0]: got 2", "at most 1"),
    "kinetic without a fall": (
        {"transport.epsilon": ["kinetic"], "transport.slope": 1.0}, "transport.slope: got 1",
        "less than 1",
    ),
    "one realisation": ({"monte_carlo.realisations": 1}, "monte_carlo.realisations", "from 2"),
    "text for a section": ({"scan": "all"}, "scan: got", "a table"),
    "switch": ({"monte_carlo.halving": "yes"}, "monte_carlo.halving", '"off" or "on"'),
    "other study": ({"model": "wandering"}, "model: got", 'or "wandering-burst"'),
    "no model": ({"model": None}, "model: missing", "wandering-scan"),
    "too much": (
        {"scan.mach": [i / 100 for i in range(1, 51)],
         "field.slope": [1 + i / 50 for i in range(1, 51)],
         "transport.epsilon": [i / 100 for i in range(1, 51)]},
        "scan: got", "at most 20000",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", MALFORMED)
def test_what_cannot_be_run_is_one_line_and_leaves_nothing(what, tmp_path):
    changes, starts, says = MALFORMED[what]
    values = {k: v for k, v in (SMALL | changes).items() if v is not None}
    if "scan" in changes:
        values = {k: v for k, v in values.items() if not k.startswith("scan.")}
    path = written(tmp_path / "bad.toml", values)
    outcome = invoke("wander", path, "-o", tmp_path / "out")
    assert outcome.exit_code == 2
    lines = outcome.stderr.splitlines()
    assert len(lines) == 1
    assert starts in lines[0]
    assert says in lines[0]
    assert [one.name for one in tmp_path.iterdir()] == ["bad.toml"]


def test_all_problems_are_told_at_once(tmp_path):
    changes = {"scan.mach": [-1, 0.1, "x"], "field.waves": 1.5, "lines.length": "1 s"}
    outcome = invoke("check", written(tmp_path / "bad.toml", SMALL | changes))
    assert outcome.exit_code == 2
    keys = [line.split(":")[0] for line in outcome.stderr.splitlines()]
    assert keys == ["field.waves", "scan.mach[0]", "scan.mach[2]", "lines.length"]


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--mach", "0.1;0.2", "numbers with commas"),
        ("--mach", "0.1,0", "scan.mach[1]"),
        ("--realisations", "1", "monte_carlo.realisations"),
        ("--realisations", "many", "not a whole number"),
        ("--seed", "-1", "monte_carlo.seed"),
        ("-j", "0", "0 workers"),
    ],
)
def test_options_that_make_no_sense_are_refused(option, value, says, tmp_path):
    path = written(tmp_path / "s.toml", SMALL)
    outcome = invoke("wander", path, "-o", tmp_path / "out", option, value)
    assert outcome.exit_code == 2
    assert says in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_a_burst_has_one_mach_number(tmp_path):
    path = written(tmp_path / "b.toml", BURST)
    outcome = invoke("wander", path, "-o", tmp_path / "out", "--mach", "0.1,0.2")
    assert outcome.exit_code == 2
    assert "got 2 numbers; allowed: one" in outcome.stderr


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
    from mcprop.wander import figures

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    path = written(tmp_path / "s.toml", SMALL | {"scan.mach": [0.3], "transport.epsilon": [1e-2]})
    monkeypatch.setattr(figures, "save", full)
    outcome = invoke("wander", path, "-o", tmp_path / "out")
    assert outcome.exit_code == 3
    assert "No space left on device" in outcome.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["s.toml"]


@pytest.mark.parametrize("name", configurations.names())
def test_built_in_scenarios_can_be_listed_copied_and_checked(name, tmp_path):
    listed = invoke("scenarios").stdout.splitlines()
    title = configurations.load(name).title
    assert any(re.fullmatch(rf"{name} +{re.escape(title)}", line) for line in listed)
    assert invoke("init", name).stdout == configurations.text(name)
    path = tmp_path / "mine.toml"
    outcome = invoke("init", name, "-o", path)
    assert outcome.stdout == f"Wrote {path}; run it with: mcprop wander {path} -o DIR\n"
    outcome = invoke("check", path)
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith(f"{path}: fine. {title}\n")
    # every key is commented, and the resolved configuration says the same
    config = configurations.load(path)
    assert configurations.parse(config.to_toml()).to_toml() == config.to_toml()
    for line in configurations.text(name).splitlines():
        if line and line[0] not in "#[" and not line.startswith(("title",)):
            assert "#" in line, line


@pytest.mark.parametrize("command", ["run", "analytic"])
def test_other_commands_send_wandering_scenarios_on(command, tmp_path):
    said = "is for mcprop wander, not for the other commands\n"
    for config in ("wander-isotropic", written(tmp_path / "s.toml", SMALL)):
        outcome = invoke(command, config, "-o", tmp_path / "out")
        assert outcome.exit_code == 2
        assert outcome.stderr == f"{config}: {said}"
    assert not (tmp_path / "out").exists()


def test_wander_sends_other_scenarios_on(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('model = "lrmf-sdp"\n')
    for config in ("xue-liu-2025", path):
        outcome = invoke("wander", config, "-o", tmp_path / "out")
        assert outcome.exit_code == 2
        assert outcome.stderr == f"{config}: is for mcprop run, not for mcprop wander\n"


def test_an_unknown_scenario_is_told_with_those_there_are(tmp_path):
    outcome = invoke("wander", "wander-isotropc", "-o", tmp_path / "out")
    assert outcome.exit_code == 2
    assert "did you mean wander-isotropic?" in outcome.stderr

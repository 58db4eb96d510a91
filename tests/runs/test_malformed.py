"""Malformed configurations: each problem is one line that names the key; never a traceback."""

import re

import numpy as np
import pytest
from astropy import units as u
from click.testing import CliRunner

from mcprop import cli, scenario
from mcprop.errors import ConfigError

BEST = "xue-liu-2025"

# (what is changed, the key that each line must name, what the lines must say)
MALFORMED = {
    # unknown keys, with the near miss
    "misspelt key": ({"cloud.dept": "1.6 pc"}, ["cloud.dept"], "did you mean depth?"),
    "key of another section": ({"cloud.r_perp": "1 pc"}, ["cloud.r_perp"], "nearby.r_perp?"),
    "misspelt section": ({"clod": {"depth": "1 pc"}}, ["clod"], "did you mean cloud?"),
    "unlike any key": ({"field.zzzzzzz": 1}, ["field.zzzzzzz"], "ra, dec, strength"),
    "key in capitals": ({"cloud.DEPTH": "1.6 pc"}, ["cloud.DEPTH"], "did you mean depth?"),
    "empty key": ({"": 1}, ['""'], "unknown"),
    "odd key": ({"cloud": {"a b\n": 1}}, ['cloud."a b\\n"'], "unknown key"),
    "key that is a value": ({"depth": "1 pc"}, ["depth"], "did you mean cloud.depth?"),
    # units
    "no unit, number": ({"cloud.depth": 1.6}, ["cloud.depth"], "without a unit"),
    "no unit, text": ({"cloud.depth": "1.6"}, ["cloud.depth"], "without a unit"),
    "unit alone": ({"cloud.depth": "pc"}, ["cloud.depth"], "such as"),
    "unknown unit": ({"cloud.depth": "1.6 parsek"}, ["cloud.depth"], "parsek"),
    "wrong dimension": ({"cloud.depth": "1.6 yr"}, ["cloud.depth"], "not the unit of a length"),
    "energy for rigidity": (
        {"cloud.critical_rigidity": "3 PeV"}, ["cloud.critical_rigidity"], "in volts",
    ),
    "rigidity for energy": ({"energies.minimum": "100 GV"}, ["energies.minimum"], "electronvolts"),
    "area for diffusion": ({"diffusion.d0": "2.15e28 cm2"}, ["diffusion.d0"], "cm2/s"),
    "unit to a huge power": ({"cloud.depth": "1 pc9999999"}, ["cloud.depth"], "unit"),
    "logarithmic unit": ({"cloud.depth": "1 mag"}, ["cloud.depth"], "length"),
    "brackets in a unit": ({"cloud.depth": "1 pc((("}, ["cloud.depth"], "unit"),
    "double slash": ({"velocity.solar_u": "1 km//s"}, ["velocity.solar_u"], "unit"),
    "number with a unit where none belongs": (
        {"diffusion.slope": "0.3 GV"}, ["diffusion.slope"], "without quotes",
    ),
    # numbers
    "decimal comma": ({"cloud.depth": "1,6 pc"}, ["cloud.depth"], "such as"),
    "two numbers": ({"cloud.depth": "1.6 2 pc"}, ["cloud.depth"], "unit"),
    "unit with a factor": ({"cloud.depth": "1.6 pc*2"}, ["cloud.depth"], "unit"),
    "factor in a unit": ({"cloud.depth": "1.6 pc 2"}, ["cloud.depth"], "unit"),
    "underscore": ({"cloud.depth": "1_000 pc"}, ["cloud.depth"], "such as"),
    "exotic digits": ({"cloud.depth": "\u0661 pc"}, ["cloud.depth"], "such as"),
    "empty text": ({"cloud.depth": ""}, ["cloud.depth"], "such as"),
    "endless text": ({"cloud.depth": "1" * 5000 + " pc"}, ["cloud.depth"], "such as"),
    "overflow": ({"cloud.depth": "1e999 pc"}, ["cloud.depth"], "not finite"),
    "nan text": ({"cloud.depth": "nan pc"}, ["cloud.depth"], "such as"),
    "nan": ({"diffusion.slope": float("nan")}, ["diffusion.slope"], "not finite"),
    "infinity": ({"diffusion.slope": float("inf")}, ["diffusion.slope"], "not finite"),
    "nan for a unit": ({"cloud.depth": float("nan")}, ["cloud.depth"], "without a unit"),
    "huge whole number": ({"diffusion.slope": 10**400}, ["diffusion.slope"], "bits"),
    "huge count": ({"stop.histories": 10**4000}, ["stop.histories"], "bits"),
    # types
    "true for a number": ({"diffusion.slope": True}, ["diffusion.slope"], "got true"),
    "true for a count": ({"monte_carlo.leg_steps": True}, ["monte_carlo.leg_steps"], "got true"),
    "true for an amount": ({"cloud.depth": True}, ["cloud.depth"], "got true"),
    "float for a count": (
        {"stop.histories": 1e5}, ["stop.histories"], "without a point",
    ),
    "text for a count": ({"monte_carlo.nside": "16"}, ["monte_carlo.nside"], "quotes"),
    "text for a section": ({"cloud": "steady"}, ["cloud"], "a table"),
    "list for a section": ({"cloud": [1, 2]}, ["cloud"], "a table"),
    "table for an amount": ({"cloud.depth": {"pc": 1}}, ["cloud.depth"], "got a table"),
    "list for an amount": ({"cloud.depth": ["1 pc"]}, ["cloud.depth"], "got a list of 1"),
    "amount for a table": ({"nearby.source": "1 GV-1"}, ["nearby.source"], "a table"),
    "text for a list": ({"species.names": "p"}, ["species.names"], "a list"),
    "number for text": ({"title": 3}, ["title"], "text"),
    "title on two lines": ({"title": "a\nb"}, ["title"], "printable"),
    "title too long": ({"title": "a" * 201}, ["title"], "200"),
    # choices
    "misspelt mode": ({"cloud.mode": "stedy"}, ["cloud.mode"], "did you mean steady?"),
    "misspelt transport": (
        {"cloud.transport": "wanderin"}, ["cloud.transport"], "did you mean wandering?",
    ),
    "mode in capitals": ({"cloud.mode": "STEADY"}, ["cloud.mode"], "did you mean steady?"),
    "unknown estimator": ({"monte_carlo.estimator": "magic"}, ["monte_carlo.estimator"], '"walk"'),
    "unknown model": ({"model": "xue-liu-2024"}, ["model"], "did you mean xue-liu-2025?"),
    "no model": ({"model": None}, ["model"], "missing"),
    "unknown word for a coefficient": (
        {"compton_getting.coefficient": "spectra"}, ["compton_getting.coefficient"], "spectrum?",
    ),
    # impossible physics
    "negative age": ({"nearby.age": "-1 yr"}, ["nearby.age"], "at least 1 yr"),
    "age of zero": ({"centre.age": "0 Myr"}, ["centre.age"], "at least 1 yr"),
    "older than the universe": ({"centre.age": "20 Gyr"}, ["centre.age"], "14 Gyr"),
    "outside of the cloud": ({"cloud.depth": "0 pc"}, ["cloud.depth"], "at least 1e-4 pc"),
    "negative depth": ({"cloud.depth": "-1.6 pc"}, ["cloud.depth"], "at least 1e-4 pc"),
    "parallel factor of zero": (
        {"diffusion.parallel_factor": 0}, ["diffusion.parallel_factor"], "at least 0.001",
    ),
    "Mach number zero": ({"diffusion.mach_alfven": 0.0}, ["diffusion.mach_alfven"], "least 0.01"),
    "Mach number above one": ({"diffusion.mach_alfven": 1.01}, ["diffusion.mach_alfven"], "most 1"),
    "no diffusion": ({"diffusion.d0": "0 cm2/s"}, ["diffusion.d0"], "at least 1e20 cm2/s"),
    "no field": ({"field.strength": "0 uG"}, ["field.strength"], "at least 1e-3 uG"),
    "beyond the pole": ({"field.dec": "-90.1 deg"}, ["field.dec"], "-90 deg"),
    "cloud beyond the pole": ({"velocity.cloud_dec": "91 deg"}, ["velocity.cloud_dec"], "90 deg"),
    "negative speed": ({"velocity.cloud_speed": "-1 km/s"}, ["velocity.cloud_speed"], "0 km/s"),
    "faster than light": ({"velocity.solar_v": "1e6 km/s"}, ["velocity.solar_v"], "30000 km/s"),
    "negative distance": ({"nearby.r_parallel": "-1 pc"}, ["nearby.r_parallel"], "at least 0 pc"),
    "dipole above one": ({"background.dipole": 1.5}, ["background.dipole"], "less than 1"),
    "negative emission": (
        {"nearby.source": {"p": "-1 GV-1", "He": "1 GV-1"}}, ["nearby.source.p"], "least 1 GV-1",
    ),
    "negative modulation": ({"background.modulation": "-1 GV"}, ["background.modulation"], "0 GV"),
    "field of a magnetar": ({"field.strength": "1e15 G"}, ["field.strength"], "most 1 G"),
    "burst at the observer": (
        {"nearby.r_parallel": "0 pc", "nearby.r_perp": "0 pc"}, ["nearby.r_parallel"],
        "a burst at the observer; allowed: a distance of 1 pc at least",
    ),
    "centre at the observer": ({"centre.distance": "0 pc"}, ["centre.distance"], "least 1 pc"),
    "centre in another galaxy": ({"centre.distance": "1 Mpc"}, ["centre.distance"], "100 kpc"),
    "cloud as large as the disc": ({"cloud.depth": "2 kpc"}, ["cloud.depth"], "most 1 kpc"),
    "no emission": ({"nearby.source.p": "0 GV-1"}, ["nearby.source.p"], "least 1 GV-1"),
    "cut-off below any energy": ({"nearby.cutoff": "1 kV"}, ["nearby.cutoff"], "least 1 MV"),
    "steps larger than the cloud": ({"monte_carlo.step": 11}, ["monte_carlo.step"], "at most 10"),
    "steps without end": ({"monte_carlo.step": 1e-9}, ["monte_carlo.step"], "at least 0.001"),
    "a last leg longer than the age": (
        {"monte_carlo.kernel_leg": 1.5}, ["monte_carlo.kernel_leg"], "at most 0.1",
    ),
    "differences below rounding": (
        {"monte_carlo.gradient_step": 1e-12}, ["monte_carlo.gradient_step"], "least 0.0001",
    ),
    # energies and nuclei
    "energy below the rest mass": (
        {"energies": {"values": ["1 TeV", "3 GeV"]}}, ["energies.values[1]"], "rest energy of He",
    ),
    "grid below the rest mass": ({"energies.minimum": "1 GeV"}, ["energies.minimum"], "of He"),
    "negative energy": ({"energies.minimum": "-1 GeV"}, ["energies.minimum"], "than 0 GeV"),
    "grid upside down": ({"energies.minimum": "1 EeV"}, ["energies.minimum"], "energies.maximum"),
    "no energies": ({"energies": {"values": []}}, ["energies.values"], "an empty list"),
    "one energy, and not a good one": (
        {"energies": {"values": ["-1 GeV"]}}, ["energies.values[0]"], "than 0 GeV",
    ),
    "two grids": ({"energies.values": ["1 TeV"]}, ["energies.values"], "either values"),
    "energy given twice": (
        {"energies": {"values": ["1 TeV", "1000 GeV"]}}, ["energies.values[1]"], "twice",
    ),
    "energies without unit": (
        {"energies": {"values": [1000.0, "1 TeV"]}}, ["energies.values[0]"], "without a unit",
    ),
    "too many energies": (
        {"energies": {"values": [f"{i} TeV" for i in range(1, 502)]}}, ["energies.values"],
        "1 to 500",
    ),
    "too fine a grid": ({"energies.per_decade": 101}, ["energies.per_decade"], "1 to 100"),
    "grid without end": (
        {"energies.per_decade": 100, "energies.minimum": "4 GeV", "energies.maximum": "1 EeV"},
        ["energies.per_decade"], "at most 500",
    ),
    "no nuclei": ({"species.names": []}, ["species.names"], "an empty list"),
    "unknown nucleus": ({"species.names": ["p", "he"]}, ["species.names[1]"], "did you mean He?"),
    "nucleus given twice": ({"species.names": ["p", "p"]}, ["species.names[1]"], "twice"),
    "nucleus without an index": ({"spectrum.index": {"p": 2.6}}, ["spectrum.index"], "He too"),
    "nucleus without a source": (
        {"centre.source": {"He": "1 GV-1"}}, ["centre.source"], "p too",
    ),
    "no sources": (
        {"nearby.source": {}}, ["nearby.source", "nearby.source"], "got nothing",
    ),
    "index of an unknown nucleus": (
        {"spectrum.index": {"p": 2, "He": 2, "Xx": 2}}, ["spectrum.index.Xx"], '"p" or "He"',
    ),
    # Monte Carlo
    "nside not a power of two": ({"monte_carlo.nside": 12}, ["monte_carlo.nside"], "power of two"),
    "nside of zero": ({"monte_carlo.nside": 0}, ["monte_carlo.nside"], "power of two"),
    "too long a last step": ({"monte_carlo.kernel_leg": 0.2}, ["monte_carlo.kernel_leg"], "0.1"),
    "no last step": ({"monte_carlo.kernel_leg": 0.0}, ["monte_carlo.kernel_leg"], "least 0.001"),
    "ragged batch": ({"monte_carlo.batch": 1000}, ["monte_carlo.batch"], "multiple of 64"),
    "batches without end": (
        {"monte_carlo.batch": 64, "stop.histories": 10**12},
        ["monte_carlo.batch"], "at least",
    ),
    "maps that fill the memory": ({"monte_carlo.nside": 512}, ["monte_carlo.nside"], "to 256"),
    "no time": ({"stop.seconds": 0}, ["stop.seconds"], "from 1 s to 1e9 s"),
    "negative time": ({"stop.seconds": "-1 h"}, ["stop.seconds"], "from 1 s to 1e9 s"),
    "time in metres": ({"stop.seconds": "30 m"}, ["stop.seconds"], '"30 min"'),
    "time that is no time": ({"stop.seconds": "soon"}, ["stop.seconds"], '"30 min"'),
    "time without unit in a text": ({"stop.seconds": "30"}, ["stop.seconds"], '"30 min"'),
    "true for a time": ({"stop.seconds": True}, ["stop.seconds"], "got true"),
    "time that is nan": ({"stop.seconds": float("nan")}, ["stop.seconds"], "got nan"),
    "endless time": ({"stop.seconds": float("inf")}, ["stop.seconds"], "got inf"),
    "huge time": ({"stop.seconds": 10**5000}, ["stop.seconds"], "a whole number of"),
    "error above one": ({"stop.rel_err": 1.0}, ["stop.rel_err"], "less than 1"),
    "misspelt halving": ({"monte_carlo.halving": "yes"}, ["monte_carlo.halving"], '"off" or "on"'),
    "true for halving": ({"monte_carlo.halving": True}, ["monte_carlo.halving"], '"off" or "on"'),
    "moved key": ({"monte_carlo.histories": 64}, ["monte_carlo.histories"], "stop.histories?"),
    "no histories": ({"stop.histories": 0}, ["stop.histories"], "from 64"),
    "negative seed": ({"monte_carlo.seed": -1}, ["monte_carlo.seed"], "from 0"),
    "error of zero": ({"stop.rel_err": 0.0}, ["stop.rel_err"], "greater than 0"),
    # quantities, and numpy's numbers
    "array for an amount": ({"cloud.depth": [1, 2] * u.pc}, ["cloud.depth"], "got a list of 2"),
    "matrix for a list": (
        {"energies": {"values": [[1, 2]] * u.TeV}}, ["energies.values[0]"], "got a list of 2",
    ),
    "empty array": ({"energies": {"values": [] * u.TeV}}, ["energies.values"], "an empty list"),
    "list in a list": (
        {"energies": {"values": [[1 * u.TeV]]}}, ["energies.values[0]"], "got a list of 1",
    ),
    "age in a list of energies": (
        {"energies": {"values": [1 * u.TeV, 1 * u.yr]}}, ["energies.values[1]"], "of an energy",
    ),
    "array without a unit": (
        {"energies": {"values": np.array([1e3, 1e4])}},
        ["energies.values[0]", "energies.values[1]"], "got 1000.0 without a unit",
    ),
    "Quantity of another kind": ({"cloud.depth": 1 * u.yr}, ["cloud.depth"], "unit of a length"),
    "Quantity without a unit": ({"cloud.depth": 1 * u.one}, ["cloud.depth"], "without a unit"),
    "Quantity that is nan": ({"cloud.depth": np.nan * u.pc}, ["cloud.depth"], "nan pc"),
    "complex Quantity": ({"cloud.depth": 1j * u.pc}, ["cloud.depth"], "such as"),
    "Quantity for a number": ({"diffusion.slope": 1 * u.pc}, ["diffusion.slope"], "without quotes"),
    "Quantity for a section": ({"cloud": 1 * u.pc}, ["cloud"], "a table"),
    "unit for an amount": ({"cloud.depth": u.pc}, ["cloud.depth"], "got pc"),
    "two slashes": ({"velocity.solar_u": "1 km/s/s"}, ["velocity.solar_u"], "known unit"),
    "true of numpy for a count": (
        {"stop.histories": np.True_}, ["stop.histories"], "got true",
    ),
    "float of numpy for a count": (
        {"stop.histories": np.float64(1e5)}, ["stop.histories"], "without a point",
    ),
    "array for a count": (
        {"stop.histories": np.array([64])}, ["stop.histories"], "got a list of 1",
    ),
    # keys
    "key in a text": ({"title.x": 1}, ["title.x"], "title is "),
    "key in an amount": ({"cloud.depth.x.y": 1}, ["cloud.depth.x"], 'cloud.depth is "1.6 pc"'),
    "key in a list": ({"species.names.p": 1}, ["species.names.p"], "a list of 2"),
    "key that is a number": ({1: 1}, ["1"], "unknown key"),
    "key that is nothing": ({None: 1}, ["None"], "unknown key"),
    "number as a key in a section": ({"cloud": {1: 2}}, ["cloud.1"], "unknown key"),
    "keys without end": ({"a." * 5000: 1}, ["a"], "unknown key"),
    "empty parts of a key": ({"cloud..x": 1}, ['cloud.""'], "unknown key"),
    "deep key of an unknown nucleus": (
        {"nearby.source.Xx": "1 GV-1"}, ["nearby.source.Xx"], '"p" or "He"',
    ),
    # several at once
    "three problems": (
        {"cloud.depth": "1", "field.dec": "95 deg", "monte_carlo.nsid": 3},
        ["field.dec", "cloud.depth", "monte_carlo.nsid"], "did you mean nside?",
    ),
}  # fmt: skip


def check_lines(error):
    """Every problem is one line of printable text."""
    assert error.problems
    assert str(error).split("\n") == error.problems
    for line in error.problems:
        assert line.isprintable()
        assert 0 < len(line) < 1000


def key_of(line):
    return re.match(r'((?:[^":]|"(?:[^"\\]|\\.)*")*): ', line)[1]


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_value_gives_one_line_that_names_the_key(name):
    changes, keys, said = MALFORMED[name]
    with pytest.raises(ConfigError) as caught:
        scenario.load(BEST).replace(changes)
    check_lines(caught.value)
    assert [key_of(line) for line in caught.value.problems] == keys
    assert said in str(caught.value)


@pytest.mark.parametrize("nothing", [None, 3, "cloud", [("cloud.depth", "1 pc")]])
def test_what_is_no_table_of_changes_or_sections_is_refused(nothing):
    for read in (scenario.Config.from_dict, scenario.load(BEST).replace):
        with pytest.raises(ConfigError, match=r"\A\w+: got [^\n]+; allowed: a table[^\n]*\Z"):
            read(nothing)


def test_a_list_that_holds_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(ConfigError, match=r"\Aenergies\.values\[0\]: got a list of 1; [^\n]+\Z"):
        scenario.load(BEST).replace({"energies": {"values": endless}})


def test_the_table_is_long_enough():
    assert len(MALFORMED) >= 40


# text of a file, what the one line must say
BROKEN = {
    "empty": ("", "model: missing"),
    "not TOML": ("this is no TOML", "not valid TOML"),
    "unclosed text": ('model = "xue-liu-2025', "not valid TOML"),
    "unclosed table": ("[cloud\n", "line 1"),
    "key twice": ('model = "a"\nmodel = "b"\n', "not valid TOML"),
    "section twice": ("[cloud]\n[cloud]\n", "not valid TOML"),
    "impossible date": ("title = 2024-02-31\n", "not valid TOML"),
    "endless number": ("title = " + "9" * 5000 + "\n", "not valid TOML"),
    "deep list": ("title = " + "[" * 20000 + "]" * 20000, "nested too deep"),
    "deep table": ("title = " + "{a = " * 20000 + "1" + "}" * 20000, "nested too deep"),
    "control characters": ("title = \x00\x1b[31m\n", "not valid TOML"),
    "not TOML, with a huge key": ("a" * 10000 + "\n", "not valid TOML"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gives_one_line(name, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(BROKEN[name][0], encoding="utf-8")
    check_cli(path, BROKEN[name][1])


def check_cli(path, said):
    """`mcprop check` ends with one line and exit code 2."""
    outcome = CliRunner().invoke(cli.main, ["check", str(path)])
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    (line,) = outcome.stderr.splitlines()
    assert said in line
    assert "Traceback" not in line
    assert line.isprintable()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_file_that_is_not_utf8_gives_one_line(encoding, tmp_path):
    path = tmp_path / "run.toml"
    path.write_bytes('title = "\xe9\xe8"\n'.encode(encoding))
    check_cli(path, "not UTF-8")


def test_binary_noise_gives_one_line(tmp_path):
    path = tmp_path / "run.toml"
    path.write_bytes(bytes(range(256)))
    check_cli(path, "not UTF-8")


def test_a_huge_file_gives_one_line(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("# long\n" * 200_000)
    check_cli(path, "larger than")


def test_a_missing_file_gives_one_line(tmp_path):
    check_cli(tmp_path / "nothing.toml", "neither a file nor a scenario")


def test_a_misspelt_scenario_is_recognised():
    check_cli("xue-liu-2052", "did you mean xue-liu-2025?")
    check_cli("xue-liu-2025-wanderings", "did you mean xue-liu-2025-wandering?")


def test_a_directory_gives_one_line(tmp_path):
    check_cli(tmp_path, "is a directory")
    (tmp_path / "config.toml").write_text(scenario.text(BEST))
    check_cli(tmp_path, "did you mean its config.toml?")


def test_a_device_gives_one_line():
    check_cli("/dev/zero", "not a regular file")


@pytest.mark.parametrize("name", ["", "\x00", "a" * 5000, "a/" * 3000, "x\ny"])
def test_an_impossible_file_name_gives_one_line(name):
    with pytest.raises(ConfigError) as caught:
        scenario.load(name)
    check_lines(caught.value)
    assert len(caught.value.problems) == 1


def test_deep_dotted_keys_give_one_line():
    with pytest.raises(ConfigError) as caught:
        scenario.parse('model = "xue-liu-2025"\n' + ".".join(["cloud"] * 5000) + " = 1\n")
    check_lines(caught.value)
    assert [key_of(line) for line in caught.value.problems] == ["cloud.cloud"]


def test_a_huge_hexadecimal_number_gives_one_line():
    text = f'model = "xue-liu-2025"\n[monte_carlo]\nbatch = 0x{"f" * 5000}\n'
    with pytest.raises(ConfigError) as caught:
        scenario.parse(text)
    check_lines(caught.value)
    assert [key_of(line) for line in caught.value.problems] == ["monte_carlo.batch"]


def test_nan_and_dates_in_a_file_give_one_line_each():
    text = 'model = "xue-liu-2025"\n[diffusion]\nslope = nan\nmach_alfven = 1979-05-27\nd0 = inf\n'
    with pytest.raises(ConfigError) as caught:
        scenario.parse(text)
    check_lines(caught.value)
    keys = {key_of(line) for line in caught.value.problems}
    assert keys == {"diffusion.slope", "diffusion.mach_alfven", "diffusion.d0"}


@pytest.mark.parametrize("command", ["check", "analytic", "run", "cite"])
def test_every_command_reports_all_problems_and_exits_with_2(command, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('model = "xue-liu-2025"\n[cloud]\ndepth = "1 yr"\nmod = 1\n[field]\ndec = 3\n')
    output = ["-o", str(tmp_path / "out")] if command in ("analytic", "run") else []
    outcome = CliRunner().invoke(cli.main, [command, str(path), *output])
    assert outcome.exit_code == 2
    keys = [key_of(line) for line in outcome.stderr.splitlines()]
    assert keys == ["field.dec", "cloud.depth", "cloud.mod"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (["--energies", "1e3,1"], "energies.values[1]"),
        (["--energies", "1e3,1000"], "energies.values[1]"),
        (["--energies", "-5"], "energies.values[0]"),
        (["--histories", "0"], "stop.histories"),
        (["--histories", "9" * 30], "stop.histories"),
        (["--rel-err", "0"], "stop.rel_err"),
        (["--rel-err", "nan"], "stop.rel_err"),
        (["--seed", "-1"], "monte_carlo.seed"),
        (["--seed", str(2**63)], "monte_carlo.seed"),
    ],
)
def test_options_out_of_range_name_the_key(options, key, tmp_path):
    outcome = CliRunner().invoke(cli.main, ["run", BEST, "-o", str(tmp_path), *options])
    assert outcome.exit_code == 2
    assert [line.split(": ")[0] for line in outcome.stderr.splitlines()] == [key]

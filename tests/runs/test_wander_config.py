"""Configurations of `mcprop wander`: what is refused, what is told, what goes elsewhere."""

import re

import numpy as np
import pytest
from wander_runs import BURST, SKY, SMALL, invoke, written

from mcprop import scenario
from mcprop.units import C_LIGHT, CM2_PER_S
from mcprop.wander_study import config as configurations
from mcprop.wander_study.measure import field_maker
from mcprop.wander_study.validity import diffusive_from, mean_free_path


def test_a_strong_range_has_the_mach_number_of_the_injection():
    changes = {"field.geometry": "strong-range", "field.mach": 0.5}  # of waves up to 10 pc
    config = configurations.load("wander-sky").replace(changes)
    field = field_maker(config, config.spectrum, config.field.mach)(7)
    assert np.sum(field.second.amplitude**2) / 2.0 == pytest.approx((0.25 * field.first.bz) ** 2)
    across = np.linalg.norm(field.second.k[:, :2], axis=1)
    assert 2.0 * np.pi / across.min() == pytest.approx(2.5, rel=0.05)


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
    "no strong range": (
        {"field.geometry": ["strong-range"]}, "field.shortest: got 20 pc", "than longest M_A^2",
    ),
    "too strong a range": (
        {"field.geometry": ["strong-range"], "scan.mach": [0.5, 1.5]}, "scan.mach: got 1.5",
        "at most 1",
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
    "kinetic below all numbers": (
        {"transport.critical_rigidity": "1000 PV", "scan.rigidities": ["1 TV"]},
        'transport.epsilon: got "kinetic", 1e-08 at 1000 GV', "at least 1e-07",
    ),
    "windows that forget nothing": (
        {"field.longest": ["100 pc", "1 kpc"]}, "monte_carlo.decorrelation: got 20 pc",
        "field.longest 1000 pc: at least 200 pc",
    ),
    "steps beyond the shortest wave": (
        {"field.shortest": ["20 pc", "5 pc"]}, "monte_carlo.parallel_step: got 10 pc",
        "field.shortest 5 pc: at most as long",
    ),
    "no end": (
        {"transport.epsilon": [1e-7], "monte_carlo.realisations": 100000,
         "monte_carlo.particles": 100000},
        "monte_carlo: got about ", "at most 1e+13 evaluations",
    ),
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


@pytest.mark.parametrize("option", [{"sky.duration": "1e7 yr", "sky.nside": 64}, {}])
def test_skies_and_bursts_that_would_never_end_are_refused(option, tmp_path):
    values = SKY | option if option else BURST | {"monte_carlo.particles": 1_000_000}
    path = written(tmp_path / "s.toml", values | {"monte_carlo.realisations": 100_000})
    for command in (("check", path), ("wander", path, "-o", tmp_path / "out")):
        outcome = invoke(*command)
        assert outcome.exit_code == 2
        assert re.fullmatch(
            r"monte_carlo: got about \S+ evaluations of the field, \d+ days; allowed: at most"
            r" 1e\+13 evaluations: fewer .*\n",
            outcome.stderr,
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("rigidity", "told"), [("1 TV", False), ("1 PV", True)])
def test_doubtful_diffusion_is_told_before_the_run(rigidity, told, tmp_path):
    path = written(tmp_path / "s.toml", SMALL | {"scan.rigidities": [rigidity]})
    outcome = invoke("check", path)
    assert outcome.exit_code == 0
    assert ("diffusion along a line is doubtful" in outcome.stdout) == told


def test_mean_free_path_and_the_time_before_which_diffusion_outruns_light():
    kappa = 6.45e29 * CM2_PER_S * 10.0  # 10 TV, of XL25
    # 3 kappa/c in centimetres, over a parsec of 3.0857e18 cm
    assert mean_free_path(kappa) == pytest.approx(3.0 * 6.45e30 / 2.99792458e10 / 3.0857e18, 1e-4)
    time = diffusive_from(kappa)
    assert (2.0 * kappa * time) ** 0.5 == pytest.approx(C_LIGHT * time)


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
    said = "is for mcprop wander, not for this command\n"
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


@pytest.mark.parametrize("command", ["init", "run", "analytic", "wander", "check", "cite"])
@pytest.mark.parametrize("meant", ["wander-isotropic", "lrmf-sdp-region"])
def test_an_unknown_scenario_is_told_with_those_there_are(command, meant, tmp_path):
    output = () if command in ("check", "cite") else ("-o", tmp_path / "out")
    outcome = invoke(command, meant.replace("o", ""), *output)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    for name in (*scenario.names(), *configurations.names()):
        assert f" {name}" in outcome.stderr
    assert outcome.stderr.endswith(f"; did you mean {meant}?\n")


def test_what_is_unknown_is_refused_with_what_every_command_knows(tmp_path):
    said = invoke("check", "wander-isotrop").stderr
    assert "lrmf-sdp, " in said
    assert said.endswith("did you mean wander-isotropic?\n")
    assert "did you mean wander-sky?" in invoke("cite", "wander-ski").stderr
    for model, found in (('model = "wandering-scam"', 'got "wandering-scam"'), ("", "missing")):
        path = tmp_path / "e.toml"
        path.write_text(model + "\n")
        outcome = invoke("check", path)
        assert outcome.exit_code == 2
        assert outcome.stderr.startswith(f'model: {found}; allowed: "xue-liu-2025" or ')
        assert '"wandering-sky"' in outcome.stderr


def test_a_word_in_place_of_a_list_is_refused_with_the_list(tmp_path):
    path = written(tmp_path / "e.toml", {"model": "wandering-scan", "field.geometry": "slab"})
    said = invoke("check", path).stderr
    assert said == 'field.geometry: got "slab"; allowed: a list of 1 to 50, such as ["slab"]\n'
    path = written(tmp_path / "e.toml", {"model": "wandering-scan", "scan.mach": "0.3"})
    said = invoke("check", path).stderr
    assert said == 'scan.mach: got "0.3"; allowed: a list of 1 to 50, such as [0.3]\n'

"""A second model plugs in: other components and sections, no boost, its own defaults and job."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from toy_model import (
    BATCH,
    DEFAULTS,
    DISC_HISTORIES,
    ENERGIES,
    HISTORIES,
    DiscJob,
    Toy,
    ToyAssembly,
    ToyConfig,
    ToyPlanner,
    ToyStudy,
)

from mcprop import cite, cli, models, plan, plot, scenario
from mcprop.assembly import Judge
from mcprop.comparison import FLOOR
from mcprop.errors import ConfigError, RangeError
from mcprop.result import Result
from mcprop.simulation import Simulation
from mcprop.species import SPECIES

TWO = {"xue-liu-2025": "mcprop.xue_liu_2025", "toy": "toy_model"}


@pytest.fixture(autouse=True)
def plugged(monkeypatch):
    monkeypatch.setattr(models, "STUDIES", TWO)


def toy():
    return scenario.parse('model = "toy"')


def run(**options):
    return Simulation(toy()).run(seed=7, **options)


# Configuration


def test_defaults_come_from_the_base_scenario_of_the_model_itself():
    config = scenario.parse('model = "toy"\n[geminga]\ndistance = "100 pc"\n')
    assert type(config) is ToyConfig
    assert config.title == "untitled"
    assert config.geminga.distance == 100.0
    assert config.medium.anisotropy == 0.1
    assert config.batches() == [(BATCH * i, BATCH) for i in range(4)]
    assert scenario.parse(config.to_toml()) == config
    assert config.replace({"geminga.distance": "250 pc"}) == toy()
    assert not hasattr(config, "cloud")


def test_the_class_of_a_configuration_follows_its_model():
    best = scenario.load("xue-liu-2025")
    assert type(best).from_dict({"model": "toy"}) == toy()
    assert ToyConfig.from_dict({"model": best.formulas}).cloud == best.cloud


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('model = "tay"', 'model: got "tay"; allowed: "xue-liu-2025" or "toy"; did you mean toy?'),
        ('model = 3\n[cloud]\ndepth = "1 pc"', 'model: got 3; allowed: "xue-liu-2025" or "toy"'),
        ("", 'model: missing; allowed: "xue-liu-2025" or "toy"'),
        (
            'model = "toy"\n[cloud]\ndepth = "1 pc"',
            "cloud: unknown key (got a table); allowed at the top: title, model, energies,"
            " species, medium, geminga, monte_carlo, stop",
        ),
        (
            'model = "toy"\n[monte_carlo]\nestimator = "walk"',
            'monte_carlo.estimator: unknown key (got "walk"); allowed in [monte_carlo]: batch,'
            " nside, seed, halving, gradient_step, kernel_leg, leg_steps",
        ),
        (
            'model = "toy"\n[geminga]\ndistance = "0 pc"',
            "geminga.distance: got 0 pc; allowed: a burst that is somewhere",
        ),
        (
            'model = "toy"\n[species]\nnames = ["p", "p"]',
            'species.names[1]: got "p" twice; allowed: each nucleus once',
        ),
    ],
)
def test_problems_are_those_of_the_model_in_one_line(text, line):
    with pytest.raises(ConfigError) as caught:
        scenario.parse(text)
    assert caught.value.problems == [line]


def test_a_key_without_a_default_must_be_given(monkeypatch):
    bare = DEFAULTS.replace('age = "3.4e5 yr"\n', "").replace("[medium]", "[extra]\n[medium]")
    monkeypatch.setattr(ToyStudy, "defaults", lambda _: bare)
    scenario._base.cache_clear()
    with pytest.raises(ConfigError) as caught:
        scenario.parse('model = "toy"')
    scenario._base.cache_clear()
    missing, unknown = caught.value.problems
    assert missing.startswith("geminga.age: missing; allowed: a time at least")
    assert unknown.startswith("extra: unknown key")


def test_each_model_that_is_known_stands_where_it_is_looked_for(monkeypatch):
    monkeypatch.undo()
    assert models.known()[0] == "xue-liu-2025"
    for key in models.known():
        study = models.study(key)
        assert study.key == key
        assert scenario.parse(study.defaults()).formulas == key
        assert issubclass(study.configuration(), scenario.Config)


# A run


@pytest.fixture(scope="module")
def result():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "STUDIES", TWO)
        return run()


def test_components_are_those_of_the_model(result):
    order = ["background", "geminga", "total"]
    for method in ("analytic", "monte-carlo"):
        rows = [r for r in result.rows if (r.method, r.species) == (method, "all")]
        assert [r.component for r in rows] == order * 2
    assert {name for name, _ in result.skies} == set(order)
    assert {row.component for row in result.spectrum} == set(order[:2])
    assert result.references == ("Nobody 2026",)
    assert set(result.markers) == {"b_hat", "Geminga"}
    assert "2 energies of a ToyPlanner" in result.provenance["notes"]


def test_monte_carlo_meets_the_formulas(result):
    rows = {(r.component, r.quantity, r.species, r.energy): r for r in result.comparison}
    assert len(rows) == len(result.comparison) == 2 * (3 + 2 * 2)
    assert result.comparison.agrees
    assert len(result.comparison.of("agrees")) >= 10
    assert {row.estimator for row in result.comparison} == {"given", "walk", "given+walk"}
    assert {row.reference for row in result.comparison} == {"grid", "formula"}
    total = result.dipole(1e4)
    assert 0.0 < total.amplitude_err < 0.1 * total.amplitude


def test_the_whole_is_the_weighted_sum_without_a_boost(result):
    found = {(r.component, r.species): r for r in result.rows if r.energy == 1e4}
    parts = [found[c, "all"] for c in Toy.components]
    assert sum(part.weight for part in parts) == pytest.approx(1.0)
    whole = sum(part.weight * part.dipole.vector for part in parts)
    assert result.dipole(1e4).vector == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize(
    ("wrong", "component", "quantity"),
    [
        ({"age": 1.7e5}, "geminga", "dipole"),
        ({"age": 1.7e5}, "geminga", "density"),
        ({"anisotropy": 0.2}, "geminga", "dipole"),
        ({"disc_slope": (0.0, 1.0, -1e-3)}, "background", "dipole"),
        ({"grid_error": 0.01}, "background", "density"),
    ],
)
def test_a_wrong_formula_differs(wrong, component, quantity):
    simulation = Simulation(toy())
    planned = ToyPlanner(simulation.model, simulation.config.monte_carlo).jobs(1e4)
    outcomes = [p.job.run(7, 0, HISTORIES, 2) for p in planned]
    for model, verdict in (
        (simulation.model, "agrees"),
        (replace(simulation.model, **wrong), "differs"),
    ):
        rows = ToyAssembly(model, 1e4, planned, outcomes).comparisons()
        assert {r.verdict for r in rows if (r.component, r.quantity) == (component, quantity)} == {
            verdict
        }


def test_the_floor_of_a_comparison_is_that_of_its_judge(monkeypatch):
    """A reference off by ten times the usual floor: harmless for a grid that is no better."""
    config = toy()
    model = replace(config.model(), grid_error=10.0 * FLOOR)
    planned = ToyPlanner(model, config.monte_carlo).jobs(1e4)
    outcomes = [p.job.run(7, 0, 1 << 16, 2) for p in planned]

    def verdicts():
        rows = ToyAssembly(model, 1e4, planned, outcomes).comparisons()
        return {r.verdict for r in rows if (r.component, r.quantity) == ("background", "density")}

    assert verdicts() == {"agrees"}
    monkeypatch.setattr(ToyAssembly, "judge", lambda *_: Judge("grid"))
    assert verdicts() == {"differs"}


def test_the_line_of_a_single_energy_stays_above_the_rest_energy_of_the_heaviest():
    """A third of 100 GeV is less than an iron nucleus at rest."""
    names = {"species.names": ["p", "Fe"], "geminga.emission.Fe": 1.0}
    result = Simulation(toy().replace(names)).analytic(energies=100.0)
    drawn = [row.energy for row in result.curve]
    assert min(drawn) == pytest.approx(1.5 * SPECIES["Fe"].mass)
    assert max(drawn) == pytest.approx(300.0)
    assert np.isfinite([row.dipole.amplitude for row in result.curve]).all()


# Jobs with fewer histories


def test_a_job_stops_at_its_own_number_of_histories(result):
    expected = 2 * 2 * (DISC_HISTORIES + HISTORIES)  # energies, species
    assert result.provenance["histories"] == expected
    assert sum(result.provenance["fates"].values()) == expected
    assert result.provenance["histories_per_job"] == {f"{e!r} GeV": HISTORIES for e in ENERGIES}


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        (None, [(0, 64), (64, 64), (128, 20)]),
        (1000, [(0, 64), (64, 64), (128, 20)]),
        (130, [(0, 64), (64, 64), (128, 2)]),
        (128, [(0, 64), (64, 64)]),
        (1, [(0, 1)]),
    ],
)
def test_batches_of_a_limited_job_are_the_first_the_last_one_cut(limit, left):
    planned = plan.Planned(DiscJob(("x",)), "background", "p", "dipole", "given", limit)
    assert planned.limited([(0, 64), (64, 64), (128, 20)]) == left


def test_a_job_without_histories_is_refused():
    with pytest.raises(RangeError, match="histories = 0 must be at least 1"):
        plan.Planned(DiscJob(("x",)), "background", "p", "dipole", "given", 0)


def values(result):
    skies = {key: sky.relative_intensity.tobytes() for key, sky in result.skies.items()}
    rows = [(*r.dipole.vector, *r.dipole.covariance.ravel(), r.weight) for r in result.rows]
    return rows, skies


def test_neither_threads_nor_rounds_change_a_bit(result):
    one = run(workers=1)
    assert values(one) == values(result)
    assert values(run(workers=2, rel_err=1e-9)) == values(result)


# Files, figures and the command line


def test_a_run_is_written_and_read(result, tmp_path):
    again = Result.read(result.write(tmp_path / "run"))
    assert [row.component for row in again.rows] == [row.component for row in result.rows]
    assert again.comparison.verdict == result.comparison.verdict
    assert again.skies.keys() == result.skies.keys()
    assert cite.model_of(tmp_path / "run") == "toy"
    outcome = CliRunner().invoke(cli.main, ["cite", str(tmp_path / "run")])
    assert "@misc{Toy2026," in outcome.stdout
    assert "XueLiu2025" not in outcome.stdout


def test_every_line_of_the_figure_has_a_colour_and_a_place_in_the_legend(result):
    figure = result.plot_dipole()
    upper = figure.axes[0]
    lines = {line.get_label(): line.get_color() for line in upper.get_lines()}
    share = "\N{MULTIPLICATION SIGN} share"
    assert lines[f"background {share}"] == "tab:orange"
    assert lines[f"geminga {share}"] == "tab:blue"
    assert lines["total, formula"] == "black"
    shown = {text.get_text() for legend in upper.get_children() if hasattr(legend, "get_texts")
             for text in legend.get_texts()}  # fmt: skip
    assert {f"background {share}", f"geminga {share}", "total, Monte Carlo"} <= shown


def test_colours_differ_and_known_components_keep_theirs():
    names = ["nearby", "centre", "background", "compton-getting"]
    assert list(plot._colours(names).values()) == [plot._COLOURS[name] for name in names]
    colours = plot._colours(["a", "background", "b", "nearby", "c"])
    assert list(colours) == ["a", "background", "b", "nearby", "c"]
    assert len(set(colours.values())) == 5
    assert colours["nearby"] == "tab:blue"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "toy.toml"
    path.write_text('model = "toy"\n[geminga]\ndistance = "200 pc"\n')
    return str(path)


def test_check_says_what_the_model_says(file):
    outcome = CliRunner().invoke(cli.main, ["check", file])
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout.splitlines()[2:] == [
        "geminga: 340000 yr ago",
        f"monte_carlo: {HISTORIES} histories",
        "differs from toy in: geminga.distance = 200 pc (250 pc)",
    ]


def test_a_scenario_cites_its_model(file):
    outcome = CliRunner().invoke(cli.main, ["cite", file])
    assert outcome.stdout == cite.bibliography(model="toy")
    assert outcome.stdout.index("Toy2026") < outcome.stdout.index("Salmon2011")


def test_analog_histories_that_the_model_lacks_are_refused_in_a_sentence(file, tmp_path):
    said = "analog: got true; allowed: false, as the model toy has no estimator of plain histories"
    with pytest.raises(ConfigError) as caught:
        run(analog=True)
    assert str(caught.value) == said
    outcome = CliRunner().invoke(cli.main, ["run", file, "-o", str(tmp_path / "o"), "--analog"])
    assert outcome.exit_code == 2
    assert outcome.stderr == said + "\n"
    assert not (tmp_path / "o").exists()

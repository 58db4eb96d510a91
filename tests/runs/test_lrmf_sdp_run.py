"""The LRMF/SDP model from its scenarios: configuration, small runs, what they write and say."""

import numpy as np
import pytest
from click.testing import CliRunner

import mcprop as mp
from mcprop.cli import main
from mcprop.comparison import compare
from mcprop.errors import ConfigError
from mcprop.halving import FULL_STEP, LONGER_LEG
from mcprop.lrmf_sdp import STUDY

NINE = ("p", "He", "C", "N", "O", "Ne", "Mg", "Si", "Fe")
SMALL = {
    "monte_carlo.background_histories": 256,
    "stop.histories": 65536,
    "monte_carlo.nside": 4,
    "species": {"names": ["p", "Fe"]},
}


AGAIN = (FULL_STEP, LONGER_LEG)


def simulation(scenario="lrmf-sdp", **changes):
    return mp.Simulation(mp.load(scenario).replace(SMALL | changes))


@pytest.fixture(scope="module")
def result():
    return simulation().run(seed=1, energies=[1e4], halving=True)


def test_agrees(result):
    tests = [row for row in result.comparison if row.reference not in AGAIN]
    assert {row.verdict for row in tests} == {"agrees"}
    assert {row.component for row in tests} == {"background", "geminga", "total"}
    references = {row.component: row.reference for row in tests if row.quantity == "dipole"}
    assert references == {
        "background": "grid",
        "geminga": "formula",
        "total": "grid and formula",
    }


def test_halving_is_reported(result):
    rows = [row for row in result.comparison if row.reference == FULL_STEP]
    # both components and nuclei, density and dipole
    assert len(rows) == 8
    assert all(abs(row.difference) < 4.0 * row.error for row in rows)
    said = " ".join(result.provenance["notes"])
    assert "half the step changes the background density by" in said
    assert result.provenance["histories"] == 2 * (65536 + 256 + 656 + 256 + 2622)


def test_maps_hold_the_dipole(result):
    """Each map is one plane wave: its fit is the dipole, up to the smearing by pixels of 15 deg."""
    for component in ("background", "geminga", "total"):
        found = result.sky(1e4, component).fit_dipole().vector
        dipole = result.dipole(1e4, component)
        error = np.sqrt(np.trace(dipole.covariance))
        assert np.linalg.norm(found - dipole.vector) < 5.0 * error + 0.03 * dipole.amplitude_3d


def test_isotropic_geminga_points_home():
    model = mp.load("lrmf-sdp-isotropic").model()
    result = simulation("lrmf-sdp-isotropic").run(seed=3, energies=[1e5])
    assert result.comparison.agrees
    dipole = result.dipole(1e5, "geminga")
    unit = model.source_vector / np.linalg.norm(model.source_vector)
    assert dipole.vector @ unit / np.linalg.norm(dipole.vector) > 0.999
    assert dipole.amplitude_3d == pytest.approx(4.748e-3, rel=0.05)


def test_planted_bias_is_caught(monkeypatch):
    """A formula whose D_perp is 1.5 times larger than that of the walks."""
    from mcprop.analytic.lrmf_sdp import LrmfSdp

    honest = simulation()
    run = honest.run(seed=1, energies=[1e5])
    assert run.comparison.agrees
    plain = LrmfSdp.local_tensor
    model = honest.model

    class Wrong(LrmfSdp):
        def dipole(self, component, rigidity, species):
            parallel, perp = plain(self, rigidity, species)
            gradient = self.gradient(component, rigidity, species)
            along = (gradient @ self.b_hat) * self.b_hat
            return 3.0 / 0.3066 * (parallel * along + 1.5 * perp * (gradient - along))

    wrong = simulation()
    wrong.model = Wrong(species=model.species)
    # the planner takes the right tensor, only the formula is wrong
    assert wrong.run(seed=1, energies=[1e5]).comparison.of("differs")


def test_field_in_a_sphere():
    """The region raises the gradient across the field; the published formula is a finding."""
    region = simulation("lrmf-sdp-region", **{"monte_carlo.region_histories": 2048})
    result = region.run(seed=4, energies=[1e4], halving=True)
    assert result.comparison.agrees
    across = [row for row in result.comparison if row.quantity == "gradient across"]
    assert len(across) == 4
    # kappa_perp/D = 0.01 (10 TV/4 GV)^0.32 for protons, (384.6 GV/4 GV)^0.32 for iron
    for row in across:
        rigidity = {"p": 1e4, "Fe": np.sqrt(1e8 - 52.09**2) / 26}[row.species]
        ratio = 0.01 * (rigidity / 4.0) ** 0.32
        assert abs(row.mc - 3.0 / (2.0 + ratio)) < 4.0 * row.error
    published = simulation("lrmf-sdp").analytic(energies=[1e4])
    for component in ("background", "geminga", "total"):
        found = result.dipole(1e4, component)
        assert compare(found, published.dipole(1e4, component)).sigma > 5.0
        # the map was turned with the dipole
        fitted = result.sky(1e4, component).fit_dipole().vector
        error = np.sqrt(np.trace(found.covariance))
        assert np.linalg.norm(fitted - found.vector) < 5.0 * error + 0.03 * found.amplitude_3d
    assert "unbounded-field formula" in result.comparison.verdict
    assert any(row.quantity == "gradient inside" for row in result.comparison)
    # 3 D/c of protons is just below 2 pc at 10 TeV, that of iron at 26 times this energy
    planner = STUDY.planner(region.model, region.config.monte_carlo)
    notes = STUDY.notes(planner, [1e4, 2e4, 1e6])
    assert [note.split(":")[0] for note in notes] == [
        "p at 20000 GeV and above",
        "Fe at 1e+06 GeV and above",
    ]


def test_all_nine_in_the_spectrum(tmp_path):
    outcome = CliRunner().invoke(
        main, ["analytic", "lrmf-sdp", "-o", str(tmp_path / "out"), "--energies", "1e4,1e6"]
    )
    assert outcome.exit_code == 0, outcome.output
    read = mp.Result.read(tmp_path / "out")
    assert tuple(dict.fromkeys(row.species for row in read.spectrum)) == NINE
    assert {row.component for row in read.spectrum} == {"background", "geminga"}
    assert len(read.spectrum) == 2 * 2 * 9
    assert "Li2021" in CliRunner().invoke(main, ["cite", str(tmp_path / "out")]).output


def test_threads_change_no_bit():
    one, two = (
        simulation(**{"stop.histories": 16384}).run(seed=5, energies=[1e5], workers=n)
        for n in (1, 3)
    )
    assert all(
        np.array_equal(a.dipole.vector, b.dipole.vector)
        and np.array_equal(a.dipole.covariance, b.dipole.covariance)
        for a, b in zip(one.rows, two.rows, strict=True)
    )
    assert np.array_equal(one.sky(1e5).relative_intensity, two.sky(1e5).relative_intensity)


def test_sun_above_the_plane_and_losses():
    changed = simulation(**{"galaxy.sun_height": "50 pc", "spallation.losses": "on"})
    result = changed.run(seed=2, energies=[1e4])
    assert result.comparison.agrees
    plane = simulation().analytic(energies=[1e4])
    there, here = changed.analytic(energies=[1e4]), plane
    moved = there.dipole(1e4, "background").vector - here.dipole(1e4, "background").vector
    assert np.linalg.norm(moved) > 0.2 * here.dipole(1e4, "background").amplitude_3d


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"field.extent": "slab"}, ["field.extent", "slab", "uniform"]),
        ({"field.epsilon": 2.0}, ["field.epsilon", "2"]),
        ({"field.ratio_cap": "many"}, ["field.ratio_cap", "none"]),
        ({"field.extent": "sphere", "monte_carlo.wall": "6 pc"}, ["monte_carlo.wall", "6", "5"]),
        ({"field.extent": "sphere", "field.radius": "90 pc"}, ["field.radius", "90", "66"]),
        ({"field.extent": "sphere", "field.parallel": "halo"}, ["field.parallel", "halo", "sun"]),
        ({"field.extent": "sphere", "field.ratio_cap": "none"}, ["field.ratio_cap", "none", "1"]),
        ({"energies": {"values": ["52.1 GeV"]}}, ["species.names", "Fe", "52.1", "from 0.1"]),
        ({"background.energy": "0.6 GeV"}, ["background.energy"]),
        ({"background.energy": "1e12 GeV"}, ["background.energy", "to 1e+10 GV"]),
        (
            {"energies": {"minimum": "1 PeV", "maximum": "1 TeV", "per_decade": 3}},
            ["energies.minimum"],
        ),
        ({"monte_carlo.step": 1e-3}, ["monte_carlo.step", "0.02"]),
        ({"galaxy.source_height": "20 pc"}, ["galaxy.source_height", "40"]),
        ({"galaxy.sun_radius": "25 kpc"}, ["galaxy.sun_radius", "20000"]),
        ({"galaxy.sun_height": "4.99 kpc"}, ["galaxy.sun_height", "4990", "2500"]),
        ({"diffusion.disc_height": "6 kpc"}, ["diffusion.disc_height", "5000"]),
        ({"monte_carlo.separation": "0 pc"}, ["monte_carlo.separation"]),
        ({"galaxy.sun_radius": "200 pc"}, ["galaxy.sun_radius", "1 kpc"]),
        ({"monte_carlo.separation": "1 kpc", "galaxy.sun_radius": "1 kpc"}, ["separation"]),
        ({"background.flux": {"p": "1 GeV-1 m-2 s-1 sr-1"}}, ["background.flux", "He"]),
        ({"geminga.cutoff_rigidity": "25 TeV"}, ["geminga.cutoff_rigidity", "volts"]),
        ({"spallation.losses": True}, ["spallation.losses", "on"]),
        ({"monte_carlo.estimator": "analog"}, ["monte_carlo.estimator"]),
        ({"species": {"names": ["p", "U"]}}, ["species.names", "U"]),
    ],
)
def test_one_line_for_each_problem(changes, words):
    with pytest.raises(ConfigError) as caught:
        mp.load("lrmf-sdp").replace(changes)
    for word in words:
        assert word in str(caught.value)


def test_keys_reach_the_model():
    config = mp.load("lrmf-sdp").replace(
        {
            "diffusion.r0": "1 GV",
            "field.ratio_cap": "none",
            "background.normalisation": "table",
            "geminga.local_cutoff": "energy",
            "spallation.losses": "on",
            "species": {"names": ["p", "He"]},
        }
    )
    model = config.model()
    assert model.galaxy.reference_rigidity == 1.0
    assert model.ratio_cap is None
    assert model.normalisation == "table"
    assert model.local_cutoff == "energy"
    assert model.spallation
    assert model.species == ("p", "He")


def test_defaults_are_those_of_the_model():
    from mcprop.analytic.lrmf_sdp import LrmfSdp

    from_file, by_itself = mp.load("lrmf-sdp").model(), LrmfSdp()
    for energy in (1e2, 1e4, 1e6):
        np.testing.assert_allclose(
            from_file.total_dipole(energy), by_itself.total_dipole(energy), rtol=1e-9
        )


def test_analog_is_refused_in_one_line():
    outcome = CliRunner().invoke(main, ["run", "lrmf-sdp", "-o", "nowhere", "--analog"])
    assert outcome.exit_code == 2
    assert len(outcome.output.strip().splitlines()) == 1


def test_the_study_knows_its_directions():
    model = mp.load("lrmf-sdp").model()
    assert set(STUDY.directions(model)) == {"b_hat", "Galactic centre", "Geminga"}


def test_range_of_rigidities_is_that_of_the_table():
    from mcprop.analytic import lrmf_parameters
    from mcprop.lrmf_sdp import config

    assert (config.LOWEST, config.HIGHEST) == (lrmf_parameters.LOWEST, lrmf_parameters.HIGHEST)


def test_nothing_left_of_the_remnant():
    """Far above its cut-off there is no row for what has no intensity."""
    result = simulation(species={"names": ["p"]}).run(seed=1, energies=[5e7])
    assert result.comparison.agrees
    dipoles = [row for row in result.comparison if row.quantity == "dipole"]
    assert {row.component for row in dipoles} == {"background", "total"}


def test_large_dipoles_are_noted():
    changes = {"field.parallel": "halo", "species": {"names": ["p"]}}
    halo = mp.Simulation(mp.load("lrmf-sdp").replace(changes))
    planner = STUDY.planner(halo.model, halo.config.monte_carlo)
    assert STUDY.notes(planner, [1e3]) == []
    assert "the dipole exceeds 0.1 at 1e+06 GeV" in STUDY.notes(planner, [1e3, 1e6, 1e7])[0]

"""A run from the scenario to its directory: every file, every column, every header card.

Other tools rely on this contract; and a run of each scenario ends in agreement with its formulas.
"""

import json
import tomllib

import astropy.units as u
import healpy
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from mcprop.result import Result
from mcprop.scenario import load, names
from mcprop.simulation import Simulation

ENERGIES = [1e3, 12345.678]
HISTORIES = 4096
SEED = 2**63 - 25

LABELS = {1e3: "1e+03GeV", 12345.678: "1.235e+04GeV"}
DIPOLE_COLUMNS = [
    *("energy", "component", "species", "method"),
    *("delta_x", "delta_y", "delta_z", "sigma_x", "sigma_y", "sigma_z"),
    *("amplitude", "amplitude_err", "ra", "ra_err", "dec", "amplitude_3d", "weight", "estimator"),
    *("cov_xy", "cov_xz", "cov_yz"),
]
SPECTRUM_COLUMNS = [
    *("energy", "rigidity", "species", "component", "intensity", "intensity_energy"),
]


def components(name):
    """What has a dipole, the carriers first, the total last."""
    if name.startswith("lrmf-sdp"):
        return ["background", "geminga", "total"]
    return ["nearby", "centre", "background", "compton-getting", "total"]


def carriers(name):
    return components(name)[: 2 if name.startswith("lrmf-sdp") else 3]


def nuclei(name):
    return load(name).species.names


@pytest.fixture(scope="module", params=names())
def finished(request, tmp_path_factory):
    """Scenario, result and directory of a small run."""
    simulation = Simulation.from_scenario(request.param)
    result = simulation.run(histories=HISTORIES, seed=SEED, workers=2, energies=ENERGIES)
    directory = tmp_path_factory.mktemp("run") / request.param
    result.write(directory)
    return request.param, result, directory


def test_all_files_are_there(finished):
    name, _, directory = finished
    found = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    figures = {path for path in found if path.startswith("figures/")}
    maps = {
        f"sky/{component}_{label}.fits"
        for component in components(name)
        for label in LABELS.values()
    }
    tables = {f"{table}.ecsv" for table in ("dipole", "spectrum", "comparison", "health")}
    assert found - figures == maps | tables | {"config.toml", "provenance.json"}
    assert any("dipole" in path for path in figures)
    assert sum("sky" in path for path in figures) == 2  # one for each decade
    assert all((directory / path).stat().st_size > 5000 for path in figures)


def test_dipole_table(finished):
    name, _, directory = finished
    table = Table.read(directory / "dipole.ecsv", format="ascii.ecsv")
    assert table.colnames == DIPOLE_COLUMNS
    assert table["energy"].unit == "GeV"
    assert {str(table[c].unit) for c in ("ra", "ra_err", "dec")} == {"deg"}
    keys = {tuple(row) for row in table["energy", "component", "species", "method"]}
    rows = len(components(name)) * (len(nuclei(name)) + 1)
    assert len(keys) == len(table) == 2 * rows * 2
    assert set(table["component"]) == set(components(name))
    assert set(table["species"]) == {*nuclei(name), "all"}
    assert set(table["energy"]) == set(ENERGIES)
    formula = table[table["method"] == "analytic"]
    assert not any(np.any(formula[f"sigma_{axis}"]) for axis in "xyz")
    assert not np.any(formula["amplitude_err"])
    assert table.meta["convention"] == "arrival"
    assert table.meta["seed"] == SEED


def test_dipole_columns_follow_from_the_vector(finished):
    table = Table.read(finished[2] / "dipole.ecsv", format="ascii.ecsv")
    formula = table[table["method"] == "analytic"]
    x, y, z = (np.asarray(formula[f"delta_{axis}"]) for axis in "xyz")
    np.testing.assert_allclose(formula["amplitude"], np.hypot(x, y), rtol=1e-12)
    np.testing.assert_allclose(formula["amplitude_3d"], np.sqrt(x**2 + y**2 + z**2), rtol=1e-12)
    np.testing.assert_allclose(formula["ra"], np.degrees(np.arctan2(y, x)), rtol=1e-12)
    np.testing.assert_allclose(
        formula["dec"], np.degrees(np.arctan2(z, np.hypot(x, y))), rtol=1e-12
    )
    assert np.all(np.abs(table["ra"]) <= 180.0)


@pytest.mark.parametrize("method", ["analytic", "monte-carlo"])
def test_weights_and_total_add_up(finished, method):
    """The total is the boost and the components by their weights, for each energy."""
    name = finished[0]
    table = Table.read(finished[2] / "dipole.ecsv", format="ascii.ecsv")
    for energy in ENERGIES:
        rows = {
            (row["component"], row["species"]): row
            for row in table
            if row["energy"] == energy and row["method"] == method
        }
        members = [rows[c, s] for c in carriers(name) for s in nuclei(name)]
        assert sum(row["weight"] for row in members) == pytest.approx(1.0)
        assert rows["total", "all"]["weight"] == pytest.approx(1.0)
        for axis in "xyz":
            summed = sum(row["weight"] * row[f"delta_{axis}"] for row in members)
            boost = 0.0
            if "compton-getting" in components(name):
                boost = rows["compton-getting", "all"][f"delta_{axis}"]
            total = rows["total", "all"][f"delta_{axis}"]
            assert total == pytest.approx(summed + boost, rel=1e-9, abs=1e-12)


def test_formulas_of_the_table_are_those_of_the_model(finished):
    name, result, _ = finished
    model = load(name).model()
    for energy in ENERGIES:
        total = result.dipole(energy, method="analytic")
        assert total.vector == pytest.approx(model.total_dipole(energy), rel=1e-12)


def test_spectrum_table(finished):
    name, _, directory = finished
    table = Table.read(directory / "spectrum.ecsv", format="ascii.ecsv")
    assert table.colnames == SPECTRUM_COLUMNS
    per = u.Unit("m-2 s-1 sr-1")
    units = {"energy": u.GeV, "rigidity": u.GV, "intensity": per / u.GV}
    for column, unit in (units | {"intensity_energy": per / u.GeV}).items():
        assert u.Unit(table[column].unit) == unit
    assert len(table) == 2 * len(nuclei(name)) * len(carriers(name))
    model = load(name).model()
    for row in table:
        expected = model.intensity(row["component"], row["rigidity"], row["species"])
        assert row["intensity"] == pytest.approx(float(expected), rel=1e-12)
        expected = model.intensity_energy(row["component"], row["energy"], row["species"])
        assert row["intensity_energy"] == pytest.approx(float(expected), rel=1e-12)


def test_every_monte_carlo_result_agrees_with_its_reference(finished):
    """Nothing differs in any scenario; what rests on a formula is not counted as proof."""
    name, result, directory = finished
    assert not result.comparison.of("differs"), result.comparison
    assert len(result.comparison.of("agrees")) >= 8
    prescribed = set() if name.startswith("lrmf-sdp") else {"background"}
    assert {row.component for row in result.comparison.of("prescribed")} == prescribed
    findings = {row.reference for row in result.comparison.of("finding")}
    assert findings <= {"published product", "first order boost", "unbounded-field formula"}
    table = Table.read(directory / "comparison.ecsv", format="ascii.ecsv")
    assert len(table) == len(result.comparison)
    assert set(table["component"]) == set(components(name))
    assert set(table["verdict"]) <= {"agrees", "prescribed", "finding", "inconclusive"}
    assert table.meta["verdict"] == result.comparison.verdict


def test_time_dependent_run_says_by_how_much_the_product_is_off(finished):
    name, result, _ = finished
    published = [row for row in result.comparison if row.reference == "published product"]
    assert bool(published) == (name == "xue-liu-2025-time-dependent")
    assert ("published product" in result.comparison.verdict) == bool(published)


def test_maps_are_read_back_by_healpy(finished):
    name, result, directory = finished
    for component in components(name):
        for energy, label in LABELS.items():
            path = directory / "sky" / f"{component}_{label}.fits"
            (intensity, std_dev), cards = healpy.read_map(path, field=(0, 1), h=True, dtype=float)
            assert healpy.get_nside(intensity) == 16
            sky = result.sky(energy, component)
            known = intensity != healpy.UNSEEN
            assert (intensity[known] == sky.relative_intensity[known]).all()
            assert np.isnan(sky.relative_intensity[~known]).all()
            assert np.mean(intensity[known]) == pytest.approx(1.0, abs=1e-3)
            if component == "background" and not name.startswith("lrmf-sdp"):
                assert not std_dev.any()
            cards = dict(cards)
            assert (cards["ORDERING"], cards["COORDSYS"]) == ("RING", "C")
            assert cards["SEED"] == SEED
            assert cards["COMPONEN"] == component
            assert cards["ENERGY"] == pytest.approx(energy, rel=1e-14)
            assert cards["SCENARIO"] == result.title[: len(str(cards["SCENARIO"]))]
        with fits.open(path) as file:
            assert file[1].columns.names == ["RELATIVE_INTENSITY", "STD_DEV"]
            assert file[1].columns.units == ["1", "1"]


def test_map_of_the_total_carries_its_dipole(finished):
    """Fitted to the map and taken from the moments: the same within the errors of either."""
    _, result, _ = finished
    for energy in ENERGIES:
        fitted, dipole = result.sky(energy).fit_dipole(), result.dipole(energy)
        error = np.hypot(fitted.sigma, dipole.sigma) + 2e-3 * np.linalg.norm(dipole.vector)
        assert np.abs((fitted.vector - dipole.vector) / error).max() < 4.0


def test_provenance(finished):
    name, _, directory = finished
    told = json.loads((directory / "provenance.json").read_text(encoding="utf-8"))
    assert told["seed"] == SEED
    assert told["title"] == load(name).title
    assert {"mcprop", "source_hash", "cpu", "command", "notes", "platform"} <= set(told)
    assert {"python", "numpy", "numba", "healpy", "astropy"} <= set(told["versions"])
    assert len(told["source_hash"]) == 64
    assert told["cpu_seconds"] > 0.0
    assert told["wall_seconds"] > 0.0
    assert told["steps"] > 0
    jobs = HISTORIES * (4 if "time" not in name else 3)
    if name.startswith("lrmf-sdp"):
        run = load(name).monte_carlo
        jobs = HISTORIES + run.background_histories
        jobs += 2 * run.region_histories if "region" in name else 0
    assert told["histories"] == sum(told["fates"].values()) == len(nuclei(name)) * 2 * jobs
    assert told["fates"]["lost"] == 0


def test_configuration_in_the_directory_repeats_the_run(finished):
    """Resolved: the seed, the energies, the histories and the cloud's mode are in it."""
    name, result, directory = finished
    text = (directory / "config.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    assert document["monte_carlo"]["seed"] == SEED
    assert document["stop"]["histories"] == HISTORIES
    config = load(directory / "config.toml")
    assert list(config.energies.grid) == ENERGIES
    assert config.model() == load(name).model()
    if name != names()[0]:
        return
    again = Simulation(config).run(workers=1)
    for mine, theirs in zip(again.rows, result.rows, strict=True):
        assert mine == theirs


def test_directory_is_read_back_as_it_was(finished):
    _, result, directory = finished
    read = Result.read(directory)
    assert read.energies == ENERGIES
    for mine, theirs in zip(read.rows, result.rows, strict=True):
        assert (mine.energy, mine.component, mine.species) == (
            theirs.energy, theirs.component, theirs.species,
        )  # fmt: skip
        assert mine.dipole.vector.tobytes() == theirs.dipole.vector.tobytes()
        assert mine.weight == theirs.weight
    assert read.comparison.verdict == result.comparison.verdict
    assert set(read.skies) == set(result.skies)


def test_dipole_is_found_by_energy(finished):
    _, result, _ = finished
    assert result.dipole(1e3) == result.dipole(1.0 * u.TeV)
    assert result.dipole(1e3).covariance.any()
    assert not result.dipole(12345.678, "background", "He", "analytic").covariance.any()


@pytest.mark.parametrize("histories", [1 << 13, pytest.param(1 << 15, marks=pytest.mark.nightly)])
def test_moderate_runs_of_all_scenarios_agree_within_four_sigma(histories):
    """At three energies: no row differs, and the largest deviation is told."""
    for name in names():
        result = Simulation.from_scenario(name).run(
            histories=histories, seed=3, workers=2, energies=[1e2, 1e4, 1e6]
        )
        assert not result.comparison.of("differs"), (name, result.comparison)
        assert len(result.comparison.of("agrees")) >= 16, (name, result.comparison)
        assert result.comparison.worst.sigma < 4.0, name

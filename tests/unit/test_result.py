"""The result of a run and its directory: contents, round trip, nothing half-written."""

import json
import math
from pathlib import Path

import astropy.units as u
import healpy
import numpy as np
import pytest
from astropy.table import QTable, Table
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mcprop import plot
from mcprop.comparison import Comparison, dipole_row
from mcprop.dipole import Dipole
from mcprop.errors import OutputError, RangeError, UnitsError
from mcprop.result import Result
from mcprop.sky import SkyMap
from mcprop.tables import Row, SpectrumRow, energy_labels

ENERGIES = [1e4, 2154.4346900318843, 1e4 + 1e-9]
COLUMNS = ["energy", "component", "species", "method"]
COLUMNS += ["delta_x", "delta_y", "delta_z", "sigma_x", "sigma_y", "sigma_z"]
COLUMNS += ["amplitude", "amplitude_err", "ra", "ra_err", "dec", "amplitude_3d", "weight"]
COVARIANCE = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 2.0]]) * 1e-10


class Settings:
    title = "A short run"

    def to_toml(self) -> str:
        return 'title = "A short run"\n'


def both(energy: float, component: str) -> list[Row]:
    """Formula and Monte Carlo of one component."""
    dipole = Dipole([1e-3 / 3.0, 2e-4, -1e-4])
    mc = Dipole(dipole.vector + 1e-5, COVARIANCE)
    return [
        Row(energy, component, "all", "analytic", dipole, 1.0 / 3.0),
        Row(energy, component, "all", "monte-carlo", mc, 1.0 / 3.0, "walk"),
    ]


def analytic_result() -> Result:
    rows = [both(energy, part)[0] for energy in ENERGIES for part in ("nearby", "total")]
    spectrum = [SpectrumRow(energy, energy / 3, "p", "nearby", 1e-7, 1 / 3) for energy in ENERGIES]
    markers = {"b_hat": (48.5, -21.2), "Galactic centre": (-93.6, -28.9)}
    return Result(rows, spectrum, None, {}, Settings(), {"seed": None}, markers, ["A paper"])


@pytest.fixture
def result() -> Result:
    plain = analytic_result()
    rows = [row for energy in ENERGIES[:2] for part in ("nearby", "total")
            for row in both(energy, part)]  # fmt: skip
    compared = [
        dipole_row(row.energy, row.component, "all", twin.dipole, row.dipole, "walk")
        for row, twin in zip(rows[::2], rows[1::2], strict=True)
    ]
    std_dev = np.full(48, 1e-4)
    skies = {
        (part, energy): SkyMap(
            SkyMap.from_dipole([1e-3, 0.0, 0.0], 2).relative_intensity, std_dev, part, energy, 5
        )
        for energy in ENERGIES[:2]
        for part in ("nearby", "total")
    }
    provenance = {"seed": 5, "steps": np.int64(7), "seconds": np.float64(0.5), "fates": [1, 2]}
    return Result(
        rows, plain.spectrum, Comparison(compared), skies, Settings(), provenance,
        plain.markers, plain.references,
    )  # fmt: skip


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_directory_of_a_run(result, tmp_path):
    folder = result.write(tmp_path / "new" / "run")
    assert files(folder) == {
        "config.toml",
        "provenance.json",
        "dipole.ecsv",
        "spectrum.ecsv",
        "comparison.ecsv",
        "figures/dipole.png",
        "figures/sky_total_1e+04GeV.png",
        "figures/sky_total_2.154e+03GeV.png",
        "sky/nearby_1e+04GeV.fits",
        "sky/nearby_2.154e+03GeV.fits",
        "sky/total_1e+04GeV.fits",
        "sky/total_2.154e+03GeV.fits",
    }
    assert [path.name for path in folder.parent.iterdir()] == ["run"]
    assert (folder / "config.toml").read_text() == "# seed: 5\n" + Settings().to_toml()
    assert json.loads((folder / "provenance.json").read_text())["steps"] == 7
    intensity = healpy.read_map(folder / "sky" / "total_1e+04GeV.fits")
    assert np.array_equal(intensity, result.sky(1e4).relative_intensity)


def test_directory_of_formulas_alone(tmp_path):
    folder = analytic_result().write(tmp_path / "run")
    names = {"config.toml", "provenance.json", "dipole.ecsv", "spectrum.ecsv", "figures/dipole.png"}
    assert files(folder) == names
    assert not (folder / "sky").exists()
    back = Result.read(folder)
    assert back.comparison is None
    assert back.method == "analytic"
    assert back.dipole(1e4) == analytic_result().dipole(1e4)
    assert set(Table.read(folder / "dipole.ecsv")["method"]) == {"analytic"}


def test_dipole_table(result, tmp_path):
    table = QTable.read(result.write(tmp_path / "run") / "dipole.ecsv")
    assert table.colnames[: len(COLUMNS)] == COLUMNS
    assert table["energy"].unit == u.GeV
    assert {str(table[name].unit) for name in ("ra", "ra_err", "dec")} == {"deg"}
    assert table.meta["title"] == "A short run"
    assert (table.meta["seed"], table.meta["frame"]) == (5, "icrs")
    assert table.meta["convention"] == "arrival"
    assert table.meta["references"] == ["A paper"]
    line, dipole = table[1], result.rows[1].dipole
    assert line["delta_x"] == dipole.vector[0]
    assert line["sigma_y"] == math.sqrt(COVARIANCE[1, 1])
    for name in ("amplitude", "amplitude_err", "amplitude_3d"):
        assert line[name] == getattr(dipole, name)
    for name in ("ra", "ra_err", "dec"):
        assert line[name].value == getattr(dipole, name)
    assert line["weight"] == 1.0 / 3.0


def test_spectrum_and_comparison_tables(result, tmp_path):
    folder = result.write(tmp_path / "run")
    spectrum = QTable.read(folder / "spectrum.ecsv")
    assert spectrum.colnames == list(SpectrumRow._fields)
    assert spectrum["rigidity"].unit == u.GV
    assert spectrum["intensity"].unit == u.Unit("GV-1 m-2 s-1 sr-1")
    assert spectrum["intensity_energy"].unit == u.Unit("GeV-1 m-2 s-1 sr-1")
    comparison = Table.read(folder / "comparison.ecsv")
    assert comparison.meta["verdict"] == result.comparison.verdict
    assert list(comparison["sigma"]) == [row.sigma for row in result.comparison]


def test_energies_keep_all_their_digits(tmp_path):
    energies = [0.1 + 0.2, 1e-3 / 3.0, 12345678.9012345678, math.nextafter(1e4, 2e4)]
    rows = [both(energy, "total")[0] for energy in energies]
    spectrum = [SpectrumRow(energy, energy, "p", "nearby", 1.0, 1.0) for energy in energies]
    folder = Result(rows, spectrum).write(tmp_path / "run")
    for name in ("dipole.ecsv", "spectrum.ecsv"):
        assert list(Table.read(folder / name)["energy"]) == energies


def test_round_trip(result, tmp_path):
    back = Result.read(result.write(tmp_path / "run"))
    assert [row.energy for row in back.rows] == [row.energy for row in result.rows]
    for row, twin in zip(result.rows, back.rows, strict=True):
        assert (row.component, row.species, row.method) == (
            twin.component, twin.species, twin.method)  # fmt: skip
        assert np.array_equal(twin.dipole.vector, row.dipole.vector)
        assert twin.dipole.covariance == pytest.approx(row.dipole.covariance, rel=1e-14)
        assert (twin.weight, twin.estimator) == (row.weight, row.estimator)
    assert back.spectrum == result.spectrum
    assert repr(back.comparison) == repr(result.comparison)
    assert back.skies.keys() == result.skies.keys()
    assert back.sky(1e4).fit_dipole() == result.sky(1e4).fit_dipole()
    assert back.config.to_toml() == result.config.to_toml()
    assert (back.markers, list(back.references)) == (result.markers, list(result.references))
    assert repr(back) == repr(result)


def test_looking_up(result):
    assert result.dipole(1e4) == result.rows[3].dipole
    assert result.dipole(10 * u.TeV, "nearby", method="analytic") == result.rows[0].dipole
    assert result.sky(10 * u.TeV) is result.skies["total", 1e4]
    with pytest.raises(RangeError, match="no energy of 9000 GeV; the nearest is 10000"):
        result.dipole(9e3)
    with pytest.raises(RangeError, match="no energy of 2000 GeV; the nearest is 2154"):
        result.sky(2 * u.TeV)


@pytest.mark.parametrize("energy", [2154.43, 2154.4347, 2156.0, "2.15443 TeV", 2154.43 * u.GeV])
def test_an_energy_close_to_one_of_the_table_is_that_one(result, energy):
    assert result.dipole(energy) == result.rows[7].dipole
    assert result.sky(energy) is result.skies["total", ENERGIES[1]]


def test_of_two_close_energies_the_nearest_is_meant():
    result = analytic_result()
    other = Row(ENERGIES[2], "total", "all", "analytic", Dipole([1.0, 0.0, 0.0]))
    result.rows = [*result.rows[:-1], other]
    assert result.dipole(ENERGIES[2]) == other.dipole
    assert result.dipole(1e4) != other.dipole


@pytest.mark.parametrize("energy", [math.nan, math.inf, -1e4, 0.0, "10 pc", "many", [1e3], None])
def test_energies_that_are_none(result, energy):
    with pytest.raises((RangeError, UnitsError)) as caught:
        result.dipole(energy)
    assert len(str(caught.value).splitlines()) == 1


def test_names_are_found_in_any_case(result):
    assert result.dipole("10 TeV", "Nearby", "ALL", "Monte-Carlo") == result.rows[1].dipole
    assert result.sky("10 TeV", "Total") is result.skies["total", 1e4]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"component": "centre"}, "There is no component 'centre'; there are nearby, total."),
        ({"species": "Fe"}, "There is no species 'Fe'; there are all."),
        ({"method": "mc"}, "There is no method 'mc'; there are analytic, monte-carlo."),
    ],
)
def test_wrong_names_are_told_in_one_sentence(result, arguments, complaint):
    with pytest.raises(RangeError) as caught:
        result.dipole(1e4, **arguments)
    assert str(caught.value) == complaint


def test_what_is_not_there_is_told_in_one_sentence(result):
    with pytest.raises(
        RangeError, match=r"^There is no map of 'centre'; there are nearby, total.$"
    ):
        result.sky(1e4, "centre")
    with pytest.raises(RangeError, match=r"^There is no map of 'total'; there are none.$"):
        analytic_result().sky(1e4)
    result.rows = result.rows[1:2] + result.rows[2:3]
    with pytest.raises(RangeError, match=r"^There is no analytic row of nearby, species all.$"):
        result.dipole(1e4, "nearby", method="analytic")


def test_table_is_that_of_the_file(result, tmp_path):
    written = Table.read(result.write(tmp_path / "run") / "dipole.ecsv")
    table = result.table()
    assert table.colnames == written.colnames
    assert table["energy"].unit == u.GeV
    assert table.meta == dict(written.meta)
    for name in table.colnames:
        assert list(table[name]) == list(written[name])


def picture(figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_a_result_that_is_read_back_draws_the_same_figure(result, tmp_path):
    grid = np.geomspace(1e3, 2e4, 30).tolist()
    result.curve = [both(energy, part)[0] for energy in grid for part in ("nearby", "total")]
    folder = result.write(tmp_path / "run")
    assert (folder / "figures" / "curve.ecsv").is_file()
    back = Result.read(folder)
    assert [row.energy for row in back.curve[::2]] == grid
    assert np.array_equal(picture(back.plot_dipole()), picture(result.plot_dipole()))
    assert np.array_equal(picture(back.plot_sky(1e4)), picture(result.plot_sky(1e4)))
    back.curve = ()
    assert not np.array_equal(picture(back.plot_dipole()), picture(result.plot_dipole()))


def test_plot_of_a_sky_marks_the_directions(result):
    result.markers["Compton-Getting"] = (-105.0, -17.0)
    figure = result.plot_sky("10 TeV", "NEARBY")
    shown = {text.get_text() for text in figure.axes[0].texts}
    assert {"Galactic centre", r"$\hat{b}$", r"$-\hat{b}$", "dipole"} <= shown
    assert "Compton-Getting" not in shown
    assert "nearby, 10 TeV" in figure.axes[0].get_title()
    axes = Figure().add_subplot(projection="mollweide")
    assert result.plot_sky(1e4, ax=axes) is axes.figure


def test_repr_is_a_table(result):
    lines = repr(result).splitlines()
    assert lines[0] == "Result: A short run, 2 energies"
    assert "10 TeV" in lines[2]
    assert "+-" in lines[2]
    assert lines[-1] == result.comparison.verdict
    assert "+-" not in repr(analytic_result())


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("earlier", [False, True])
def test_nothing_half_written_is_left(result, tmp_path, monkeypatch, error, earlier):
    target = tmp_path / "run"
    before = files(analytic_result().write(target)) if earlier else set()

    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(plot, "write_figures", fail)
    expected = OutputError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as caught:
        result.write(target, overwrite=True)
    if expected is OutputError:
        assert str(caught.value) == f"Cannot write the run to {target}: No space left on device."
    assert files(tmp_path) == {f"run/{name}" for name in before}
    assert target.exists() == earlier


def test_an_earlier_run_is_replaced_only_when_told(result, tmp_path):
    target = analytic_result().write(tmp_path / "run")
    (target / "mine.txt").write_text("notes")
    before = files(target)
    with pytest.raises(OutputError, match="holds a run already"):
        result.write(target)
    assert files(target) == before
    result.write(target, overwrite=True)
    assert "comparison.ecsv" in files(target)
    assert "mine.txt" not in files(target)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_reading_what_is_no_run(tmp_path):
    with pytest.raises(OutputError, match="is not a run directory"):
        Result.read(tmp_path)


def replaced(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("provenance.json", lambda text: "{"),
        ("provenance.json", lambda text: "[1, 2]"),
        ("provenance.json", lambda text: "[" * 100_000),
        ("provenance.json", lambda text: '{"seed": "five"}'),
        ("config.toml", lambda text: None),
        ("dipole.ecsv", lambda text: "no table"),
        ("dipole.ecsv", lambda text: None),
        ("dipole.ecsv", lambda text: replaced(text, "delta_x", "delta_w")),
        ("dipole.ecsv", lambda text: replaced(text, "0.0003333333333333333", "many")),
        ("dipole.ecsv", lambda text: replaced(text, "0.0003333333333333333", '""')),
        ("dipole.ecsv", lambda text: replaced(text, "48.5", "north")),
        ("dipole.ecsv", lambda text: replaced(text, "b_hat: [48.5, -21.2]", "b_hat: 1")),
        ("dipole.ecsv", lambda text: replaced(text, "[A paper]", "1")),
        ("dipole.ecsv", lambda text: replaced(text, "float64", "string")),
        ("dipole.ecsv", lambda text: replaced(text, "# datatype:", "# datatype: {")),
        ("spectrum.ecsv", lambda text: replaced(text, "rigidity", "rigour")),
        ("spectrum.ecsv", lambda text: replaced(text, "string", "float64").replace(" p ", " 1 ")),
        ("comparison.ecsv", lambda text: replaced(text, "species", "kind")),
        ("comparison.ecsv", lambda text: replaced(text, "int64", "string")),
        ("figures/curve.ecsv", lambda text: replaced(text, "weight", "height")),
        ("sky/total_1e+04GeV.fits", lambda text: "no map"),
    ],
)  # fmt: skip
def test_a_spoilt_file_is_named(result, tmp_path, monkeypatch, name, change):
    result.curve = result.rows
    monkeypatch.setattr(plot, "write_figures", lambda *_, **__: None)
    path = result.write(tmp_path / "run") / name
    text = change(path.read_bytes().decode("latin-1"))
    path.unlink() if text is None else path.write_bytes(text.encode("latin-1"))
    with pytest.raises(OutputError) as caught:
        Result.read(tmp_path / "run")
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_empty_text_is_no_gap(tmp_path):
    row = Row(1e4, "total", "", "analytic", Dipole([1e-3, 0.0, 0.0]))
    assert Result.read(Result([row]).write(tmp_path / "run")).rows[0].species == ""


def test_columns_that_somebody_has_added_are_passed_over(result, tmp_path):
    folder = result.write(tmp_path / "run")
    for name in ("dipole", "spectrum", "comparison"):
        table = Table.read(folder / f"{name}.ecsv")
        table["note"] = "mine"
        table.write(folder / f"{name}.ecsv", overwrite=True)
    assert repr(Result.read(folder)) == repr(result)


def test_provenance_that_json_cannot_hold(tmp_path):
    result = analytic_result()
    result.provenance = {"path": Path("a"), "values": np.arange(2), "object": object()}
    with pytest.raises(TypeError, match="object has no form in JSON"):
        result.write(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_names_of_energies_differ():
    close = [1e4, math.nextafter(1e4, 2e4), 1.0001e4, 215.44346900318845, 1e4 + 1e-9]
    labels = energy_labels(close)
    assert labels[1e4] == "1e+04GeV"
    assert labels[215.44346900318845] == "2.154e+02GeV"
    assert len(set(labels.values())) == len(close)

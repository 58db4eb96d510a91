"""Scenario files: what they hold, what is filled in, and the way there and back."""

import dataclasses
import pickle
import tomllib

import numpy as np
import pytest
from astropy import units as u

from mcprop import comparison, scenario, sections
from mcprop.analytic.xue_liu_2025 import XueLiu2025
from mcprop.errors import ConfigError
from mcprop.kernels.lanes import LANES
from mcprop.units import CM2_PER_S, KM_PER_S

BEST = "xue-liu-2025"
DIFFERENCES = {
    "xue-liu-2025": {},
    "xue-liu-2025-wandering": {
        "cloud.transport": "wandering",
        "nearby.r_perp": "20 pc",
        "centre.source": {"p": "1.1e58 GV-1", "He": "1.76e57 GV-1"},
    },
    "xue-liu-2025-qgsjet": {
        "centre.source": {"p": "5e58 GV-1", "He": "1e58 GV-1"},
        "centre.age": "2 Myr",
        "centre.cutoff": "4 PV",
    },
    "xue-liu-2025-time-dependent": {"cloud.mode": "time-dependent"},
    "lrmf-sdp": {},
    "lrmf-sdp-isotropic": {"field.extent": "none"},
    "lrmf-sdp-region": {"field.extent": "sphere"},
}


def base(name):
    """The scenario with the defaults of the same model."""
    return BEST if name.startswith(BEST) else "lrmf-sdp"


def flat(document):
    """Values by dotted key, without the title."""
    found = {}
    for name, value in document.items():
        if isinstance(value, dict):
            found |= {f"{name}.{key}": item for key, item in value.items()}
        elif name != "title":
            found[name] = value
    return found


def test_the_best_fit_comes_first_and_all_are_listed():
    assert scenario.names()[0] == BEST
    assert set(scenario.names()) == set(DIFFERENCES)


@pytest.mark.parametrize("name", DIFFERENCES)
def test_each_scenario_differs_from_the_best_fit_only_where_the_paper_says(name):
    texts = (scenario.load(item).to_toml() for item in (base(name), name))
    best, other = (flat(tomllib.loads(text)) for text in texts)
    assert best.keys() == other.keys()
    changed = {key: value for key, value in other.items() if value != best[key]}
    assert changed == DIFFERENCES[name]


@pytest.mark.parametrize("name", DIFFERENCES)
def test_every_value_has_a_comment_that_names_its_source(name):
    sources = ("XL25", "L21", "own", "the same")
    lines = scenario.text(name).splitlines()
    sourced = False  # a table of nuclei names its source once
    values = []
    for line in lines:
        if line.startswith("["):
            sourced = "# L21" in line
        elif " = " in line and not line.startswith("#") and not sourced:
            values.append(line)
    bare = [line for line in values if not any(f"# {word}" in line for word in sources)]
    in_section = [line for line in bare if line.split(" = ")[0] not in ("title", "model")]
    head = next((line for line in lines if line.startswith("[monte_carlo]")), None)
    if head is None:
        assert in_section == []
        return
    start = lines.index(head)
    assert "own choices" in lines[start]
    assert [line for line in in_section if lines.index(line) < start] == []


@pytest.mark.parametrize("name", DIFFERENCES)
def test_resolved_text_reads_back_to_an_equal_configuration(name):
    config = scenario.load(name)
    again = scenario.parse(config.to_toml())
    assert again == config
    assert again.to_toml() == config.to_toml()
    assert again.title == config.title


def test_values_are_in_internal_units():
    config = scenario.load(BEST)
    assert config.cloud.depth == 1.6
    assert config.cloud.critical_rigidity == 3e6
    assert config.velocity.cloud_speed == pytest.approx(25.4 * KM_PER_S, rel=1e-10)
    assert config.diffusion.d0 == pytest.approx(2.15e28 * CM2_PER_S, rel=1e-10)
    assert config.background.volume == pytest.approx(1e10, rel=1e-14)
    assert config.nearby.source == {"p": 4.7e52, "He": 7.05e51}
    assert config.centre.distance == 8500.0
    assert config.stop.histories == 262144
    assert config.monte_carlo.seed is None


def test_the_best_fit_is_the_default_of_the_formulas():
    mine, theirs = dataclasses.asdict(scenario.load(BEST).model()), dataclasses.asdict(XueLiu2025())
    assert mine.keys() == theirs.keys()
    for name, value in theirs.items():
        if isinstance(value, float):
            assert mine[name] == pytest.approx(value, rel=1e-9), name
        else:
            assert mine[name] == value, name


@pytest.mark.parametrize(
    ("changes", "attribute", "value"),
    [
        ({"cloud.transport": "wandering"}, "cloud_transport", "wandering"),
        ({"cloud.mode": "time-dependent"}, "cloud_mode", "time-dependent"),
        ({"compton_getting.coefficient": "spectrum"}, "compton_getting_coefficient", None),
        ({"species.names": ["He"]}, "species", ("He",)),
        ({"nearby.cutoff": "7 PV"}, "nearby_cutoff", 7e6),
        ({"centre.cutoff": "7 PV"}, "centre_cutoff", 7e6),
        ({"background.cutoff": "7 PV"}, "background_cutoff", 7e6),
        ({"background.modulation": "500 MV"}, "modulation_potential", 0.5),
        ({"nearby.age": "100 kyr"}, "nearby_age", 1e5),
        ({"centre.age": "1 Myr"}, "centre_age", 1e6),
        ({"nearby.r_parallel": "0.1 kpc"}, "nearby_r_parallel", 100.0),
        ({"spectrum.index": {"p": 2, "He": 3}}, "spectral_index", {"p": 2.0, "He": 3.0}),
    ],
)
def test_a_changed_value_reaches_the_formulas(changes, attribute, value):
    model = scenario.load(BEST).replace(changes).model()
    assert getattr(model, attribute) == value


def test_the_grid_has_round_decades_and_ends_at_its_maximum():
    grid = scenario.load(BEST).energies.grid
    assert len(grid) == 16
    assert grid[::3] == (1e2, 1e3, 1e4, 1e5, 1e6, 1e7)
    assert np.allclose(np.diff(np.log10(grid)), 1 / 3, atol=1e-10)


@pytest.mark.parametrize(
    ("minimum", "maximum", "per_decade", "last", "count"),
    [
        ("1 TeV", "5 TeV", 1, 1e3, 1),
        ("1 TeV", "11 TeV", 2, 1e4, 3),
        ("100 GeV", "1 EeV", 7, 1e9, 50),
    ],
)
def test_the_grid_stays_below_its_maximum(minimum, maximum, per_decade, last, count):
    section = {"minimum": minimum, "maximum": maximum, "per_decade": per_decade}
    grid = scenario.load(BEST).replace({"energies": section}).energies.grid
    assert grid[-1] == last
    assert len(grid) == count


def test_listed_energies_are_kept_exactly_and_in_order():
    config = scenario.load(BEST).replace(
        {"energies": {"values": ["1234.5678901234 GeV", "10 TeV"]}}
    )
    assert config.energies.grid == (1234.5678901234, 1e4)
    assert scenario.parse(config.to_toml()).energies.grid == config.energies.grid


def test_what_is_left_out_has_the_value_of_the_best_fit():
    config = scenario.parse('model = "xue-liu-2025"\n[cloud]\ndepth = "3 pc"\n')
    assert config.cloud.depth == 3.0
    assert config.title == "untitled"
    expected = scenario.load(BEST).replace({"cloud.depth": "3 pc", "title": "untitled"})
    assert config == expected


def test_a_table_of_nuclei_is_taken_as_it_stands():
    text = 'model = "xue-liu-2025"\nspecies.names = ["p"]\n[spectrum]\nindex = {p = 2.7}\n'
    config = scenario.parse(text)
    assert config.spectrum.index == {"p": 2.7}
    assert config.species.names == ("p",)


def test_quantities_stand_for_text():
    best = scenario.load(BEST)
    changed = best.replace({"cloud.depth": 0.002 * u.kpc, "nearby.age": 1e5 * u.yr})
    assert changed.cloud.depth == pytest.approx(2.0, rel=1e-15)
    assert changed.nearby.age == 1e5
    assert scenario.parse(changed.to_toml()) == changed


@pytest.mark.parametrize(
    "values",
    [
        [1 * u.TeV, 10 * u.TeV],
        (1 * u.TeV, "10 TeV"),
        [1, 10] * u.TeV,
        np.array([1e3, 1e4]) * u.GeV,
        [np.array(1.0) * u.TeV, 1e13 * u.eV],
    ],
)
def test_lists_and_arrays_of_quantities_stand_for_lists_of_text(values):
    document = {"model": BEST, "energies": {"values": values}}
    config = scenario.Config.from_dict(document)
    assert config.energies.grid == (1e3, 1e4)
    assert scenario.parse(config.to_toml()) == config
    assert scenario.load(BEST).replace({"energies": {"values": values}}).energies == config.energies


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("background.rate", 0.25 / u.yr, 0.25),
        ("background.volume", 8 * u.kpc**3, 8e9),
        ("nearby.source.p", 2e52 / u.TV, 2e49),
        ("velocity.solar_u", 12 * u.km / u.s, 12 * KM_PER_S),
        ("diffusion.d0", 1e28 * u.cm**2 / u.s, 1e28 * CM2_PER_S),
    ],
)
def test_compound_units_of_quantities_are_read(key, value, expected):
    config = scenario.load(BEST).replace({key: value})
    for found in (config, scenario.parse(config.to_toml())):
        for part in key.split("."):
            found = found[part] if isinstance(found, dict) else getattr(found, part)
        assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("number", [np.int64, np.int32, np.uint16, np.array])
def test_whole_numbers_and_others_may_be_those_of_numpy(number):
    keys = ("batch", "seed", "nside", "leg_steps")
    config = scenario.load(BEST).replace({f"monte_carlo.{key}": number(128) for key in keys})
    assert [getattr(config.monte_carlo, key) for key in keys] == [128] * 4
    assert all(type(getattr(config.monte_carlo, key)) is int for key in keys)
    again = scenario.parse(config.to_toml())
    assert again == config
    assert again.replace({"diffusion.slope": number(1)}).diffusion.slope == 1.0
    assert again.replace({"diffusion.slope": np.float32(0.5)}).diffusion.slope == 0.5


def test_dotted_keys_reach_any_depth_and_none_takes_out():
    best = scenario.load(BEST)
    given = {"p": "3e52 GV-1"}
    changed = best.replace({"nearby.source": given, "nearby.source.He": "1e52 GV-1"})
    assert changed.nearby.source == {"p": 3e52, "He": 1e52}
    assert given == {"p": "3e52 GV-1"}
    assert best.replace({"nearby.source.p": "3e52 GV-1"}).nearby.source == {
        "p": 3e52,
        "He": best.nearby.source["He"],
    }
    assert changed.replace({"species.names": ["He"], "nearby.source.p": None}).nearby.source == {
        "He": 1e52
    }
    assert best.replace({"cloud": None, "cloud.depth": "3 pc"}).cloud.depth == 3.0


def test_batches_are_multiples_of_what_a_kernel_advances_together():
    # written twice, since importing the kernels takes a second
    assert sections.LANES == LANES


def test_options_are_written_and_taken_out_again():
    best = scenario.load(BEST)
    with_seed = best.replace({"monte_carlo.seed": 2**63 - 1, "stop.rel_err": 0.01})
    again = scenario.parse(with_seed.to_toml())
    assert again.monte_carlo.seed == 2**63 - 1
    assert again.stop.rel_err == 0.01
    assert with_seed.replace({"monte_carlo.seed": None, "stop.rel_err": None}) == best


def test_a_change_leaves_the_original_alone():
    best = scenario.load(BEST)
    before = best.to_toml()
    best.replace({"cloud.depth": "9 pc", "centre.source": {"p": "1 GV-1", "He": "1 GV-1"}})
    assert best.to_toml() == before
    assert scenario.load(BEST) == best


def test_batches_cover_the_histories_once():
    batches = scenario.load(BEST).replace({"stop.histories": 100_000}).batches()
    assert batches == [(0, 65536), (65536, 34464)]


def test_a_configuration_survives_pickling():
    config = scenario.load(BEST)
    again = pickle.loads(pickle.dumps(config))
    assert again == config
    assert again.to_toml() == config.to_toml()


def test_the_error_survives_pickling():
    error = pickle.loads(pickle.dumps(ConfigError(["a: b", "c: d"])))
    assert error.problems == ["a: b", "c: d"]
    assert str(error) == "a: b\nc: d"


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(tmp_path):
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xef\xbb\xbf" + scenario.text(BEST).replace("\n", "\r\n").encode())
    assert scenario.load(path) == scenario.load(BEST)
    assert scenario.load(str(path)) == scenario.load(BEST)


@pytest.mark.parametrize(
    "changes",
    [
        {"velocity": {f"solar_{axis}": "0 km/s" for axis in "uvw"} | {"cloud_speed": "0 km/s"}},
        {
            "velocity": {f"solar_{axis}": "0 km/s" for axis in "uvw"}
            | {"cloud_ra": "48.5 deg", "cloud_dec": "-21.2 deg"}
        },
    ],
)
def test_a_cloud_without_a_direction_across_the_field_is_refused(changes):
    config = scenario.load(BEST).replace(changes)
    with pytest.raises(ConfigError, match=r"\Avelocity: got a cloud [^\n]*\Z"):
        config.model()


def test_differences_are_truncated_below_the_floor_of_the_comparison():
    """The largest gradient_step allowed, squared over six, is no visible difference."""
    scenario.load(BEST).replace({"monte_carlo.gradient_step": 0.02})
    with pytest.raises(ConfigError, match=r"monte_carlo\.gradient_step: .* at most 0\.02"):
        scenario.load(BEST).replace({"monte_carlo.gradient_step": 0.03})
    assert comparison.FLOOR > 0.02**2 / 6.0


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (90, 90.0),
        (0.5e3, 500.0),
        ("30 min", 1800.0),
        ("2 h", 7200.0),
        ("1.5 d", 129600.0),
        ("3600 s", 3600.0),
        (2 * u.h, 7200.0),
        (np.int64(64), 64.0),
    ],
)
def test_the_time_of_a_run_is_seconds_or_has_a_unit(given, seconds):
    config = scenario.load(BEST).replace({"stop.seconds": given})
    assert config.stop.seconds == seconds
    assert type(config.stop.seconds) is float
    assert scenario.parse(config.to_toml()).stop.seconds == seconds
    assert scenario.load(BEST).stop.seconds is None

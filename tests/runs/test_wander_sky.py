"""The sky study of `mcprop wander`: Hall part, kinetic theory, what skies share, maps."""

import math

import numpy as np
import pytest
from matplotlib.image import imread
from wander_runs import SKY, invoke, written

from mcprop.frames import field_frame, unit_vector
from mcprop.sky import SkyMap
from mcprop.units import C_LIGHT
from mcprop.wander_study import study, tables
from mcprop.wander_study.config import load
from mcprop.wander_study.plan import plan_text
from mcprop.wander_study.skies import summary_text
from mcprop.wander_study.sky_figures import draw_power
from mcprop.wander_study.tables import DurationRow, HallRow, PowerRow, SkyRow
from mcprop.wandering import turning_rate

OMEGA = 3.0 * turning_rate(1e6)
"""Of 1 PV in 3 uG [rad/yr]."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Almost no turbulence, so that everything is known."""
    config = load("wander-sky").replace(
        {
            "field.mach": 1e-3,
            "field.waves": 24,
            "sky.nside": 4,
            "sky.duration": "10 yr",
            "monte_carlo.realisations": 3,
            "monte_carlo.seed": 5,
        }
    )
    return study.run(config, workers=2).write(tmp_path_factory.mktemp("sky") / "out")


def test_the_hall_part_changes_its_sign_with_the_charge(directory):
    rows = tables.read(directory / "hall.ecsv", HallRow)
    told = [("orbits", q) for q in (1, -1, 0)] + [("kinetic theory", q) for q in (1, -1, 0)]
    assert [(row.observer, row.charge) for row in rows] == told
    # an arc round the mean field leads v (1 - cos a)/omega to the side
    arc = C_LIGHT / OMEGA * (1.0 - math.cos(10.0 * OMEGA))
    for row in rows[:3]:
        assert row.kappa_hall == pytest.approx(row.charge * C_LIGHT / 3.0 * arc, rel=0.02, abs=1e-4)
        assert row.dipole_y == pytest.approx(-row.charge * 1e-3 * arc, rel=0.02, abs=1e-6)
        assert row.dipole_z == pytest.approx(10.0 * C_LIGHT * 1e-4, rel=0.02)
    for row in rows[3:]:
        w = OMEGA * 3.0 * rows[0].kappa_parallel / C_LIGHT**2 * row.charge
        hall = rows[0].kappa_parallel * w / (1.0 + w * w)
        assert abs(row.kappa_hall - hall) < 4.0 * row.kappa_hall_err
        assert abs(row.kappa_parallel - rows[0].kappa_parallel) < 4.0 * row.kappa_parallel_err


def test_equal_skies_share_all_their_power(directory):
    power = tables.read(directory / "power.ecsv", PowerRow)
    assert power[0].common == pytest.approx(power[0].c_l, rel=0.01)
    assert draw_power(power, power, [], "A sky").axes


def test_orbits_that_fly_straight_on_are_not_converged(directory):
    rows = {row.quantity: row for row in tables.read(directory / "duration.ecsv", DurationRow)}
    along = rows["kappa_parallel"]
    assert along.half == pytest.approx(C_LIGHT**2 * 5.0 / 3.0, rel=0.01)
    assert along.growth == pytest.approx(along.half, rel=0.01)
    assert rows["memory"].whole == pytest.approx(1.0, rel=1e-3)
    assert along.verdict == "not yet"
    assert {rows[f"C_{multipole}/C_1"].unit for multipole in range(2, 9)} == {"1"}
    text = (directory / "summary.txt").read_text()
    assert "sky.duration = 10 yr: not yet converged (kappa_parallel" in text


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"sky.duration": "20 yr"}, "not yet converged (kappa_parallel"),
        ({"sky.duration": "30 yr", "sky.tau": "2 yr"}, "converged within 3 standard deviations"),
        ({"sky.duration": "20 yr", "monte_carlo.realisations": 2}, "cannot be told"),
    ],
)
def test_a_duration_that_is_too_short_is_told(changes, verdict):
    """Orbits forget their direction in 2 yr by collisions, in some 50 yr by the turbulence."""
    few = {"field.waves": 24, "sky.nside": 4, "monte_carlo.realisations": 8, "monte_carlo.seed": 5}
    outcome = study.run(load("wander-sky").replace(few | changes), workers=1).outcome
    told = [line for line in outcome.text.splitlines() if line.startswith("  sky.duration = ")]
    assert verdict in told[0]
    along = outcome.tables["duration.ecsv"][0][0]
    if "sky.tau" in changes:
        # orbits of both durations scatter, at least by as much as they do at the shorter one
        assert abs(along.growth) < 4.0 * along.growth_err < along.whole


def test_two_skies_share_nothing_that_could_be_told(directory):
    config = load("wander-sky").replace({"sky.nside": 2, "sky.duration": "1 yr"})
    config = config.replace({"monte_carlo.realisations": 2, "monte_carlo.seed": 5})
    power = study.run(config, workers=1).outcome.tables["power.ecsv"][0]
    assert all(math.isnan(row.common) and math.isnan(row.common_err) for row in power)


def test_maps_are_in_icrs_axes_with_the_field_where_it_points(directory):
    rows = tables.read(directory / "sky.ecsv", SkyRow)
    axes = field_frame(unit_vector(48.5, -21.2))
    first = SkyMap.read(directory / "sky" / "first.fits").fit_dipole().vector
    expected = np.array([rows[0].dipole_x, rows[0].dipole_y, rows[0].dipole_z]) @ axes
    np.testing.assert_allclose(first, expected, atol=0.02 * np.linalg.norm(expected))
    for name in ("first", "mean", "kinetic"):
        read = SkyMap.read(directory / "sky" / f"{name}.fits")
        assert read.nside == 4
        assert read.seed == 5
        assert read.title.startswith("The sky at 1 PV")


def test_without_waves_the_dipole_is_that_of_an_orbit_round_the_mean_field(directory):
    for row in tables.read(directory / "sky.ecsv", SkyRow):
        # v T g along the field: 10 light years at 1e-4 per pc
        assert row.dipole_z == pytest.approx(10 * C_LIGHT * 1e-4, rel=0.01)
        assert row.local_lean < 1.0
        assert row.power < 0.01


def test_a_sky_is_seen_through_each_realisation(tmp_path):
    outcome = invoke("wander", written(tmp_path / "k.toml", SKY), "-o", tmp_path / "out", "-j", 2)
    assert outcome.exit_code == 0, outcome.output
    rows = tables.read(tmp_path / "out" / "sky.ecsv", SkyRow)
    power = tables.read(tmp_path / "out" / "power.ecsv", PowerRow)
    assert [row.realisation for row in rows] == [0, 1]
    assert [row.multipole for row in power] == list(range(1, 9))
    assert power[0].relative == 1.0
    figures = sorted((tmp_path / "out" / "figures").iterdir())
    assert {"power.png", "residual.png", "sky.png"} <= {one.name for one in figures}
    assert all(imread(one)[..., :3].std() > 0.05 for one in figures)
    assert SkyMap.read(tmp_path / "out" / "sky" / "first.fits").nside == 4


def test_the_dipole_is_told_on_the_sky_as_well(directory):
    axes = field_frame(unit_vector(48.5, -21.2))
    for row in tables.read(directory / "sky.ecsv", SkyRow):
        found = row.amplitude * unit_vector(row.ra, row.dec)
        expected = np.array([row.dipole_x, row.dipole_y, row.dipole_z]) @ axes
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    # as the comment of the scenario has it
    np.testing.assert_allclose(axes[0], unit_vector(48.5, 68.8), atol=1e-9)


def test_too_steep_a_gradient_is_told_before_and_after(directory):
    steep = load("wander-sky").replace(
        {"sky.gradient_along": "0.6 pc-1", "sky.nside": 2, "sky.duration": "10 yr"}
        | {"field.waves": 8, "monte_carlo.realisations": 2, "monte_carlo.seed": 5}
    )
    assert "warning: gradient times the length of the orbits is 1.84: " in plan_text(steep)
    text = study.run(steep, workers=1).text
    assert "warning: the relative intensity goes from -0." in text
    assert ", below 0: " in text
    assert "Warning: with less than 8 realisations they are little worth." in text
    assert "warning" not in plan_text(load("wander-sky"))
    assert "warning:" not in (directory / "summary.txt").read_text()


def test_two_skies_show_no_multipole():
    config = load("wander-sky").replace({"monte_carlo.realisations": 2})
    row = PowerRow(2, 1e-6, 1e-7, 0.0, math.nan, math.nan, 1e-2, 1e-3)
    sky = SkyRow(0, *([0.1] * (len(SkyRow._fields) - 1)))
    said = [
        summary_text(config.replace({"monte_carlo.realisations": n}), [sky] * n, [row, row])
        for n in (2, 20)
    ]
    assert "no mean C_l/C_1 from l = 2 on is above 0 by 236 standard deviations" in said[0]
    assert "C_2/C_1 = 1.00e-02 +- 1.0e-03 (10.0 standard deviations)" in said[1]

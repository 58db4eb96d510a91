"""`mcprop wander` with a burst, end to end."""

from types import SimpleNamespace

import pytest
from matplotlib.image import imread
from wander_runs import BURST, every_file_says_where_it_comes_from, invoke, written

from mcprop.analytic import green
from mcprop.diffusion import tensor
from mcprop.units import CM2_PER_S
from mcprop.wander_study import tables
from mcprop.wander_study.burst import verdict_of
from mcprop.wander_study.legs import LegRow
from mcprop.wander_study.tables import SourceRow
from mcprop.wandering.realisations import Estimate


def test_a_burst_is_seen_through_each_realisation(tmp_path):
    path = written(tmp_path / "b.toml", BURST)
    outcome = invoke("wander", path, "-o", tmp_path / "out", "-j", 2)
    assert outcome.exit_code == 0, outcome.output
    rows = tables.read(tmp_path / "out" / "source.ecsv", SourceRow)
    kappa = 6.45e29 * CM2_PER_S
    uniform = tensor(kappa, 0.1**4 * kappa, (0.0, 0.0, 1.0))
    formula = float(green.density((18.5, 0.0, 250.0), uniform, 3.4e5))  # pc, yr as in the scenario
    assert [row.realisation for row in rows] == [0, 1, 2]
    for row in rows:
        assert row.density > 0.0
        assert 0.0 <= row.local_lean < 30.0
        # kappa_perp alone is 1e-2; what wandering adds is less than a fifth of it
        assert row.growth_perp == pytest.approx(1e-2, rel=0.3)
        assert row.density / row.flux_ratio == pytest.approx(formula, rel=1e-9)
        assert row.growth_late == pytest.approx(row.growth_perp, rel=0.3)
    legs = tables.read(tmp_path / "out" / "leg.ecsv", LegRow)
    assert [(row.realisation, round(3.4e5 / row.leg)) for row in legs] == [
        (0, 32), (0, 16), (0, 8), (1, 32), (1, 16), (1, 8),
    ]  # fmt: skip
    for used, row in zip(rows, legs[1::3], strict=False):
        assert (row.density, row.dipole_z) == (used.density, used.dipole_z)
    assert min(row.chance for row in legs[::3] + legs[2::3]) > 1e-4
    assert "in 2 realisations, the density changes by " in outcome.stdout
    assert "what is seen does not depend on the leg within its error" in outcome.stdout
    # three realisations do not tell
    assert "is undecided next to M_A^4 = 0.0001" in outcome.stdout
    assert "the scatter of 3 realisations of the field; as many as 3 of" in outcome.stdout
    assert "Warning: with less than 8 realisations they are little worth." in outcome.stdout
    assert "10000 GV: mean free path 20.9 pc" in outcome.stdout
    assert imread(tmp_path / "out" / "figures" / "burst.png")[..., :3].std() > 0.05
    assert len(list((tmp_path / "out" / "figures").iterdir())) == 1
    every_file_says_where_it_comes_from(tmp_path / "out")


@pytest.mark.parametrize(
    ("realisations", "off", "said"),
    [
        (2, 1e3, "is undecided next to"),
        (7, 1e3, "is undecided next to"),
        (8, 4.0, "agrees with"),  # Student's t: 4.53 are as rare as 3 of a Gaussian
        (8, 5.0, "is not"),
        (100, 4.0, "is not"),
    ],
)
def test_few_realisations_of_a_burst_refute_nothing(realisations, off, said):
    error = 1e-6
    study = SimpleNamespace(
        seen=(None,) * realisations, mach=0.1, perpendicular=Estimate(1e-4 + off * error, error)
    )
    assert verdict_of(study) == said

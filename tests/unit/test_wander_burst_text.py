"""What the study of a burst says of the leg, and of how far its cloud has come."""

from types import SimpleNamespace

import numpy as np
import pytest
from wander_runs import BURST, invoke, written

from mcprop.wander_study import config as configurations
from mcprop.wander_study.burst import settling_text
from mcprop.wander_study.cost import evaluations
from mcprop.wander_study.legs import leg_rows, leg_text
from mcprop.wandering.burst_legs import LegScan, leg_test
from mcprop.wandering.realisations import Estimate

ALONG = np.array([0.0, 0.0, 1.0])
COMMON, OWN = 0.04, 0.01
"""Errors of each value, over it: one that all legs have in common, and one of each leg."""


def study_of(*factors):
    """Two realisations of density and dipole by leg, over those of the leg that is used."""
    used = np.array([2e-7, 1e-3, 2e-3, 4e-3])
    values = np.outer(factors, used)
    joint = COMMON**2 + OWN**2 * np.eye(len(factors))
    covariance = np.kron(joint, np.diag(used**2))
    scan = LegScan(np.array([1e3, 2e3, 4e3]), np.array([4e3, 8e3, 16e3]), values, covariance)
    return SimpleNamespace(
        leg_scans=[(0, scan), (1, scan)],
        leg_test=leg_test([scan, scan], [ALONG, ALONG]),
        formula_dipole=np.array([0.0, 0.0, 8e-3]),
    )


def test_changes_have_the_error_of_what_legs_do_not_have_in_common():
    scan = study_of(1.01, 1.0, 0.98).leg_scans[0][1]
    np.testing.assert_allclose(scan.errors, np.hypot(COMMON, OWN) * scan.values[[1, 1, 1]])
    np.testing.assert_allclose(
        scan.change_errors, np.outer([1, 0, 1], np.sqrt(2.0) * OWN * scan.values[1])
    )
    # four quantities alike; both changes together, of which the leg that is used has a part
    assert scan.chi2(0) == pytest.approx(4 * 0.01**2 / (2 * OWN**2))
    changes, both = np.array([0.01, -0.02]), OWN**2 * np.array([[2.0, 1.0], [1.0, 2.0]])
    assert scan.chi2(0, 2) == pytest.approx(4 * changes @ np.linalg.solve(both, changes))


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ((1.01, 1.0, 0.99), "what is seen does not depend on the leg within its error"),
        ((1.0, 1.0, 1.05), "what is seen depends on the leg"),
        ((0.95, 1.0, 1.0), "what is seen depends on the leg"),
    ],
)
def test_the_verdict_on_the_leg(factors, said):
    study = study_of(*factors)
    text = leg_text(study)
    assert text.endswith(said)
    low, high = (100 * (factors[0] - 1), 100 * (factors[2] - 1))
    assert "leg of the observer's clouds, 1e+03 and 4e+03 yr for 2e+03 yr, in 2 real" in text
    assert f"the density changes by {low:+.2g} +- 1 and {high:+.2g} +- 1 %" in text
    # of 8e-3, where the dipole along the field is 4e-3
    told = f"{0.5 * (factors[0] - 1):+.2g} +- 0.005 and {0.5 * (factors[2] - 1):+.2g} +- 0.005"
    assert f"along the local field by {told} of 3 r/(2 v T)" in text
    rows = list(leg_rows((1e4, 1e-4, "number"), study))
    assert [(row.realisation, row.leg) for row in rows[:4]] == [
        (0, 1e3),
        (0, 2e3),
        (0, 4e3),
        (1, 1e3),
    ]
    assert [row.change_density for row in rows[:3]] == pytest.approx([f - 1 for f in factors])
    assert np.isnan([row.chance for row in rows]).tolist() == 2 * [False, True, False]


def test_nothing_is_said_of_legs_that_were_not_tried():
    assert leg_text(SimpleNamespace(leg_scans=[])) == ""


@pytest.mark.parametrize(
    ("change", "width", "said"),
    [
        (-4e-6, 13.0, "0.13 of the longest wavelength: it still falls, and is not yet the coeff"),
        (4e-6, 200.0, "it still rises, and is not yet the coefficient of large scales"),
        (-3e-6, 13.0, "no significant change, but so narrow a cloud need not have the coeff"),
        (
            -3e-6,
            200.0,
            "no significant change: it may be taken for the coefficient of large scales",
        ),
    ],
)
def test_a_cloud_that_still_changes_does_not_pass_for_large_scales(change, width, said):
    """Of 24 realisations, 3.36 standard deviations are as rare as 3 of a Gaussian."""
    study = SimpleNamespace(
        late=Estimate(1.5e-4, 1e-5), later=Estimate(change, 1e-6), width=width, seen=(None,) * 24
    )
    text = settling_text(study, 100.0)
    assert said in text
    assert f"in the second half of its way 1.500e-04 +- 1.0e-05, a change of {change:+.1e}" in text


def test_trying_the_leg_costs_half_of_a_realisation_each_time():
    config = configurations.load("xue-liu-2025-wandering-mc")
    assert config.monte_carlo.legs == 3
    two, all_of_them, more = (
        evaluations(config.replace({"monte_carlo.legs": legs})) for legs in (2, 24, 1000)
    )
    assert all_of_them == more
    each = (all_of_them - two) / 22
    assert 0.3 < each / ((two - 2 * each) / 24) < 0.6


def test_the_leg_is_tried_in_two_realisations_at_least(tmp_path):
    path = written(tmp_path / "b.toml", BURST | {"monte_carlo.legs": 1})
    outcome = invoke("check", path)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("monte_carlo.legs: got 1; allowed: ")
    assert outcome.stderr.count("\n") == 1

"""Error bars of small runs: of many, 68.3 % hold the truth, which is known by formula.

Runs differ by their seeds alone. The nightly tests take a thousand of them and more; the others
fewer, with a bound that a right error bar breaks once in 10^4.
"""

import math
from functools import cache
from itertools import islice
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from mcprop.analytic import boost
from mcprop.assembly import ALL
from mcprop.moments import SLICES
from mcprop.scenario import load
from mcprop.species import SPECIES, rigidity_of
from mcprop.transport import Outcome
from mcprop.units import C_LIGHT
from mcprop.xue_liu_2025.plan import gas_index

ONE_SIGMA = math.erf(1.0 / math.sqrt(2.0))
ENERGY = 1e4
NIGHTLY, MARGIN = 1000, 0.03
RUNS = {"total": 200, "background": 300}


class Setting(NamedTuple):
    """A model with the jobs of one energy."""

    model: object
    planned: list
    study: object


@cache
def setting(scenario: str) -> Setting:
    config = load(scenario).replace({"species": {"names": ["p"]}})
    model = config.model()
    planned = config.study.planner(model, config.monte_carlo).jobs(ENERGY)
    return Setting(model, planned, config.study)


def outcome(planned, seed: int, histories: int) -> Outcome:
    return planned.job.run(seed, 0, histories, 0)


def pull(found: float, error: float, truth: float) -> float:
    return (found - truth) / error


def totals(seeds: range, histories: int) -> dict[str, np.ndarray]:
    """Deviations of amplitude and phase of the total, and of the burst's density, in errors."""
    model, planned, study = setting("xue-liu-2025")
    velocity, index = -model.u_hc / C_LIGHT, gas_index(model, ENERGY)
    weights = [float(model.total_intensity_energy(ENERGY, name)) for name in model.species]
    seen = [boost.dipole(ENERGY, SPECIES[s].mass, index, velocity) for s in model.species]
    truth = model.total_dipole(ENERGY) - model.compton_getting(ENERGY)
    truth = truth + np.average(seen, axis=0, weights=weights)
    amplitude = math.hypot(truth[0], truth[1])
    phase = math.degrees(math.atan2(truth[1], truth[0]))
    density = float(model.density("nearby", float(rigidity_of(ENERGY, "p")), "p"))
    pulls = {"density": [], "amplitude": [], "phase": []}
    for seed in seeds:
        outcomes = [outcome(job, seed, histories) for job in planned]
        assembly = study.assembly(model, ENERGY, planned, outcomes)
        total = assembly.dipole("total", ALL)
        pulls["density"].append(pull(*assembly.density("nearby", "p"), density))
        pulls["amplitude"].append(pull(total.amplitude, total.amplitude_err, amplitude))
        pulls["phase"].append(pull(total.ra, total.ra_err, phase))
    return {name: np.array(values) for name, values in pulls.items()}


def backgrounds(seeds: range, histories: int) -> dict[str, np.ndarray]:
    """Deviations of density and amplitude of the Galactic background from the grid, in errors.

    Histories of one seed come in one batch, whose slices are as many runs.
    """
    model, planned, _ = setting("lrmf-sdp")
    job = next(p for p in planned if (p.component, p.species) == ("background", "p"))
    density = float(model.density("background", float(rigidity_of(ENERGY, "p")), "p"))
    truth = model.component_dipole("background", ENERGY, "p")
    amplitude = math.hypot(truth[0], truth[1])
    pulls = {"density": [], "amplitude": []}
    slices = (part for seed in seeds for part in outcome(job, seed, SLICES * histories).parts)
    for moments in islice(slices, len(seeds)):
        dipole = moments.dipole()
        pulls["density"].append(pull(*moments.density(), density))
        pulls["amplitude"].append(pull(dipole.amplitude, dipole.amplitude_err, amplitude))
    return {name: np.array(values) for name, values in pulls.items()}


SAMPLES = {"total": (totals, 2048), "background": (backgrounds, 64)}
PLANTED = {"too small": 1.0 / math.sqrt(2.0), "too large": math.sqrt(2.0)}


@cache
def sample(name: str, runs: int) -> dict[str, np.ndarray]:
    make, histories = SAMPLES[name]
    return make(range(1, runs + 1), histories)


def shares(name: str, runs: int, error: float = 1.0) -> dict[str, float]:
    """Part of the runs whose interval holds the truth, with error bars that much too large."""
    pulls = sample(name, runs)
    return {quantity: float(np.mean(np.abs(p) < error)) for quantity, p in pulls.items()}


def is_covered(share: float, runs: int) -> bool:
    """Whether a right error bar gives so many or so few runs inside more often than in 10^-4."""
    inside = round(share * runs)
    below = stats.binom.cdf(inside, runs, ONE_SIGMA)
    above = stats.binom.sf(inside - 1, runs, ONE_SIGMA)
    return 2.0 * min(below, above) > 1e-4


@pytest.mark.parametrize("name", SAMPLES)
def test_error_bars_hold_the_truth(name):
    found = shares(name, RUNS[name])
    assert all(is_covered(share, RUNS[name]) for share in found.values()), found


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("name", SAMPLES)
def test_error_bars_off_by_the_root_of_two_are_caught(name, planted):
    found = shares(name, RUNS[name], PLANTED[planted])
    assert not any(is_covered(share, RUNS[name]) for share in found.values()), found


@pytest.mark.nightly
@pytest.mark.parametrize("name", SAMPLES)
def test_error_bars_of_a_thousand_runs(name):
    found = shares(name, NIGHTLY)
    off = {quantity: share for quantity, share in found.items() if abs(share - ONE_SIGMA) > MARGIN}
    assert off == {}


@pytest.mark.nightly
@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("name", SAMPLES)
def test_a_thousand_runs_catch_error_bars_off_by_the_root_of_two(name, planted):
    found = shares(name, NIGHTLY, PLANTED[planted])
    assert all(abs(share - ONE_SIGMA) > MARGIN for share in found.values()), found

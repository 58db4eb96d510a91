"""Orbits in turbulence: tied to field lines in a slab, diffusing in isotropic waves."""

import math

import numpy as np

from mcprop.fields import UniformField, total, turbulence
from mcprop.units import C_LIGHT
from mcprop.wandering import follow_orbits, running_diffusion, turning_rate
from mcprop.wandering.plateau import plateau


def test_particles_stay_on_the_lines_of_a_slab_and_do_not_diffuse_across():
    """Compound diffusion: <dx^2> is the spread of the field lines over the distance dz covered.

    In a slab dx/dz = B_x/B_0 exactly, so that over dz a line of given waves has gone aside by
    F(dz) = sum of a_n^2/(2 B_0^2 k_n^2) (1 - cos k_n dz), averaged over place and axes; collisions
    add kappa_perp of kinetic theory.
    """
    rigidity, base, product, realisations = 3e4, 3.0, 50.0, 16
    path = product * C_LIGHT / (base * turning_rate(rigidity))  # of 50 gyroradii
    tau = path / C_LIGHT
    times = tau * np.linspace(2.5, 40.0, 16)
    squares, rests = np.empty((2, realisations, len(times)))
    for number in range(realisations):
        waves = turbulence("slab", 0.3 * base, 10.0 * path, 2.0 * path, waves=20, seed=number)
        random = np.random.default_rng(number)
        starts, directions = (
            random.uniform(-1e4, 1e4, (128, 3)) * path,
            random.normal(size=(128, 3)),
        )
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        field = total(UniformField(0.0, 0.0, base), waves)
        found = follow_orbits(field, rigidity, starts, directions, times, tau=tau, seed=number)
        moved = found.positions - starts
        k, a = waves.k[:, 2], np.linalg.norm(waves.amplitude, axis=1)
        lines = (1.0 - np.cos(moved[:, :, 2:] * k)) @ (a**2 / (2.0 * base**2 * k**2))
        across = 0.5 * (moved[:, :, 0] ** 2 + moved[:, :, 1] ** 2)
        squares[number], rests[number] = across.mean(axis=1), (across - lines).mean(axis=1)
    kinetic = 2.0 * C_LIGHT * path / 3.0 / (1.0 + product**2) * times
    error = rests.std(axis=0, ddof=1) / math.sqrt(realisations)
    assert np.abs((rests.mean(axis=0) - kinetic) / error).max() < 5.0
    assert (error < 0.05 * squares.mean(axis=0)).all()
    edges = np.concatenate([[0.0], times])
    slopes = np.diff(squares, axis=1, prepend=0.0) / np.diff(edges)
    assert plateau(edges, slopes, part=0.9).verdict == "moving"


def strong_turbulence(seed):
    waves = turbulence("isotropic", 3.0, 100.0, 20.0, waves=40, seed=seed)
    return total(UniformField(0.0, 0.0, 3.0), waves)


def test_running_coefficients_in_strong_turbulence_come_to_rest():
    times = np.concatenate([[100.0], np.linspace(1000.0, 6000.0, 11)])
    found = running_diffusion(strong_turbulence, 3e7, times, 32, 512, 1)
    along, across = (found.plateau(component) for component in ("parallel", "perp"))
    for one in (along, across):
        assert one.verdict == "flat"
        assert one.std_dev < 0.03 * one.mean
    assert found.slope_parallel.value[0] < 0.2 * along.mean  # ballistic at first
    assert across.mean < 0.2 * along.mean


def test_the_step_of_orbits_in_strong_turbulence_does_not_matter():
    """The same particles in the same fields: what differs is the step, and soon the orbits."""

    def moved(rigidity=3e7, step=None):
        found = running_diffusion(
            strong_turbulence, rigidity, (500.0, 1000.0), 32, 256, 3, step=step
        )
        return np.hstack([found.along, found.across]), found.step

    def pulls(squares):
        off = squares - fine
        return np.abs(off.mean(axis=0)) / off.std(axis=0, ddof=1) * math.sqrt(len(off))

    (rough, longest), (fine, short) = moved(), moved(step=1.5)
    assert longest > 1.7 * short
    assert pulls(rough).max() < 4.0
    error = (rough - fine).std(axis=0, ddof=1) / math.sqrt(len(fine)) / fine.mean(axis=0)
    assert error.max() < 0.005
    # a force that is weaker by a tenth is noticed
    assert pulls(moved(3.3e7, 1.5)[0]).max() > 4.0

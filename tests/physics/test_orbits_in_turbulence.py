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
    assert not plateau(edges, slopes, part=0.9).flat


def test_running_coefficients_in_strong_turbulence_come_to_rest():
    """And the step does not matter: orbits soon differ, coefficients must not."""

    def field_of(seed):
        waves = turbulence("isotropic", 3.0, 100.0, 20.0, waves=40, seed=seed)
        return total(UniformField(0.0, 0.0, 3.0), waves)

    times = np.concatenate([[100.0, 1000.0], np.linspace(4000.0, 24000.0, 11)])
    found = [
        running_diffusion(field_of, 3e7, times, 16, 64, seed, step=step)
        for seed, step in ((1, None), (2, 1.5))
    ]
    assert found[0].step > 1.9 * found[1].step
    for component in ("parallel", "perp"):
        rough, fine = (one.plateau(component) for one in found)
        assert rough.flat
        assert fine.flat
        assert abs(rough.mean - fine.mean) < 4.0 * math.hypot(rough.std_dev, fine.std_dev)
        assert fine.std_dev < 0.15 * fine.mean
    # ballistic at first
    assert found[1].slope_parallel.value[0] < 0.2 * found[1].plateau("parallel").mean
    assert found[1].plateau("perp").mean < 0.2 * found[1].plateau("parallel").mean

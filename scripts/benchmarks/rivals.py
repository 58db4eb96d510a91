"""The same walks by other means, each written as well as its means allow."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from benchmarks.problem import STEP, STEPS, field_frame_scales, root_tensor

BLOCK = 8192
"""Particles of a NumPy block: positions and noise together fit the second-level cache."""


def numpy_best(particles: int, bit_generator: Callable[[int], Any]) -> np.ndarray:
    """NumPy at its best: blocks that stay in the cache, nothing allocated, the frame of the field.

    Parameters
    ----------
    particles : int
        Rounded down to whole blocks, one at least.
    bit_generator : callable
        Makes the source of random bits from a seed.

    Returns
    -------
    ndarray, shape (3, n)
        Positions [pc], the first axis along the field.
    """
    block = min(BLOCK, particles)
    normal = np.random.Generator(bit_generator(1)).standard_normal
    scales = field_frame_scales()[:, None]
    blocks = np.zeros((particles // block, 3, block))
    kick = np.empty((3, block))
    for position in blocks:
        for _ in range(STEPS):
            normal(out=kick)
            np.multiply(kick, scales, out=kick)
            np.add(position, kick, out=position)
    return np.concatenate(blocks, axis=1)


def numpy_typical(particles: int) -> np.ndarray:
    """NumPy as it is usually written: all particles at once; positions (3, n) as for the best."""
    generator, scales = np.random.default_rng(1), field_frame_scales()
    position = np.zeros((particles, 3))
    for _ in range(STEPS):
        position = position + scales * generator.standard_normal((particles, 3))
    return position.T


@njit
def naive_loop(steps, root, out):
    """A particle after the other, with Numba's own global random state."""
    np.random.seed(1)  # noqa: NPY002
    for j in range(out.shape[1]):
        x, y, z = 0.0, 0.0, 0.0
        for _ in range(steps):
            # the generator that compiled code knows without being handed one
            a = np.random.standard_normal()  # noqa: NPY002
            b = np.random.standard_normal()  # noqa: NPY002
            c = np.random.standard_normal()  # noqa: NPY002
            x += root[0, 0] * a + root[0, 1] * b + root[0, 2] * c
            y += root[1, 0] * a + root[1, 1] * b + root[1, 2] * c
            z += root[2, 0] * a + root[2, 1] * b + root[2, 2] * c
        out[0, j], out[1, j], out[2, j] = x, y, z


@njit
def generator_loop(generator, steps, root, out):
    """A particle after the other, with a NumPy generator that is handed in."""
    for j in range(out.shape[1]):
        x, y, z = 0.0, 0.0, 0.0
        for _ in range(steps):
            a = generator.standard_normal()
            b = generator.standard_normal()
            c = generator.standard_normal()
            x += root[0, 0] * a + root[0, 1] * b + root[0, 2] * c
            y += root[1, 0] * a + root[1, 1] * b + root[1, 2] * c
            z += root[2, 0] * a + root[2, 1] * b + root[2, 2] * c
        out[0, j], out[1, j], out[2, j] = x, y, z


def numba_naive(particles: int) -> np.ndarray:
    """Plain Numba with ``np.random``; positions (3, n) in the axes of the problem."""
    out = np.empty((3, particles))
    naive_loop(STEPS, root_tensor(), out)
    return out


def numba_generator(particles: int) -> np.ndarray:
    """Plain Numba with a NumPy generator; positions (3, n) in the axes of the problem."""
    out = np.empty((3, particles))
    generator_loop(np.random.default_rng(1), STEPS, root_tensor(), out)
    return out


@cache
def diffrax_solver() -> Callable[[int], np.ndarray] | None:
    """Euler's method of diffrax over all particles at once, or None where it is not installed.

    Its default Brownian tree, which can be asked for any time, is more than ten times slower than
    the plain increments used here.
    """
    try:
        import diffrax
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    root = jax.numpy.asarray(root_tensor() / np.sqrt(STEP))

    def solve(key: Any) -> Any:
        shape = jax.ShapeDtypeStruct((3,), jax.numpy.float64)
        path = diffrax.UnsafeBrownianPath(shape, key)
        terms = diffrax.MultiTerm(
            diffrax.ODETerm(lambda t, y, _: jax.numpy.zeros(3)),
            diffrax.ControlTerm(lambda t, y, _: root, path),
        )
        span = (0.0, STEPS * STEP, STEP, jax.numpy.zeros(3))
        ends = diffrax.SaveAt(t1=True)
        adjoint = diffrax.DirectAdjoint()
        found = diffrax.diffeqsolve(
            terms, diffrax.Euler(), *span, saveat=ends, adjoint=adjoint, max_steps=STEPS + 1
        )
        return found.ys[0]

    compiled = jax.jit(jax.vmap(solve))

    def run(particles: int) -> np.ndarray:
        keys = jax.random.split(jax.random.key(1), particles)
        return np.asarray(compiled(keys)).T

    return run

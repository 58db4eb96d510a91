"""The six normal numbers of a block: standard normal, and independent of everything else.

With N numbers the k-th moment of a standard normal has the variance (m_2k - m_k^2)/N; a correlation
of independent numbers has the variance 1/N; both bounds are 4 sigma. Distributions as a whole are
held to p > 1e-4.
"""

import math

import numpy as np
import pytest
from scipy import stats

from mcprop.kernels.launch import directions, frames
from mcprop.kernels.rng import normals
from mcprop.transport import stream

SEED, STREAM = 20250710, np.uint64(12345)
N = 1 << 18


def drawn(n=N, first=0, block=0, seed=SEED, stream_=STREAM):
    out = np.empty((n, 6))
    normals(np.uint64(seed), np.uint64(stream_), np.uint64(first), np.uint64(block), out)
    return out


def double_factorial(k):
    """Return the k-th moment of a standard normal."""
    return 0.0 if k % 2 else float(math.prod(range(1, k, 2)))


def moment_pulls(x):
    """Deviations of the moments 1 to 6 in standard deviations."""
    pulls, power = [], np.ones(x.size)
    for k in range(1, 7):
        power = power * x
        variance = (double_factorial(2 * k) - double_factorial(k) ** 2) / x.size
        pulls.append((np.mean(power) - double_factorial(k)) / math.sqrt(variance))
    return pulls


def correlation_pulls(x, y):
    """Correlations of all columns of x with all of y, of the values and of their squares."""
    scale = math.sqrt(len(x))
    squares = (x**2 - 1.0).T @ (y**2 - 1.0) / (2.0 * scale)
    crossed = (x**2 - 1.0).T @ y / (math.sqrt(2.0) * scale)
    return np.stack([x.T @ y / scale, squares, crossed])


def largest(pulls):
    return float(np.max(np.abs(pulls)))


def gaussian_bound(count):
    """Bound on the largest of `count` pulls that is as strict as 4 sigma on one."""
    return float(stats.norm.isf(stats.norm.sf(4.0) / count))


def test_moments_one_to_six():
    """N = 1.6e6: the variance is known to 1.1e-3, so a factor sqrt(1.01) is nine sigma."""
    x = drawn()
    assert largest([moment_pulls(column) for column in x.T.copy()]) < gaussian_bound(36)
    assert largest(moment_pulls(x.ravel())) < 4.0
    assert largest(moment_pulls(x.ravel() * math.sqrt(1.01))) > 4.0
    assert largest(moment_pulls(x.ravel() + 0.005)) > 4.0


def test_distribution_is_normal():
    """Kolmogorov and Smirnov, N = 262144 for each slot; a shift by 2 % of sigma is caught."""
    x = drawn()
    for column in x.T:
        assert stats.kstest(column, "norm").pvalue > 1e-4
    assert stats.kstest(x[:, 0] + 0.02, "norm").pvalue < 1e-4


def tail_probability(x):
    """p-value of the numbers beyond 3, 3.5, 4, 4.5 and 5 sigma, bin by bin (chi-square)."""
    edges = np.array([3.0, 3.5, 4.0, 4.5, 5.0, np.inf])
    expected = 2.0 * x.size * -np.diff(stats.norm.sf(edges))
    found = np.histogram(np.abs(x), edges)[0]
    # The last bins hold few: a Poisson tail each, the smallest p-value counted for the number
    p = [
        2.0 * min(stats.poisson.cdf(k, mean), stats.poisson.sf(k - 1, mean))
        for k, mean in zip(found, expected, strict=True)
    ]
    return min(1.0, len(p) * min(p))


def test_tails_hold_as_many_as_they_should():
    """12.6 million numbers: 3.4e4 beyond 3 sigma, 7 beyond 5; radii of 8 bits end at 3.5."""
    x = np.concatenate([drawn(1 << 18, block=block).ravel() for block in range(8)])
    assert tail_probability(x) > 1e-4
    assert 5.0 < np.abs(x).max() < 6.23
    assert tail_probability(np.clip(x, -4.0, 4.0)) < 1e-4
    assert tail_probability(1.01 * x) < 1e-4
    coarse = np.sqrt(-2.0 * np.log((np.arange(1 << 8) + 0.5) / (1 << 8)))
    angle = 2.0 * np.pi * np.random.default_rng(1).random(N)
    assert tail_probability(np.resize(coarse, N) * np.cos(angle)) < 1e-4


def test_slots_of_a_block_are_independent():
    """N = 262144: a correlation of 0.2 % is one sigma; a slot used twice is 500."""
    x = drawn()
    pulls = correlation_pulls(x, x)
    pulls = pulls[:, ~np.eye(6, dtype=bool)]
    assert largest(pulls) < gaussian_bound(pulls.size)
    reused = x.copy()
    reused[:, 3] = x[:, 0]
    assert largest(correlation_pulls(reused, reused)[0][~np.eye(6, dtype=bool)]) > 4.0


@pytest.mark.parametrize("pair", [(0, 1), (2, 3), (4, 5), (0, 2), (1, 4)])
def test_pairs_of_slots_are_uniform_in_the_unit_square(pair):
    """16 x 16 equally likely cells, chi-square: the octants of Box and Muller leave no pattern."""
    x = drawn()
    cells = stats.norm.cdf(x[:, pair]) * 16.0
    count = np.histogram2d(*cells.T, bins=16, range=[[0, 16], [0, 16]])[0]
    assert stats.chisquare(count.ravel()).pvalue > 1e-4
    folded = np.abs(cells - 8.0) + 8.0 * (np.arange(N) % 50 == 0)[:, None]
    count = np.histogram2d(*folded.T, bins=16, range=[[0, 16], [0, 16]])[0]
    assert stats.chisquare(count.ravel()).pvalue < 1e-4


NEIGHBOURS = {
    "particle": {"first": 1},
    "block": {"block": 1},
    "stream": {"stream_": STREAM + np.uint64(1)},
    "seed": {"seed": SEED + 1},
    "launch block": {"block": 1 << 63},
}


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_neighbours_are_independent(neighbour):
    pulls = correlation_pulls(drawn(), drawn(**NEIGHBOURS[neighbour]))
    assert largest(pulls) < gaussian_bound(pulls.size)


def test_a_shared_stream_is_caught():
    """Two walks on one stream share all numbers; one in a hundred shared is seen as well."""
    x, y = drawn(), drawn(block=1)
    y[::100] = x[::100]
    assert largest(correlation_pulls(x, x)[0]) > 4.0
    assert largest(correlation_pulls(x, y)[0]) > 4.0


def test_jobs_have_streams_of_their_own():
    names = [
        (component, what, estimator, species, energy.hex(), *tail)
        for component in ("nearby", "centre")
        for what in ("cloud", "burst")
        for estimator in ("walk", "assisted", "analog")
        for species in ("p", "He")
        for energy in (1e3, 1e3 + 1e-9, 1e4)
        for tail in ((), ("outside",))
    ]
    streams = {int(stream(*name)) for name in names}
    assert len(streams) == len(names)
    assert all(0 <= value < 1 << 64 for value in streams)


def sphere_probability(vectors):
    """p-value of the isotropy of unit vectors: 192 equal pixels, chi-square."""
    import healpy

    return stats.chisquare(np.bincount(healpy.vec2pix(4, *vectors.T), minlength=192)).pvalue


def drawn_directions(n=1 << 17):
    out = np.empty((n, 3))
    directions(np.uint64(SEED), STREAM, np.uint64(0), out)
    return out


def test_directions_are_isotropic():
    """131072 directions in 192 pixels; a squeeze of the z-axis by 3 % is caught."""
    n = drawn_directions()
    assert np.linalg.norm(n, axis=1) == pytest.approx(np.ones(len(n)), abs=1e-14)
    assert sphere_probability(n) > 1e-4
    squeezed = n * [1.0, 1.0, 0.97]
    assert sphere_probability(squeezed / np.linalg.norm(squeezed, axis=1)[:, None]) < 1e-4


def test_frames_are_rotations_of_every_orientation():
    """Orthonormal, right-handed, each axis isotropic, and the angle of turn as Haar has it."""
    out = np.empty((1 << 17, 9))
    frames(np.uint64(SEED), STREAM, np.uint64(0), out)
    axes = out.reshape(-1, 3, 3)
    identity = np.broadcast_to(np.eye(3), axes.shape)
    np.testing.assert_allclose(axes @ axes.transpose(0, 2, 1), identity, atol=2e-15)
    np.testing.assert_allclose(np.linalg.det(axes), 1.0, atol=2e-15)
    for k in range(3):
        assert sphere_probability(axes[:, k]) > 1e-4
    turn = np.arccos(np.clip((np.trace(axes, axis1=1, axis2=2) - 1.0) / 2.0, -1.0, 1.0))
    assert stats.kstest(turn, lambda t: (t - np.sin(t)) / np.pi).pvalue > 1e-4
    assert stats.kstest(turn, lambda t: t / np.pi).pvalue < 1e-4  # a uniform angle is not Haar

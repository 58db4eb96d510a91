"""Threefry2x64-20 maps (key, counter) to 128 bits: known answers, a second implementation, edges.

Salmon et al. 2011 (doi:10.1145/2063384.2063405) publish the generator with known-answer vectors; a
random number here is a pure function of (seed, stream, particle, block), and nothing else.
"""

import numpy as np
import pytest

from mcprop.kernels.rng import LAUNCH, box_muller, six_normals, uniform, words
from mcprop.protocol import kernel

MASK = (1 << 64) - 1
ROTATIONS = (16, 42, 12, 31, 16, 32, 24, 21)
PI = (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89)


def threefry(counter, key, rounds=20, rotations=ROTATIONS):
    """Threefry2x64 from its definition, in Python's integers."""
    keys = [*key, 0x1BD11BDAA9FC1A22 ^ key[0] ^ key[1]]
    a, b = ((c + k) & MASK for c, k in zip(counter, key, strict=True))
    for step in range(rounds):
        r = rotations[step % 8]
        a = (a + b) & MASK
        b = (((b << r) | (b >> (64 - r))) & MASK) ^ a
        if step % 4 == 3:
            turn = step // 4 + 1
            a = (a + keys[turn % 3]) & MASK
            b = (b + keys[(turn + 1) % 3] + turn) & MASK
    return a, b


def engine(counter, key, n=1):
    """Words of the engine for `n` particles from counter[0] on in block counter[1]."""
    out = np.empty((n, 2), np.uint64)
    words(*(np.uint64(word) for word in (*key, *counter)), out)
    return [tuple(map(int, pair)) for pair in out]


@kernel
def uniforms(bits, out):
    """Fill `out` with the uniform numbers of the words `bits`."""
    for i in range(bits.shape[0]):
        out[i] = uniform(bits[i])


@kernel
def six(w0, w1, out):
    """Fill `out` (6,) with the normal numbers of two words."""
    out[0], out[1], out[2], out[3], out[4], out[5] = six_normals(w0, w1)


@kernel
def pairs(bits, out):
    """Fill `out` (n, 2) with the normal numbers of the 42 bits `bits`."""
    for i in range(bits.shape[0]):
        out[i, 0], out[i, 1] = box_muller(bits[i])


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0), (0, 0), (0xC2B6E3A8C2C69865, 0x6F81ED42F350084D)),
        ((MASK, MASK), (MASK, MASK), (0xE02CB7C4D95D277A, 0xD06633D0893B8B68)),
        (PI[:2], PI[2:], (0x263C7D30BB0F0AF1, 0x56BE8361D3311526)),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_known_answers_of_random123(counter, key, answer):
    assert engine(counter, key) == [answer]
    assert threefry(counter, key) == answer


def test_second_implementation_agrees_and_one_wrong_round_would_show():
    rng = np.random.default_rng(1)
    cases = [
        tuple(map(int, row)) for row in rng.integers(0, MASK, (200, 4), np.uint64, endpoint=True)
    ]
    swapped = (42, 16, *ROTATIONS[2:])
    for c0, c1, k0, k1 in cases:
        [answer] = engine((c0, c1), (k0, k1))
        assert answer == threefry((c0, c1), (k0, k1))
        assert answer != threefry((c0, c1), (k0, k1), rounds=19)
        assert answer != threefry((c0, c1), (k0, k1), rotations=swapped)


def test_particles_count_up_from_the_first_also_across_the_largest_word():
    start = MASK - 2
    expected = [threefry(((start + i) & MASK, 5), (7, 9)) for i in range(6)]
    assert engine((start, 5), (7, 9), n=6) == expected


def test_seed_stream_particle_and_block_all_matter():
    base = [3, 4, 5, 6]
    answers = {tuple(engine(base[2:], base[:2]))}
    for place in range(4):
        for bit in (0, 31, 63):
            other = list(base)
            other[place] ^= 1 << bit
            answers.add(tuple(engine(other[2:], other[:2])))
    assert len(answers) == 13


def test_launch_block_lies_beyond_every_step():
    assert int(LAUNCH) == 1 << 63


def test_uniform_numbers_stay_strictly_inside_zero_and_one():
    bits = np.array([0, 1 << 12, 1 << 63, MASK - (1 << 12), MASK], np.uint64)
    out = np.empty(len(bits))
    uniforms(bits, out)
    step = 2.0**-52
    assert out.tolist() == [step / 2, 1.5 * step, 0.5 + step / 2, 1 - 1.5 * step, 1 - step / 2]
    assert (out > 0.0).all()
    assert (out < 1.0).all()


def test_normal_numbers_follow_box_and_muller_on_their_bits():
    """Radius from the low 27 bits, octant and angle from the 15 above: all extremes of both."""
    radii = [0, 1, 12345678, (1 << 27) - 1]
    angles = [*range(0, 1 << 15, 1023), (1 << 13) - 1, (1 << 15) - 1]
    bits = np.array([(angle << 27) | radius for radius in radii for angle in angles], np.uint64)
    out = np.empty((len(bits), 2))
    pairs(bits, out)
    u = ((bits & np.uint64((1 << 27) - 1)).astype(float) + 0.5) / 2.0**27
    radius = np.sqrt(-2.0 * np.log(u))
    np.testing.assert_allclose(np.hypot(*out.T), radius, rtol=3e-16 * 8)
    assert radius.max() == pytest.approx(6.23, abs=0.01)
    turned = np.sort(np.arctan2(out[: len(angles), 1], out[: len(angles), 0]))
    assert len(set(np.round(turned, 9))) == len(set(angles))


def test_every_angle_of_box_and_muller_is_taken_once():
    """The 2^15 angles are the odd multiples of 2 pi / 2^16, whatever order the bits give them."""
    bits = (np.arange(1 << 15, dtype=np.uint64) << np.uint64(27)) | np.uint64(99)
    out = np.empty((len(bits), 2))
    pairs(bits, out)
    angle = np.sort(np.arctan2(out[:, 1], out[:, 0]) / (2.0 * np.pi) % 1.0)
    expected = (np.arange(1 << 15) + 0.5) / 2.0**15
    np.testing.assert_allclose(angle, expected, atol=1e-15 * 4)


def test_six_normals_use_all_126_bits_once():
    """Flipping one bit of the two words moves exactly one pair, and each bit but two moves one."""
    rng = np.random.default_rng(2)
    first = rng.integers(0, MASK, 2, np.uint64, endpoint=True)
    moved = [_pairs_moved(first, word, bit) for word in range(2) for bit in range(64)]
    assert sorted(moved, key=str) == sorted([(0,)] * 42 + [(1,)] * 42 + [(2,)] * 42 + [()] * 2)


def _pairs_moved(first, word, bit):
    """Which of the three pairs change with one bit of the two words."""
    other = first.copy()
    other[word] ^= np.uint64(1) << np.uint64(bit)
    before, after = (_six(pair) for pair in (first, other))
    return tuple(k for k in range(3) if (before != after).reshape(3, 2).any(axis=1)[k])


def _six(pair):
    out = np.empty(6)
    six(pair[0], pair[1], out)
    return out

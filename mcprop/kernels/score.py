"""Scores of histories in a medium without a cloud: the density seen along arrival directions."""

from mcprop.kernels.launch import displace
from mcprop.protocol import kernel, outside, own_path


@kernel
def score_frames(density, reach, frames, scores):
    """Fill `scores` (n, 6): density at +- `reach` (3, 3) [pc] times the axes of `frames` (n, 9)."""
    for j in range(scores.shape[0]):
        p0, p1, p2, p3 = own_path(density, j)
        for axis in range(3):
            dx, dy, dz = displace(
                reach, frames[j, 3 * axis], frames[j, 3 * axis + 1], frames[j, 3 * axis + 2]
            )
            scores[j, 2 * axis] = outside(density, dx, dy, dz, 0.0, p0, p1, p2, p3)
            scores[j, 2 * axis + 1] = outside(density, -dx, -dy, -dz, 0.0, p0, p1, p2, p3)


@kernel
def score_directions(density, reach, directions, scores):
    """Fill `scores` (n,): density at `reach` (3, 3) [pc] times each direction (n, 3)."""
    for j in range(scores.shape[0]):
        dx, dy, dz = displace(reach, directions[j, 0], directions[j, 1], directions[j, 2])
        p0, p1, p2, p3 = own_path(density, j)
        scores[j] = outside(density, dx, dy, dz, 0.0, p0, p1, p2, p3)

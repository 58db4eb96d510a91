"""What a field on a grid answers at many places, and plane waves to compare it with."""

import math
from typing import Any

import numpy as np
from field_survey import survey_of


def answers_at(field: Any, points: Any) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, 3) [uG] and gradients (n, 3, 3: component, coordinate) at points (n, 3) [pc]."""
    found = survey_of(field, points)
    return found.vector, found.gradient


def size(values: np.ndarray) -> float:
    """Root mean square length of vectors or matrices, one to a row."""
    return math.sqrt(float((values**2).sum()) / len(values))


class PlaneWave:
    """A wave that fits into a box, with its derivatives: not made by any code under test."""

    def __init__(self, periods: Any, box: Any, strength: Any, phase: float) -> None:
        self.k = 2.0 * math.pi * np.array(periods) / np.array(box)  # [rad/pc]
        self.strength, self.phase = np.array(strength, dtype=float), phase

    def vector(self, points: np.ndarray) -> np.ndarray:
        return np.cos(points @ self.k + self.phase)[..., None] * self.strength

    def gradient(self, points: np.ndarray) -> np.ndarray:
        slope = -np.sin(points @ self.k + self.phase)
        return slope[:, None, None] * np.outer(self.strength, self.k)


def lattice(shape: tuple[int, int, int], spacing: float, origin: Any = (0.0, 0.0, 0.0)) -> Any:
    """Places of the points of a grid, shape (nx, ny, nz, 3)."""
    return np.moveaxis(np.indices(shape), 0, -1) * spacing + np.array(origin)

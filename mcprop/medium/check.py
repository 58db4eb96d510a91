"""Whether what a medium answers about itself agrees: tensor, root and drift."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcprop.errors import ModelError
from mcprop.medium.aligned import Aligned
from mcprop.protocol import NUDGE, UNLIMITED, answers, drift, kappa, noise, plain_name, step_scale

FARTHEST = 1e4
"""Distance [pc] over which a medium that hardly varies is looked at."""


def check_medium(medium: Any, centre: Any = (0.0, 0.0, 0.0), points: int = 16) -> None:
    """Compare the noise and the drift of a medium with its tensor at random places.

    The tensor has to be finite and positive semidefinite, its root squared has to give it back,
    and the drift has to be its divergence, by central differences. A drift without divergence, as
    an `Aligned` medium may have it, is not looked at, nor that of a medium that answers no tensor.

    Parameters
    ----------
    medium : model of a medium
        What is to be checked; only numbers that it answers itself can be wrong.
    centre : array_like, shape (3,)
        Place [pc] round which the others are drawn, about one `step_scale` away.
    points : int
        Number of places; they are the same at every call.

    Raises
    ------
    ModelError
        At the first disagreement, with the place and both values.
    """
    middle = np.asarray(centre, dtype=float)
    spread = min(float(step_scale(medium, *middle)), FARTHEST)
    places = middle + spread * np.random.default_rng(20230117).normal(size=(points, 3))
    has_drift = answers(kappa, medium) and not _is_driven(medium)
    for place in places:
        tensor = matrix(medium, place)
        _check_tensor(medium, place, tensor)
        _check_noise(medium, place, tensor)
        if has_drift:
            _check_drift(medium, place, tensor)


def _is_driven(model: Any) -> bool:
    """Whether a drift of its own, beside the divergence, is part of a model."""
    if isinstance(model, Aligned):
        return any(model[3:])
    return isinstance(model, tuple) and any(map(_is_driven, model))


def matrix(medium: Any, place: Any) -> np.ndarray:
    """Diffusion tensor of a medium as a matrix.

    Parameters
    ----------
    medium : model of a medium
        It answers `kappa`, or `noise`.
    place : array_like, shape (3,)
        Where [pc].

    Returns
    -------
    ndarray, shape (3, 3)
        Tensor [pc^2/yr].
    """
    name = _at("kappa", medium, np.asarray(place))
    try:
        answer = np.array(kappa(medium, *place), dtype=float)
    except ModelError:
        raise
    except (TypeError, ValueError) as error:
        raise ModelError(f"{name} cannot be evaluated: {error}") from error
    if answer.shape != (6,):
        raise ModelError(f"{name} has the shape {answer.shape}: it must be six numbers")
    xx, xy, xz, yy, yz, zz = answer
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def divergence_by_differences(medium: Any, place: Any, step: float) -> np.ndarray:
    """Divergence of the diffusion tensor by central differences.

    Parameters
    ----------
    medium : model of a medium
        It answers `kappa`, or `noise`.
    place : array_like, shape (3,)
        Where [pc].
    step : float
        Distance to either side [pc].

    Returns
    -------
    ndarray, shape (3,)
        Sum over j of the derivative of kappa_ij by x_j [pc/yr].
    """
    total = np.zeros(3)
    for axis in range(3):
        ahead, back = np.array(place, dtype=float), np.array(place, dtype=float)
        ahead[axis] += step
        back[axis] -= step
        difference = matrix(medium, ahead)[axis] - matrix(medium, back)[axis]
        total += difference / (ahead[axis] - back[axis])
    return total


def _check_tensor(medium: Any, place: np.ndarray, tensor: np.ndarray) -> None:
    if not np.isfinite(tensor).all():
        raise ModelError(f"{_at('kappa', medium, place)} is not finite: {tensor.tolist()}")
    lowest, highest = np.linalg.eigvalsh(tensor)[[0, -1]]
    if lowest < -1e-9 * max(highest, 0.0) or highest < 0.0:
        raise ModelError(
            f"{_at('kappa', medium, place)} has the negative eigenvalue {lowest:.6g} pc^2/yr"
        )


def _check_noise(medium: Any, place: np.ndarray, tensor: np.ndarray) -> None:
    root = np.array([noise(medium, *place, *unit) for unit in np.eye(3)])
    if not np.abs(root.T @ root - tensor).max() <= 1e-8 * np.trace(tensor):
        raise ModelError(
            f"{_at('noise', medium, place)} has the square {(root.T @ root).tolist()} pc^2/yr, "
            f"but kappa is {tensor.tolist()}"
        )


def _check_drift(medium: Any, place: np.ndarray, tensor: np.ndarray) -> None:
    given = np.array(drift(medium, *place), dtype=float)
    scale = min(float(step_scale(medium, *place)), UNLIMITED)
    step = NUDGE * min(scale, FARTHEST)
    fine, coarse = (divergence_by_differences(medium, place, n * step) for n in (1.0, 2.0))
    uncertain = 4.0 * np.abs(fine - coarse).max() + 1e-14 * np.trace(tensor) / step
    allowed = 1e-4 * max(np.abs(given).max(), np.abs(fine).max()) + uncertain
    if not np.abs(given - fine).max() <= allowed:
        raise ModelError(
            f"{_at('drift', medium, place)} is {_vector(given)} pc/yr, but central differences of "
            f"its kappa give {_vector(fine)}"
        )


def _at(what: str, medium: Any, place: np.ndarray) -> str:
    return f"{what} of the {plain_name(type(medium))} at {_vector(place)} pc"


def _vector(numbers: np.ndarray) -> str:
    return "(" + ", ".join(f"{number:.6g}" for number in numbers) + ")"

"""Coefficients and a flow that pseudo-particles are given: numbers or models, looked at first."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from mcprop.errors import ModelError, RangeError
from mcprop.kernels.flow import Still, velocity
from mcprop.medium import Constant, Isotropic, check_medium
from mcprop.protocol import answers, coefficient, plain_name, step_scale
from mcprop.wandering.realisations import positive

LOOKS = 256
"""Places of the box at which coefficients and flow are looked at."""

STRIDE, FINE = 0.5, 0.125
"""Root mean square of a step along the line in units of the `step_scale`: of the field, and of
coefficients and flow. They are averaged over the way of a step less well than a line is followed;
the plasma goes the latter part of any of these lengths at most."""

ROUNDING = 1e-9
"""Divergence of a flow that is rounding, in units of its speed over its length."""


class Seen(NamedTuple):
    """What was found at the places: largest kappa_parallel [pc^2/yr], highest speed [pc/yr],
    shortest length on which coefficients or flow vary [pc], and whether the flow has sources."""

    largest: float
    fastest: float
    scale: float
    swells: bool

    def longest_step(self, scale: float) -> float:
        """Longest step [yr] in a field that varies on a scale [pc]."""
        along = min((STRIDE * scale) ** 2, (FINE * self.scale) ** 2)
        step = 0.5 * along / self.largest
        way = FINE * min(scale, self.scale)
        return min(step, way / self.fastest) if self.fastest > 0.0 else step


class Transport(NamedTuple):
    """What moves pseudo-particles in a field.

    parallel, perp : models that answer `coefficient` [pc^2/yr]; flow : model that answers
    `velocity` [pc/yr].
    """

    parallel: Any
    perp: Any
    flow: Any

    def scale(self, place: Iterable[float] = (0.0, 0.0, 0.0)) -> float:
        """Shortest length on which any of them varies near a place [pc]."""
        return min(float(step_scale(model, *place)) for model in self)

    def look(self, places: np.ndarray) -> Seen:
        """Ask at places (n, 3) [pc] whether the coefficients are allowed there, and how large.

        Raises
        ------
        RangeError
            If a coefficient is not, or kappa_perp exceeds kappa_parallel.
        ModelError
            If an answer is not four finite numbers, or the gradient of kappa_perp is not its own.
        """
        largest, square, swelling, scale = 0.0, 0.0, 0.0, math.inf
        for place in places.tolist():
            parallel, _, _, _ = _answer(coefficient, self.parallel, place)
            perp, _, _, _ = _answer(coefficient, self.perp, place)
            ux, uy, uz, expansion = _answer(velocity, self.flow, place)
            _require_ordered(parallel, perp, place)
            largest, square = max(largest, parallel), max(square, ux * ux + uy * uy + uz * uz)
            swelling, scale = max(swelling, abs(expansion)), min(scale, self.scale(place))
        if not isinstance(self.perp, Constant):
            check_medium(Isotropic(self.perp), places[0])
        fastest = math.sqrt(square)
        return Seen(largest, fastest, scale, swelling * scale > ROUNDING * fastest)


def given_transport(kappa_parallel: Any, kappa_perp: Any, flow: Any) -> Transport:
    """Make models of what was given.

    Parameters
    ----------
    kappa_parallel, kappa_perp : float or models that answer `coefficient`
        Coefficients along and across the local field [pc^2/yr].
    flow : model that answers `velocity`, or None
        Velocity of the plasma [pc/yr].

    Returns
    -------
    Transport

    Raises
    ------
    RangeError
        If a number is not allowed.
    ModelError
        If a model does not answer.
    """
    is_zero = isinstance(kappa_perp, Real) and kappa_perp == 0.0
    parallel = _model("kappa_parallel", kappa_parallel)
    perp = Constant(0.0) if is_zero else _model("kappa_perp", kappa_perp)
    along, across = plain(parallel), plain(perp)
    if isinstance(along, Real) and isinstance(across, Real) and across > along:
        raise RangeError(
            f"kappa_perp = {across:g} pc^2/yr must not exceed kappa_parallel = {along:g} pc^2/yr."
        )
    moving = Still() if flow is None else flow
    if not (isinstance(moving, tuple) and answers(velocity, moving)):
        raise ModelError(
            f"flow is a {plain_name(type(flow))} and must be a model of a velocity, such as those "
            "of mcprop.kernels.flow."
        )
    return Transport(parallel, perp, moving)


def plain(profile: Any) -> Any:
    """The number of a `Constant`, any other model as it is."""
    return profile.value if isinstance(profile, Constant) else profile


def _model(name: str, given: Any) -> Any:
    if not isinstance(given, tuple):
        return Constant(positive(name, given, "pc^2/yr"))
    if not answers(coefficient, given):
        raise ModelError(
            f"{name} is a {plain_name(type(given))} and must be a number [pc^2/yr] or a model that "
            "answers `coefficient`, such as mcprop.medium.Constant."
        )
    return given


def _answer(ask: Any, model: Any, place: list[float]) -> tuple[float, float, float, float]:
    asked = f"{ask.__name__} of the {plain_name(type(model))} {_at(place)}"
    try:
        found = ask(model, *place)
    except Exception as error:
        raise ModelError(f"{asked} fails: {type(error).__name__}: {error!s:.200}") from error
    are_four = isinstance(found, tuple) and len(found) == 4
    if not (are_four and all(isinstance(one, Real) and math.isfinite(one) for one in found)):
        raise ModelError(f"{asked} is {found!r:.200}; it must be a tuple of four finite numbers.")
    return found


def _require_ordered(parallel: float, perp: float, place: list[float]) -> None:
    if not parallel > 0.0:
        raise RangeError(f"kappa_parallel = {parallel:g} pc^2/yr {_at(place)} must be positive.")
    if perp < 0.0:
        raise RangeError(f"kappa_perp = {perp:g} pc^2/yr {_at(place)} must not be negative.")
    if perp > parallel:
        raise RangeError(
            f"kappa_perp = {perp:g} pc^2/yr must not exceed kappa_parallel = {parallel:g} pc^2/yr, "
            f"but does so {_at(place)}."
        )


def _at(place: list[float]) -> str:
    x, y, z = place
    return f"at ({x:g}, {y:g}, {z:g}) pc"

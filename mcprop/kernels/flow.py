"""Plasma that carries pseudo-particles along: where it goes, and how it expands."""

from typing import Any, NamedTuple

from mcprop.protocol import UNLIMITED, implements, open_function, step_scale


@open_function
def velocity(flow, x, y, z):
    """Velocity (ux, uy, uz) [pc/yr] of `flow` at (x, y, z) [pc], and its divergence [1/yr].

    A flow that varies should say on which length, by its `step_scale` or a field ``scale``.
    """


class Still(NamedTuple):
    """Plasma at rest."""


class Steady(NamedTuple):
    """Plasma with one velocity everywhere.

    Parameters
    ----------
    ux, uy, uz : float
        Velocity [pc/yr].
    """

    ux: float
    uy: float
    uz: float


class Backward(NamedTuple):
    """A flow as backward pseudo-particles feel it: the other way.

    Its divergence has the other sign too, so the weight of a backward history, exp(-Int div u dt),
    is the exponential of the integral that it gathers.

    Parameters
    ----------
    flow : model that answers `velocity`
        The plasma.
    """

    flow: Any


@implements(velocity, Still)
def _(flow, x, y, z):
    return 0.0, 0.0, 0.0, 0.0


@implements(velocity, Steady)
def _(flow, x, y, z):
    return flow.ux, flow.uy, flow.uz, 0.0


@implements(velocity, Backward)
def _(flow, x, y, z):
    ux, uy, uz, expansion = velocity(flow.flow, x, y, z)
    return -ux, -uy, -uz, -expansion


@implements(step_scale, Still)
def _(flow, x, y, z):
    return UNLIMITED


@implements(step_scale, Steady)
def _(flow, x, y, z):
    return UNLIMITED


@implements(step_scale, Backward)
def _(flow, x, y, z):
    return step_scale(flow.flow, x, y, z)

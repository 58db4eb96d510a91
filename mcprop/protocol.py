"""Open functions: what a kernel asks of a model, answered by its type at compile time.

A model is a ``NamedTuple`` of numbers (or of other models).  An open function such as `b_vector` is
answered for a new model in the model's own file, and no kernel changes::

    class UniformField(NamedTuple):
        bx: float
        by: float
        bz: float

    @implements(b_vector, UniformField)
    def _(field, x, y, z):
        return field.bx, field.by, field.bz

Compiled kernels inline the answer, so that it vectorises; plain Python and ``NUMBA_DISABLE_JIT=1``
find it through the same registry.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from mcprop._cache import use_source_hashed_cache

use_source_hashed_cache()

from numba import njit  # noqa: E402  (the cache directory has to be set before Numba is imported)
from numba.extending import overload  # noqa: E402

INLINE = {"error_model": "numpy", "forceinline": True}
"""Numba options under which a model's answer vectorises inside a lane loop."""

primitive = njit(**INLINE)
"""Decorator for the small pure functions that kernels are made of."""


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a loop that runs free of the interpreter lock.

    It is cached on disk for the package's own models. A model from elsewhere is compiled in each
    process: the cache would notice neither its edits nor its absence.
    """
    kept = njit(nogil=True, cache=True, error_model="numpy")(function)
    fresh = njit(nogil=True, error_model="numpy")(function)

    @wraps(function)
    def call(*args: Any) -> Any:
        return (kept if all(map(_is_ours, args)) else fresh)(*args)

    return call


def _is_ours(argument: Any) -> bool:
    """Whether an argument is no model, or one of this package with all its parts."""
    if not isinstance(argument, tuple):
        return True
    return type(argument).__module__.startswith("mcprop.") and all(map(_is_ours, argument))


def open_function(stub: Callable[..., Any]) -> Callable[..., Any]:
    """Make `stub` answer by the type of its first argument."""
    answers: dict[type, Callable[..., Any]] = {}

    def ask(model: Any, *args: Any) -> Any:
        if type(model) not in answers:
            raise TypeError(f"{stub.__name__} is not defined for a {type(model).__name__}")
        return answers[type(model)](model, *args)

    ask.__name__, ask.__doc__, ask.__module__ = stub.__name__, stub.__doc__, stub.__module__
    ask.answers = answers  # type: ignore[attr-defined]
    return ask


def implements(function: Callable[..., Any], model: type) -> Callable[..., Any]:
    """Register the decorated function as the answer of `function` for a NamedTuple type `model`."""

    def register(answer: Callable[..., Any]) -> Callable[..., Any]:
        function.answers[model] = answer  # type: ignore[attr-defined]

        @overload(function, jit_options=INLINE, strict=False)
        def _(first, *args):
            return answer if getattr(first, "instance_class", None) is model else None

        return answer

    return register


@open_function
def b_vector(field, x, y, z):
    """Magnetic field (bx, by, bz) [uG] of `field` at (x, y, z) [pc]."""


@open_function
def noise(medium, x, y, z, n0, n1, n2):
    """Square root of the diffusion tensor at (x, y, z) applied to (n0, n1, n2) [pc yr^-1/2]."""


@open_function
def drift(medium, x, y, z):
    """Mean displacement per unit time at (x, y, z) [pc/yr]."""


@open_function
def own_path(density, j):
    """Four numbers that history `j` brings along for its way outside, for `outside` to take."""


@open_function
def outside(density, x, y, z, elapsed, p0, p1, p2, p3):
    """Density met outside the cloud from (x, y, z) [pc], `elapsed` [yr] before now.

    `p0` to `p3` are the numbers of `own_path`.
    """


@open_function
def is_uniform(density):
    """Whether the density outside is one constant: then exits need no time and place."""

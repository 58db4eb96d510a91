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

Some functions have a default, made from other answers of the same model.  A diffusing medium needs
no more than `kappa`: its noise is then the Cholesky root of that tensor and its drift the
divergence by central differences (`mcprop.medium`).  Answers in closed form are faster.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from inspect import signature
from typing import Any

from mcprop._cache import use_source_hashed_cache
from mcprop.errors import ModelError, RangeError
from mcprop.units import bare

use_source_hashed_cache()

import llvmlite.binding  # noqa: E402
import numpy as np  # noqa: E402
from numba import njit  # noqa: E402  (the cache directory has to be set before Numba is imported)
from numba.core.errors import TypingError  # noqa: E402
from numba.extending import overload  # noqa: E402

# Work on two vectors of lanes at once, so that one waits while the other goes on: walks gain 15 to
# 30 per cent where there are registers enough, and no result changes. Only the process can be told.
if llvmlite.binding.get_host_cpu_features().get("avx512f"):
    llvmlite.binding.set_option("", "-force-vector-interleave=2")

INLINE = {"error_model": "numpy", "forceinline": True}
"""Numba options under which a model's answer vectorises inside a lane loop."""

primitive = njit(**INLINE)
"""Decorator for the small pure functions that kernels are made of."""


WITNESS: ContextVar[Callable[..., Any] | None] = ContextVar("witness", default=None)
"""What calls the kernels in their place, if anything: to see what they take and fill.

It is given the function as written, the function to call, and the arguments.
"""


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a loop that runs free of the interpreter lock.

    It is cached on disk for the package's own models. A model from elsewhere is compiled in each
    process: the cache would notice neither its edits nor its absence.
    """
    kept = njit(nogil=True, cache=True, error_model="numpy")(function)
    fresh = njit(nogil=True, error_model="numpy")(function)

    @wraps(function)
    def call(*args: Any) -> Any:
        chosen, witness = kept if all(map(is_ours, args)) else fresh, WITNESS.get()
        try:
            return chosen(*args) if witness is None else witness(function, chosen, args)
        except TypingError as error:
            raise _plain(error) from None

    return call


def is_ours(argument: Any) -> bool:
    """Whether an argument is no model, or one of this package with all its parts."""
    if not isinstance(argument, tuple):
        return True
    return type(argument).__module__.startswith("mcprop.") and all(map(is_ours, argument))


MARK = "unanswered: "


def _plain(error: TypingError) -> Exception:
    """The one sentence about a missing answer in Numba's pages, or all of them."""
    _, mark, sentence = str(error).rpartition(MARK)
    return ModelError(sentence.splitlines()[0]) if mark else error


def open_function(stub: Callable[..., Any]) -> Callable[..., Any]:
    """Make `stub` answer by the type of its first argument.

    Its arguments x, y and z are one place. Python is held to that here, and to what `guards` adds;
    compiled code calls the answers themselves.
    """
    place = [(i, name) for i, name in enumerate(signature(stub).parameters) if name in PLACE]

    def ask(model: Any, *args: Any) -> Any:
        found = _answer(ask, type(model))
        if found is None:
            raise ModelError(_missing(ask, plain_name(type(model))))
        for i, name in place:
            if i <= len(args) and not isinstance(args[i - 1], float):
                args = *args[: i - 1], _coordinate(ask, name, args[i - 1]), *args[i:]
        if registry.guard is not None:
            registry.guard(*args)
        return found(model, *args)

    ask.__name__, ask.__doc__, ask.__module__ = stub.__name__, stub.__doc__, stub.__module__
    registry: Any = ask
    registry.answers, registry.compiled, registry.default = {}, set(), None
    registry.guard = None

    @overload(ask, jit_options=INLINE, strict=False)
    def _(first, *args):
        model = getattr(first, "instance_class", None)
        found = None if model is None else _answer(ask, model)
        if found is None:
            raise TypingError(MARK + _missing(ask, plain_name(model) if model else str(first)))
        registry.compiled.add(model)
        return found

    return ask


PLACE = ("x", "y", "z")
"""Names by which open functions call the coordinates [pc] of the place that they are asked at."""


def _coordinate(function: Any, name: str, value: Any) -> float:
    """A coordinate as a float.

    Raises
    ------
    RangeError
        If it is an array, of which an answer would take the first number, or no number at all.
    UnitsError
        If it is a Quantity.
    """
    asked = f"{function.__name__}: {name}"
    if not isinstance(bare(asked, value, "pc"), (int, np.integer, np.floating)):
        shape = getattr(value, "shape", None)
        told = f"{value!r:.60}" if shape is None else f"array of shape {shape}"
        raise RangeError(f"{asked} = {told} must be one number [pc]: ask at one place at a time.")
    return float(value)


def _answer(function: Any, model: type) -> Callable[..., Any] | None:
    """The answer of an open function for a type of model, its own or made by default."""
    if model in function.answers:
        return function.answers[model]
    return function.default(model) if function.default is not None else None


def _missing(function: Any, name: str) -> str:
    return f"{function.__name__} is not defined for a {name}"


def answers(function: Callable[..., Any], model: Any) -> bool:
    """Whether an open function has an answer of its own, no default, for a model or its type."""
    kind = model if isinstance(model, type) else type(model)
    return kind in function.answers  # type: ignore[attr-defined]


def implements(function: Callable[..., Any], model: type) -> Callable[..., Any]:
    """Register the decorated function as the answer of `function` for a NamedTuple type `model`.

    Raises
    ------
    ModelError
        If `model` is no NamedTuple, or a kernel was compiled with an earlier answer: it would go on
        with that one.
    """
    if not (isinstance(model, type) and issubclass(model, tuple) and hasattr(model, "_fields")):
        raise ModelError(f"model = {model!r} must be a NamedTuple, made with class X(NamedTuple).")
    _tell_apart(model)

    def register(answer: Callable[..., Any]) -> Callable[..., Any]:
        if model in function.compiled:  # type: ignore[attr-defined]
            raise ModelError(
                f"{function.__name__} of a {plain_name(model)} is compiled already; define the "
                "NamedTuple anew before you answer differently"
            )
        function.answers[model] = answer  # type: ignore[attr-defined]
        return answer

    return register


_NAMES: dict[str, type] = {}


def _tell_apart(model: type) -> None:
    """Give a model that was defined anew a name of its own.

    Numba tells types of tuples apart by the names of class and fields alone: it would go on with
    what it compiled for a class of the same name, such as that of a cell that was run before.
    """
    name, again = model.__name__, 1
    while _NAMES.setdefault(model.__name__, model) is not model:
        again += 1
        model.__name__ = f"{name}_{again}"


def plain_name(model: type) -> str:
    """Name of a model as its author wrote it."""
    return model.__qualname__.rpartition(".")[2]


def by_default(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let the decorated function choose an answer for types of models that have none of their own.

    It takes the type and returns the answer, or None where there is no way to make one.
    """

    def register(choose: Callable[[type], Any]) -> Callable[[type], Any]:
        function.default = choose  # type: ignore[attr-defined]
        return choose

    return register


def guards(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let the decorated function refuse what Python gives beside the model, before it is answered.

    It takes the arguments; compiled code does not come by it.
    """

    def register(refuse: Callable[..., None]) -> Callable[..., None]:
        function.guard = refuse  # type: ignore[attr-defined]
        return refuse

    return register


@open_function
def b_vector(field, x, y, z):
    """Magnetic field (bx, by, bz) [uG] of `field` at (x, y, z) [pc].

    One place at a time; `mcprop.fields.sample` takes arrays of them.
    """


@open_function
def b_block(field, places, out):
    """Add the field of a block of lanes to `out`.

    ``places[k * LANES + i]`` is coordinate k (x, y, z) [pc] of lane i, and the component along axis
    k [uG] is added to ``out[k * LANES + i]``; only the first ``3 * LANES`` numbers of either count.
    What is added to zero is bit for bit the `b_vector` of each lane.

    By default `b_vector` of one lane after the other. A field that sums over many terms, round
    which LLVM does not vectorise a loop over lanes, answers with vectors of its own.
    """


@open_function
def b_gradient(field, x, y, z):
    """Nine derivatives [uG/pc]: of bx by x, y, z, of by by x, y, z, of bz by x, y, z.

    By default central differences of `b_vector`. `mcprop.fields.sample` takes arrays of places.
    """


@open_function
def coefficient(profile, x, y, z):
    """Value of a coefficient that varies in space, and its derivatives by x, y and z."""


@open_function
def weight(region, x, y, z):
    """Share of a place that lies inside `region`, between 0 and 1, and its gradient [1/pc]."""


@open_function
def kappa(medium, x, y, z):
    """Diffusion tensor (xx, xy, xz, yy, yz, zz) [pc^2/yr] at (x, y, z) [pc].

    By default the square of `noise`.
    """


@open_function
def noise(medium, x, y, z, n0, n1, n2):
    """Square root of the diffusion tensor at (x, y, z) applied to (n0, n1, n2) [pc yr^-1/2].

    By default the Cholesky root of `kappa`.
    """


@open_function
def drift(medium, x, y, z):
    """Mean displacement per unit time at (x, y, z) [pc/yr]: the divergence of the tensor.

    By default central differences of `kappa` over `NUDGE` times the `step_scale`.
    """


@open_function
def largest(medium, x, y, z):
    """A smooth bound of the largest diffusion coefficient of any direction [pc^2/yr].

    By default the Frobenius norm of `kappa`, which exceeds it by less than a factor sqrt(3).
    """


@open_function
def step_scale(model, x, y, z):
    """Length [pc] on which a medium, field, profile, region or boundary varies near (x, y, z).

    It should vary slowly itself: between two places by their distance at most. The root mean square
    step along an axis is a fraction of it. By default the model's field ``scale``, or
    `DEFAULT_SCALE`.
    """


@open_function
def is_scalar(medium):
    """Whether the tensor is a number times the identity everywhere. By default False."""


@by_default(is_scalar)
def _(model):
    return _false


def _false(medium):
    return False


DEFAULT_SCALE = 10.0
"""Length [pc] on which a model is taken to vary that says nothing about it."""

UNLIMITED = 1e9
"""Length [pc] on which a uniform model varies: long, and still a number."""

NUDGE = 1e-5
"""Step of the finite differences in units of `step_scale`."""


@by_default(step_scale)
def _(model):
    return _own_scale if "scale" in getattr(model, "_fields", ()) else _default_scale


def _own_scale(model, x, y, z):
    return model.scale


def _default_scale(model, x, y, z):
    return DEFAULT_SCALE


@open_function
def surroundings(model, x, y, z):
    """What a scalar medium with sources is to a history at (x, y, z) [pc].

    Five numbers: sources and losses over kappa [1/pc^2], and the gradient of ln kappa [1/pc].
    """


@open_function
def emission(sources, x, y, z):
    """Source density f and loss rate [1/yr] at (x, y, z) [pc]."""


@open_function
def guess_gradient(guess, x, y, z):
    """Gradient of a guess of psi [1/pc], and 1 if its curvature may be taken along z, else 0."""


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

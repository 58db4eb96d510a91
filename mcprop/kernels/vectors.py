"""Explicit vectors of lanes, for loops that LLVM does not turn into vector instructions by itself.

LLVM makes vectors of a loop over lanes unless another loop stands inside, such as that over the
waves of a field.  Here such a loop is written for `WIDTH` lanes at once, as if for one::

    for first in range(0, LANES, WIDTH):
        x, sums = load(places, first), spread(0.0)
        for n in range(table.shape[0]):
            sums = fma(table[n, 0], x, sums)
        add_to(out, first, sums)

Vectors are added, subtracted and multiplied by the operators, with numbers of their own precision
as well.  The functions take single numbers too and round them in the same way, so that one source
serves a place alone and a block, with the same bits on every machine, whatever the width.
"""

import operator

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.datamodel import models, register_default
from numba.core.errors import TypingError
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic

from mcprop.kernels import elementary
from mcprop.protocol import MARK


def _is_wide() -> bool:
    """Whether code is made for registers of eight doubles."""
    if config.CPU_FEATURES is not None:  # as Numba is told
        return "+avx512f" in config.CPU_FEATURES
    return bool(llvmlite.binding.get_host_cpu_features().get("avx512f"))


REGISTER = 8 if _is_wide() else 4
"""Doubles in a register."""

WIDTH = 4 * REGISTER
"""Lanes of a vector: four registers, so that three go on while one waits for its last sum."""

ONE_BITS, MANTISSA = 0x3F800000, 0x007FFFFF
"""Of floats of 32 bits: 1, and the bits in which the numbers from 1 to 2 differ."""

if config.DISABLE_JIT:

    def load(array, first):
        """Doubles of a contiguous array from index `first` on, one for each lane."""
        return array[first : first + WIDTH].copy()

    def add_to(array, first, vector):
        """Add doubles to those of a contiguous array from index `first` on."""
        array[first : first + WIDTH] += vector

    def spread(number):
        """The same number in each lane."""
        return np.full(WIDTH, number)

    def doubles(numbers):
        """Floats of 32 bits as doubles."""
        return np.float64(numbers)

    def fma(a, b, c):
        """a b + c, rounded once."""
        singles = np.asarray(c).dtype == np.float32
        each = np.vectorize(
            _fma_of_singles if singles else elementary.fma,
            otypes=[np.float32 if singles else np.float64],
        )
        return each(a, b, c)[()]

    def _fma_of_singles(a, b, c):
        product, c = float(a) * float(b), float(c)  # this product is exact
        total = product + c
        back = total - product
        rest = (product - (total - back)) + (c - back)
        if rest and not int(elementary.to_bits(total)) & 1:
            # rounded to odd first, it is rounded to 32 bits as the exact sum would be
            total = np.nextafter(total, np.copysign(np.inf, rest))
        return np.float32(total)

    def negated_if_odd(numbers, counted):
        """Doubles, with the other sign where the last bit of `counted` is set."""
        sign = np.asarray(counted).view(np.uint64) << np.uint64(63)
        return (np.asarray(numbers).view(np.uint64) ^ sign).view(np.float64)[()]

    def folded(counted):
        """abs(f - 1/2) - 1/4 as a float of 32 bits, f the last 23 bits of a double over 2^23.

        Of phases that are counted in 2^-23 turns it makes a triangle wave.
        """
        bits = np.asarray(counted).view(np.uint64) & np.uint64(MANTISSA) | np.uint64(ONE_BITS)
        fraction = bits.astype(np.uint32).view(np.float32) - np.float32(1.5)
        return (np.abs(fraction) - np.float32(0.25))[()]

else:

    class Vector(types.Type):
        """Type of `WIDTH` floats."""

        def __init__(self, element):
            self.element = element
            super().__init__(f"Vector({element})")

    @register_default(Vector)
    class _Model(models.PrimitiveModel):
        def __init__(self, manager, kind):
            element = manager.lookup(kind.element).get_value_type()
            super().__init__(manager, kind, ir.VectorType(element, WIDTH))

    DOUBLES = Vector(types.float64)

    def _like(kind, element):
        """A vector of another element, or the element itself, as `kind` is one or the other."""
        return Vector(element) if isinstance(kind, Vector) else element

    def _common(kinds):
        """Type in which numbers and vectors of one precision meet; None if there is none."""
        vectors = [kind for kind in kinds if isinstance(kind, Vector)]
        elements = {kind.element if isinstance(kind, Vector) else kind for kind in kinds}
        if len(elements) > 1 or not isinstance(next(iter(elements)), types.Float):
            return None
        return vectors[0] if vectors else kinds[0]

    def _integers(bits, value):
        """LLVM type of integers in the place of `value`, a number or a vector."""
        integer = ir.IntType(bits)
        vector = isinstance(value.type, ir.VectorType)
        return ir.VectorType(integer, WIDTH) if vector else integer

    def _constant(kind, number):
        vector = isinstance(kind, ir.VectorType)
        return ir.Constant(kind, [number] * WIDTH if vector else number)

    def _spread(builder, value):
        """A number in each lane; a vector as it is."""
        if isinstance(value.type, ir.VectorType):
            return value
        nothing = ir.Constant(ir.VectorType(value.type, WIDTH), ir.Undefined)
        first = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
        return _shuffled(builder, first, [0] * WIDTH)

    def _shuffled(builder, value, lanes):
        """Vector made of some lanes of another."""
        kind = ir.VectorType(ir.IntType(32), len(lanes))
        nothing = ir.Constant(value.type, ir.Undefined)
        return builder.shuffle_vector(value, nothing, ir.Constant(kind, lanes))

    ORDER = [
        pair + part + lane
        for pair in range(0, WIDTH, 2 * REGISTER)
        for lane in range(0, REGISTER, 2)
        for part in (0, 1, REGISTER, REGISTER + 1)
    ]
    """Lanes in which the low halves of two registers of doubles come to lie in one.

    An instruction that leaves quarters of a register in their place is cheaper than others.
    """

    def _low_halves(builder, value):
        """Low 32 bits of doubles, in that order."""
        if not isinstance(value.type, ir.VectorType):
            return builder.trunc(builder.bitcast(value, ir.IntType(64)), ir.IntType(32))
        halves = builder.bitcast(value, ir.VectorType(ir.IntType(32), 2 * WIDTH))
        # the low half stands first on every machine that Numba compiles for
        return _shuffled(builder, halves, [2 * lane for lane in ORDER])

    def _call(builder, name, kind, *values):
        """Call an LLVM intrinsic of one type, which is `kind`."""
        element, count = (kind.element, WIDTH) if isinstance(kind, ir.VectorType) else (kind, 0)
        letter = {"double": "f64", "float": "f32"}.get(str(element), str(element))
        name = f"llvm.{name}.{f'v{count}' if count else ''}{letter}"
        function = ir.FunctionType(kind, [value.type for value in values])
        return builder.call(cgutils.get_or_insert_function(builder.module, function, name), values)

    def _pointer(context, builder, kind, array, first):
        """Where the vector stands whose first lane has an index of an array."""
        data = context.make_array(kind)(context, builder, array).data
        return builder.bitcast(
            builder.gep(data, [first]), context.get_value_type(DOUBLES).as_pointer()
        )

    def _require_buffer(kind):
        """Refuse what is no flat buffer of doubles."""
        flat = isinstance(kind, types.Array) and kind.ndim == 1 and kind.layout == "C"
        if not (flat and kind.dtype == types.float64):
            raise TypingError(f"{MARK}a block is a contiguous array of float64, no {kind}")

    @intrinsic
    def load(typingctx, array, first):
        """Doubles of a contiguous array from index `first` on, one for each lane."""

        def build(context, builder, signature, args):
            found = builder.load(_pointer(context, builder, signature.args[0], *args))
            found.align = 8
            return found

        _require_buffer(array)
        return DOUBLES(array, types.intp), build

    @intrinsic
    def add_to(typingctx, array, first, vector):
        """Add doubles to those of a contiguous array from index `first` on."""

        def build(context, builder, signature, args):
            place = _pointer(context, builder, signature.args[0], *args[:2])
            old = builder.load(place)
            stored = builder.store(builder.fadd(old, args[2]), place)
            old.align = stored.align = 8
            return context.get_dummy_value()

        _require_buffer(array)
        return types.void(array, types.intp, DOUBLES), build

    @intrinsic
    def spread(typingctx, number):
        """The same number in each lane."""

        def build(context, builder, signature, args):
            return _spread(builder, args[0])

        return Vector(number)(number), build

    @intrinsic
    def doubles(typingctx, numbers):
        """Floats of 32 bits as doubles, their lanes in the order of the places again."""

        def build(context, builder, signature, args):
            value = builder.fpext(args[0], context.get_value_type(signature.return_type))
            if not isinstance(value.type, ir.VectorType):
                return value
            return _shuffled(builder, value, [ORDER.index(lane) for lane in range(WIDTH)])

        return _like(numbers, types.float64)(numbers), build

    @intrinsic
    def fma(typingctx, a, b, c):
        """a b + c, rounded once."""
        kind = _common((a, b, c))

        def build(context, builder, signature, args):
            if isinstance(kind, Vector):
                args = [_spread(builder, value) for value in args]
            return _call(builder, "fma", args[0].type, *args)

        return (kind(a, b, c), build) if kind is not None else None

    @intrinsic
    def negated_if_odd(typingctx, numbers, counted):
        """Doubles, with the other sign where the last bit of `counted` is set."""

        def build(context, builder, signature, args):
            bits = _integers(64, args[0])
            sign = builder.shl(builder.bitcast(args[1], bits), _constant(bits, 63))
            return builder.bitcast(builder.xor(builder.bitcast(args[0], bits), sign), args[0].type)

        return numbers(numbers, counted), build

    @intrinsic
    def folded(typingctx, counted):
        """abs(f - 1/2) - 1/4 as a float of 32 bits, f the last 23 bits of a double over 2^23.

        Of phases that are counted in 2^-23 turns it makes a triangle wave. The lanes come in
        another order, which `doubles` undoes.
        """

        def build(context, builder, signature, args):
            floats = context.get_value_type(signature.return_type)
            bits = _integers(32, args[0])
            size = builder.and_(_low_halves(builder, args[0]), _constant(bits, MANTISSA))
            size = builder.bitcast(builder.or_(size, _constant(bits, ONE_BITS)), floats)
            size = _call(builder, "fabs", floats, builder.fsub(size, _constant(floats, 1.5)))
            return builder.fsub(size, _constant(floats, 0.25))

        return _like(counted, types.float32)(counted), build

    def _let_operate(operation, instruction):
        """Make an operator of Python one of vectors, or of a vector and a number."""

        @infer_global(operation)
        class _Typed(AbstractTemplate):
            def generic(self, args, kws):
                if any(isinstance(kind, Vector) for kind in args):
                    kind = _common(args)
                    return None if kind is None else signature(kind, *args)
                return None

        def build(context, builder, signature, args):
            return getattr(builder, instruction)(*(_spread(builder, value) for value in args))

        for kinds in ((Vector, Vector), (Vector, types.Float), (types.Float, Vector)):
            lower_builtin(operation, *kinds)(build)

    for _operation, _instruction in (
        (operator.add, "fadd"),
        (operator.sub, "fsub"),
        (operator.mul, "fmul"),
    ):
        _let_operate(_operation, _instruction)

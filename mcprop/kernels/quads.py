"""Four floats at once: what a grid of vectors is contracted with, with the same bits everywhere.

A quad is a vector of four float64, read from four neighbouring float32: the three components of a
vector in a grid, and one number more that nobody looks at.  LLVM finds no such vectors by itself in
a loop over the corners of a cell.
"""

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic, models, register_model

from mcprop.kernels.elementary import fma

WIDTH = 4
"""Numbers in a quad."""

if config.DISABLE_JIT:

    def load(data, at):
        """The quad that begins at ``data[at]``, an array of float32."""
        return tuple(float(number) for number in data[at : at + WIDTH])

    def times(factor, quad):
        """A number times a quad."""
        return tuple(factor * number for number in quad)

    def plus(factor, quad, rest):
        """A number times a quad, plus another quad, rounded once."""
        return tuple(fma(factor, a, b) for a, b in zip(quad, rest, strict=True))

    def three(quad):
        """The first three numbers of a quad."""
        return quad[:3]

    def fetch(data, at):
        """Ask for ``data[at]`` to be brought near, to be read soon."""

else:

    class QuadType(types.Type):
        """Numba's type of four float64 in one register."""

        def __init__(self):
            super().__init__(name="Quad")

    QUAD = QuadType()
    VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)

    @register_model(QuadType)
    class _QuadModel(models.PrimitiveModel):
        def __init__(self, manager, kind):
            super().__init__(manager, kind, VECTOR)

    def _place(context, builder, kind, array, at):
        """Pointer to an element of an array."""
        start = context.make_array(kind)(context, builder, array).data
        return builder.gep(start, [at])

    def _splat(builder, number):
        """A vector of four times the same number."""
        none = ir.Constant(VECTOR, ir.Undefined)
        first = builder.insert_element(none, number, ir.Constant(ir.IntType(32), 0))
        order = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(first, none, order)

    @intrinsic
    def load(typingctx, data, at):
        """The quad that begins at ``data[at]``, an array of float32."""
        if getattr(data, "dtype", None) != types.float32 or data.layout != "C":
            raise TypingError(f"numbers of a grid must be contiguous float32, not {data}")

        def build(context, builder, signature, args):
            narrow = ir.VectorType(ir.FloatType(), WIDTH)
            place = _place(context, builder, signature.args[0], *args)
            four = builder.load(builder.bitcast(place, narrow.as_pointer()), align=4)
            return builder.fpext(four, VECTOR)

        return QUAD(data, types.int64), build

    @intrinsic
    def times(typingctx, factor, quad):
        """A number times a quad."""

        def build(context, builder, signature, args):
            return builder.fmul(_splat(builder, args[0]), args[1])

        return QUAD(types.float64, QUAD), build

    @intrinsic
    def plus(typingctx, factor, quad, rest):
        """A number times a quad, plus another quad, rounded once."""

        def build(context, builder, signature, args):
            fused = builder.module.globals.get("llvm.fma.v4f64")
            if fused is None:
                kind = ir.FunctionType(VECTOR, [VECTOR] * 3)
                fused = ir.Function(builder.module, kind, "llvm.fma.v4f64")
            return builder.call(fused, [_splat(builder, args[0]), args[1], args[2]])

        return QUAD(types.float64, QUAD, QUAD), build

    @intrinsic
    def three(typingctx, quad):
        """The first three numbers of a quad."""

        def build(context, builder, signature, args):
            places = [ir.Constant(ir.IntType(32), k) for k in range(3)]
            parts = [builder.extract_element(args[0], place) for place in places]
            return context.make_tuple(builder, signature.return_type, parts)

        return types.UniTuple(types.float64, 3)(QUAD), build

    @intrinsic
    def fetch(typingctx, data, at):
        """Ask for ``data[at]`` to be brought near, to be read soon."""

        def build(context, builder, signature, args):
            place = _place(context, builder, signature.args[0], *args)
            place = builder.bitcast(place, ir.IntType(8).as_pointer())
            numbers = [ir.Constant(ir.IntType(32), k) for k in (0, 3, 1)]
            kind = ir.FunctionType(ir.VoidType(), [place.type, *(n.type for n in numbers)])
            call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            builder.call(call, [place, *numbers])
            return context.get_dummy_value()

        return types.none(data, types.int64), build

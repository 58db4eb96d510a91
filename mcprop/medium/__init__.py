"""Diffusing media as kernels see them: a tensor, its root and its divergence at every point.

One model per file. Media answer `kappa`, and `noise` and `drift` where a closed form is faster
than the defaults; profiles answer `coefficient`, regions `weight`. A medium of your own is one
class and one function, in a script or a notebook::

    class Layered(NamedTuple):
        value: float
        scale: float  # length [pc] on which it varies; 10 pc if there is no such field

    @implements(kappa, Layered)
    def _(medium, x, y, z):
        along = medium.value * (2.0 + math.sin(z / medium.scale))
        return along, 0.0, 0.0, along, 0.0, 0.1 * along  # xx, xy, xz, yy, yz, zz [pc^2/yr]

    ends = mcprop.particles.walk(Layered(1.0, 5.0), (0.0, 0.0, 0.0), 100.0, histories=1000)

Its noise is then the Cholesky root of the tensor, its drift the divergence by central differences
over 1e-5 of the length. If it answers `drift` itself, `check_medium` compares that with the
differences; the first walk does so.
"""

from mcprop.medium.aligned import Aligned
from mcprop.medium.blend import Blend
from mcprop.medium.check import check_medium
from mcprop.medium.constant import Constant
from mcprop.medium.field_aligned import FieldAligned
from mcprop.medium.isotropic import Isotropic
from mcprop.medium.sdp import Gas, NoGas, SdpCoefficient, SdpGalaxy
from mcprop.medium.sphere import Sphere
from mcprop.medium.total import Sum

__all__ = [
    "Aligned",
    "Blend",
    "Constant",
    "FieldAligned",
    "Gas",
    "Isotropic",
    "NoGas",
    "SdpCoefficient",
    "SdpGalaxy",
    "Sphere",
    "Sum",
    "check_medium",
]

"""Magnetic fields: where b points.  One model per file; nothing here knows about particles."""

import mcprop.fields.differences  # noqa: F401  (registers the default of b_gradient)
from mcprop.fields.uniform import UniformField

__all__ = ["UniformField"]

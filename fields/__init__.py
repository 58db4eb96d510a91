"""Magnetic fields: where b points.  One model per file; nothing here knows about particles."""

from mcprop.fields.uniform import UniformField

__all__ = ["UniformField"]

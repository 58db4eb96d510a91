"""Derivatives of a field that does not state them."""

from mcprop.protocol import NUDGE, answers, b_gradient, b_vector, by_default, step_scale


def field_differences(field, x, y, z):
    """Derivatives of the field by central differences over `NUDGE` times the step scale."""
    nudge = NUDGE * step_scale(field, x, y, z)
    ahead, back = x + nudge, x - nudge
    over = 1.0 / (ahead - back)
    ax, ay, az = b_vector(field, ahead, y, z)
    bx, by, bz = b_vector(field, back, y, z)
    xx, yx, zx = over * (ax - bx), over * (ay - by), over * (az - bz)
    ahead, back = y + nudge, y - nudge
    over = 1.0 / (ahead - back)
    ax, ay, az = b_vector(field, x, ahead, z)
    bx, by, bz = b_vector(field, x, back, z)
    xy, yy, zy = over * (ax - bx), over * (ay - by), over * (az - bz)
    ahead, back = z + nudge, z - nudge
    over = 1.0 / (ahead - back)
    ax, ay, az = b_vector(field, x, y, ahead)
    bx, by, bz = b_vector(field, x, y, back)
    return xx, xy, over * (ax - bx), yx, yy, over * (ay - by), zx, zy, over * (az - bz)


@by_default(b_gradient)
def _(model):
    return field_differences if answers(b_vector, model) else None

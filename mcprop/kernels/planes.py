"""Two clouds of particles whose field lines meet on planes across the mean field.

A particle that flows along its line for a normally distributed length is everywhere on that line at
once: what it leaves on a plane z = constant is a weight at the place where the line crosses it. Two
such clouds meet where the crossings of one and of the other are a kick across the mean field apart.
"""

import math

import numpy as np

import mcprop.fields.blocks  # noqa: F401  (registers the default of b_block)
from mcprop.kernels.elementary import exp
from mcprop.kernels.lanes import LANES, block_width
from mcprop.kernels.trace import BLOCK, load, put_slopes
from mcprop.protocol import b_block, kernel, primitive

REACH = 4.5
"""Kicks longer than this many standard deviations are left out: 4e-5 of them."""

SCORES = 6
"""Factors that go with each particle of an observer."""


@primitive
def slope_with_arc(field, places, field_there, slopes, row):
    """Slopes by height of the lines at `places` into block `row`, with ds/dz in place of dz/dz."""
    put_slopes(field, 1.0, True, places, field_there, slopes, row)
    at = row * BLOCK
    for i in range(LANES):
        sx, sy = slopes[at + i], slopes[at + LANES + i]
        slopes[at + 2 * LANES + i] = math.sqrt(1.0 + sx * sx + sy * sy)


@primitive
def climb(field, rise, places, arc, stage, field_there, slopes):
    """One classical Runge-Kutta step by `rise` [pc] of z, of each lane; `arc` gathers the length.

    The four stages are one loop, so that the field is compiled into it once.
    """
    for i in range(BLOCK):
        stage[i] = places[i]
    for j in range(4):
        slope_with_arc(field, stage, field_there, slopes, j)
        part = 1.0 if j == 2 else 0.5
        for i in range(LANES):
            up = part * rise[i]
            stage[i] = places[i] + up * slopes[j * BLOCK + i]
            stage[LANES + i] = places[LANES + i] + up * slopes[j * BLOCK + LANES + i]
            stage[2 * LANES + i] = places[2 * LANES + i] + up
    for i in range(LANES):
        sixth = rise[i] / 6.0
        for k in range(3):
            at = k * LANES + i
            total = slopes[at] + slopes[3 * BLOCK + at]
            total += 2.0 * (slopes[BLOCK + at] + slopes[2 * BLOCK + at])
            if k == 2:
                arc[i] += sixth * total
                places[at] += rise[i]
            else:
                places[at] += sixth * total


@kernel
def cross_planes(field, starts, variance, spacing, offset, steps, first, crossing, weight):
    """Where the lines through `starts` (3, n) [pc] cross the planes z = offset + k spacing.

    Fills, for the planes k = first, first + 1, ... of each line, as many below its start as above,
    the places `crossing` (planes, 2, n) [pc] and the `weight` (planes, n) [1/pc]: a normal density
    of the arc length from the start, of the given `variance` [pc^2], times 1/B_z, and normalised
    over the planes. Its tube is the wider the weaker the field: a cloud that has forgotten where
    on the line it began fills the volume evenly. Each plane is `steps` Runge-Kutta steps further.
    A line that turns back has crossings that are not numbers.
    """
    planes, n = weight.shape
    half = planes // 2
    places, stage, field_there = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    slopes, arc, rise = np.empty(4 * BLOCK), np.empty(LANES), np.empty(LANES)
    for begin in range(0, n, LANES):
        width = block_width(n, begin)
        for way in range(2):
            sense = 2.0 * way - 1.0
            load(starts, begin, places)
            for i in range(LANES):
                height = (places[2 * LANES + i] - offset) / spacing
                above = math.ceil(height)
                target = above if way == 1 else above - 1.0
                rise[i] = (target - height) * spacing / steps
                arc[i] = 0.0
                if way == 0 and i < width:
                    first[begin + i] = int(above) - half
            for k in range(half):
                for _ in range(steps):
                    climb(field, rise, places, arc, stage, field_there, slopes)
                record = half + k if way == 1 else half - 1 - k
                for i in range(BLOCK):
                    field_there[i] = 0.0
                b_block(field, places, field_there)
                for i in range(width):
                    crossing[record, 0, begin + i] = places[i]
                    crossing[record, 1, begin + i] = places[LANES + i]
                    density = exp(-0.5 * arc[i] * arc[i] / variance)
                    weight[record, begin + i] = density / field_there[2 * LANES + i]
                for i in range(LANES):
                    rise[i] = sense * spacing / steps
        for i in range(width):
            total = 0.0
            for k in range(planes):
                total += weight[k, begin + i]
            for k in range(planes):
                weight[k, begin + i] /= spacing * total


@kernel
def to_height(field, height, longest, places):
    """Carry `places` (3, n) [pc] along their lines to z = `height`, in place.

    Runge-Kutta steps are `longest` [pc] at most. What ends up at no numbers was on a line that
    turns back.
    """
    n = places.shape[1]
    here, stage, field_there = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    slopes, arc, rise = np.empty(4 * BLOCK), np.zeros(LANES), np.empty(LANES)
    for begin in range(0, n, LANES):
        width = block_width(n, begin)
        load(places, begin, here)
        far = 0.0
        for i in range(LANES):
            rise[i] = height - here[2 * LANES + i]
            far = max(far, abs(rise[i]))
        steps = max(math.ceil(far / longest), 1)
        for i in range(LANES):
            rise[i] /= steps
        for _ in range(steps):
            climb(field, rise, here, arc, stage, field_there, slopes)
        for k in range(3):
            for i in range(width):
                places[k, begin + i] = here[k * LANES + i]


@kernel
def sort_plane(plane, first, crossing, weight, corner, size, cells, begin, order, points):
    """Sort what a cloud leaves on one plane into square cells of `size` [pc] from `corner` (2,).

    `begin` (cells^2 + 1,) takes where a cell begins in `order`, the numbers of the particles, and
    in `points` (3, n): x, y [pc] and weight. What lies outside is left out. Returns how many lie
    inside.
    """
    planes, n = weight.shape
    begin[:] = 0
    for sweep in range(2):
        for j in range(n):
            k = plane - first[j]
            if k < 0 or k >= planes:
                continue
            x, y = crossing[k, 0, j], crossing[k, 1, j]
            a, b = math.floor((x - corner[0]) / size), math.floor((y - corner[1]) / size)
            if a < 0 or a >= cells or b < 0 or b >= cells:
                continue
            cell = int(a) * cells + int(b)
            if sweep == 0:
                begin[cell + 1] += 1
                continue
            at = begin[cell]
            begin[cell] += 1
            order[at] = j
            points[0, at], points[1, at], points[2, at] = x, y, weight[k, j]
        if sweep == 0:
            for cell in range(cells * cells):
                begin[cell + 1] += begin[cell]
    for cell in range(cells * cells, 0, -1):
        begin[cell] = begin[cell - 1]
    begin[0] = 0
    return begin[cells * cells]


@kernel
def meet_plane(
    plane,
    first,
    crossing,
    weight,
    scores,
    variance,
    spacing,
    corner,
    size,
    cells,
    begin,
    points,
    row,
    columns,
):
    """Add up the pairs on one plane: of a cloud with that which `sort_plane` has sorted.

    A pair counts with the product of its weights, the normal density of the distance across, of
    `variance` [pc^2] along each axis, and the `spacing`. `row` (n,) takes the sums over the sorted
    cloud for each particle; `columns` (SCORES, ...) those over the particles, in the sorted order,
    times each of their `scores` (SCORES, n). Only the nine cells round a particle are visited:
    `size` is `REACH` standard deviations or more, and no particle stands in a cell at the margin.
    """
    planes, n = weight.shape
    scale = -0.5 / variance
    norm = spacing / (2.0 * math.pi * variance)
    for j in range(n):
        k = plane - first[j]
        if k < 0 or k >= planes:
            continue
        x, y, here = crossing[k, 0, j], crossing[k, 1, j], norm * weight[k, j]
        s0, s1, s2 = scores[0, j], scores[1, j], scores[2, j]
        s3, s4, s5 = scores[3, j], scores[4, j], scores[5, j]
        a = math.floor((x - corner[0]) / size)
        b = math.floor((y - corner[1]) / size)
        total = 0.0
        for other in range(a - 1, a + 2):
            for at in range(begin[other * cells + b - 1], begin[other * cells + b + 2]):
                dx, dy = points[0, at] - x, points[1, at] - y
                share = here * exp(scale * (dx * dx + dy * dy)) * points[2, at]
                total += share
                columns[0, at] += s0 * share
                columns[1, at] += s1 * share
                columns[2, at] += s2 * share
                columns[3, at] += s3 * share
                columns[4, at] += s4 * share
                columns[5, at] += s5 * share
        row[j] += total

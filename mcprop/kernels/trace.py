"""Field lines, a block of lanes at a time: in equal steps, or in steps of controlled error.

A line is followed by its arc length, dx/ds = b/|b|, or by its height, dx/dz = b/b_z.
"""

import math

import numpy as np

import mcprop.fields.blocks  # noqa: F401  (registers the default of b_block)
from mcprop.kernels.dormand_prince import DIFFERENCE, TABLEAU
from mcprop.kernels.elementary import exp, log
from mcprop.kernels.lanes import LANES, block_width
from mcprop.protocol import b_block, kernel, primitive, step_scale

BLOCK = 3 * LANES
"""Numbers of a block of vectors."""


@primitive
def put_slopes(field, sense, by_height, places, field_there, slopes, row):
    """Put the slope of the lines at `places` into block `row` of `slopes`.

    `sense` is 1 along the field and -1 against it. By height, a place where the field does not
    point up has no slope: a line that turns back has no single place at a height.
    """
    for i in range(BLOCK):
        field_there[i] = 0.0
    b_block(field, places, field_there)
    at = row * BLOCK
    for i in range(LANES):
        bx, by, bz = field_there[i], field_there[LANES + i], field_there[2 * LANES + i]
        upward = bz if bz > 0.0 else math.nan
        over = sense / (upward if by_height else math.sqrt(bx * bx + by * by + bz * bz))
        slopes[at + i] = over * bx
        slopes[at + LANES + i] = over * by
        slopes[at + 2 * LANES + i] = over * bz


@primitive
def runge_kutta_4(field, sense, by_height, h, places, stage, field_there, slopes):
    """One classical Runge-Kutta step of `h` [pc] of all lanes; global error of order h^4.

    The weighted sum of the slopes is gathered in block 1 of `slopes`. The four stages are one loop,
    so that a field is compiled once and not four times.
    """
    for i in range(BLOCK):
        stage[i] = places[i]
        slopes[BLOCK + i] = 0.0
    for turn in range(4):
        put_slopes(field, sense, by_height, stage, field_there, slopes, 0)
        weight = 2.0 if turn == 1 or turn == 2 else 1.0
        ahead = h if turn == 2 else 0.5 * h
        for i in range(BLOCK):
            slopes[BLOCK + i] += weight * slopes[i]
            stage[i] = places[i] + ahead * slopes[i]
    sixth = h / 6.0
    for i in range(BLOCK):
        places[i] += sixth * slopes[BLOCK + i]


@primitive
def load(starts, begin, places):
    """Put the lines `begin`, ... of `starts` (3, n) into lanes; what is too many stands in last."""
    last = starts.shape[1] - 1
    for k in range(3):
        for i in range(LANES):
            places[k * LANES + i] = starts[k, min(begin + i, last)]


@kernel
def trace_fixed(field, starts, sense, by_height, h, steps, out):
    """Follow the lines from `starts` (3, n) [pc]; record them every `steps` steps of `h` [pc].

    `out` (records, 3, n) takes the places [pc]. See `put_slopes` for `sense` and `by_height`.
    """
    records, n = out.shape[0], out.shape[2]
    places, stage, field_there = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    slopes = np.empty(2 * BLOCK)
    for begin in range(0, n, LANES):
        width = block_width(n, begin)
        load(starts, begin, places)
        for record in range(records):
            for _ in range(steps):
                runge_kutta_4(field, sense, by_height, h, places, stage, field_there, slopes)
            for k in range(3):
                for i in range(width):
                    out[record, k, begin + i] = places[k * LANES + i]


E1, _, E3, E4, E5, E6, E7 = DIFFERENCE.tolist()

SAFETY = 0.9
"""What the next step is shortened by, so that few have to be done again."""
LEAST, MOST = 0.2, 5.0
"""Bounds of the ratio of two steps."""
TINIEST = 1e-10
"""A line is lost where its step would have to be shorter than this part of the way to a record."""


@primitive
def combine(h, places, slopes, row, stage):
    """Put the places of stage `row` into `stage`, for a step `h` of each lane."""
    a1, a2, a3 = TABLEAU[row, 0], TABLEAU[row, 1], TABLEAU[row, 2]
    a4, a5, a6 = TABLEAU[row, 3], TABLEAU[row, 4], TABLEAU[row, 5]
    for k in range(3):
        for i in range(LANES):
            at = k * LANES + i
            rise = a1 * slopes[at] + a2 * slopes[BLOCK + at] + a3 * slopes[2 * BLOCK + at]
            rise += a4 * slopes[3 * BLOCK + at] + a5 * slopes[4 * BLOCK + at]
            stage[at] = places[at] + h[i] * (rise + a6 * slopes[5 * BLOCK + at])


@primitive
def dormand_prince(field, sense, by_height, h, places, stage, field_there, slopes):
    """Try a step of length `h` of each lane; `stage` takes where it would end.

    Block 0 of `slopes` holds the slopes at `places`; block 6 takes those at the end.
    """
    for i in range(BLOCK, 6 * BLOCK):  # slopes that are not known yet count by nothing, not by NaN
        slopes[i] = 0.0
    for row in range(1, 7):
        combine(h, places, slopes, row, stage)
        put_slopes(field, sense, by_height, stage, field_there, slopes, row)


@primitive
def error_of(slopes, h, at):
    """Difference [pc] of the two orders in the coordinate that stands at `at` of a block."""
    first = E1 * slopes[at] + E3 * slopes[2 * BLOCK + at] + E4 * slopes[3 * BLOCK + at]
    last = E5 * slopes[4 * BLOCK + at] + E6 * slopes[5 * BLOCK + at] + E7 * slopes[6 * BLOCK + at]
    return h * (first + last)


@primitive
def judge(tolerance, h, wish, left, places, stage, slopes):
    """Take the steps whose error is at most `tolerance` [pc], and wish for the next ones.

    `left` is the way [pc] that each lane has before it; a step that it cut short does not shorten
    the next one. What is no number counts as a large error.
    """
    for i in range(LANES):
        ex, ey = error_of(slopes, h[i], i), error_of(slopes, h[i], LANES + i)
        ez = error_of(slopes, h[i], 2 * LANES + i)
        ratio = math.sqrt(ex * ex + ey * ey + ez * ez) / tolerance
        good = ratio <= 1.0
        tame = ratio if ratio < 1e4 else 1e4
        tame = tame if tame > 1e-4 else 1e-4
        factor = SAFETY * exp(-0.2 * log(tame))
        factor = factor if factor < MOST else MOST
        factor = factor if factor > LEAST else LEAST
        longer = factor * h[i]
        cut = good and longer < wish[i]
        cut = cut and h[i] == left[i]
        wish[i] = wish[i] if cut else longer
        left[i] = left[i] - (h[i] if good else 0.0)
        for k in range(3):
            at = k * LANES + i
            places[at] = stage[at] if good else places[at]
            slopes[at] = slopes[6 * BLOCK + at] if good else slopes[at]


@primitive
def choose_steps(field, places, wish, left, h):
    """Put into `h` the wished steps, no longer than the way left and the scale of the field."""
    for i in range(LANES):
        scale = step_scale(field, places[i], places[LANES + i], places[2 * LANES + i])
        step = wish[i] if wish[i] < scale else scale
        h[i] = step if step < left[i] else left[i]


HELD = 6
"""Rows of a line under way: place [pc], wished step, way left to its next record [pc], and number
of that record."""


def under_way(starts, spacing):
    """Lines (`HELD`, n) that are to set out from `starts` (3, n) [pc] to records at `spacing`."""
    lines = np.zeros((HELD, starts.shape[1]))
    lines[:3], lines[3:5] = starts, spacing
    return lines


@kernel
def trace_controlled(field, lines, sense, by_height, spacing, tolerance, most, out):
    """Follow the `lines` (`HELD`, n), which are `under_way`; record them every `spacing` [pc].

    The error of each step, as the two orders of the pair differ, is at most `tolerance` [pc], and
    no step is longer than the `step_scale`. `out` (records, 3, n) takes the places [pc], which are
    not numbers where a line is lost, at a null of the field or by height where it turns back, or
    has not come yet when `most` steps of its block have been tried. From there another call goes on
    with the same `lines` and `out`. Returns the number of steps taken and of steps tried.
    """
    records, n = out.shape[0], out.shape[2]
    places, stage, field_there = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    slopes = np.empty(7 * BLOCK)
    h, wish = np.empty(LANES), np.empty(LANES)
    left, before = np.empty(LANES), np.empty(LANES)
    record = np.empty(LANES, np.int64)
    taken, tried = 0, 0
    for begin in range(0, n, LANES):
        width = block_width(n, begin)
        load(lines, begin, places)
        busy, left_to_try = 0, most
        for i in range(LANES):  # what is too many has come
            wish[i], left[i], record[i] = spacing, 0.0, records
        for i in range(width):
            wish[i], left[i] = lines[3, begin + i], lines[4, begin + i]
            record[i] = int(lines[5, begin + i])
            busy += 1 if record[i] < records else 0
        put_slopes(field, sense, by_height, places, field_there, slopes, 0)
        while busy > 0 and left_to_try > 0:
            left_to_try -= 1
            choose_steps(field, places, wish, left, h)
            for i in range(LANES):
                before[i] = left[i]
            dormand_prince(field, sense, by_height, h, places, stage, field_there, slopes)
            judge(tolerance, h, wish, left, places, stage, slopes)
            for i in range(width):
                if record[i] == records:
                    continue
                tried += 1
                taken += 1 if left[i] < before[i] else 0
                there = left[i] == 0.0
                lost = not wish[i] > TINIEST * spacing
                last = records if lost else record[i] + (1 if there else 0)
                for r in range(record[i], last):
                    for k in range(3):
                        out[r, k, begin + i] = math.nan if lost else places[k * LANES + i]
                    left[i] = spacing
                record[i] = last
                if last == records:
                    left[i], wish[i] = 0.0, 0.0
                    busy -= 1
        for i in range(width):
            for k in range(3):
                lines[k, begin + i] = places[k * LANES + i]
                for r in range(record[i], records):
                    out[r, k, begin + i] = math.nan
            lines[3, begin + i], lines[4, begin + i] = wish[i], left[i]
            lines[5, begin + i] = record[i]
    return taken, tried

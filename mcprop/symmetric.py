"""Symmetric tensors of four components, each by its different entries alone."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from itertools import combinations, combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SINGLES, PAIRS, TRIPLES, QUADS = (
    tuple(combinations_with_replacement(range(4), order)) for order in (1, 2, 3, 4)
)
"""Indices of the different entries of a tensor of first to fourth order."""

UPPER = tuple(np.array(index) for index in zip(*PAIRS, strict=True))
"""The same of a tensor of second order, as an index of a matrix (4, 4)."""

TIMES = np.array([24.0 / math.prod(map(math.factorial, Counter(quad).values())) for quad in QUADS])
"""How often each different entry of a tensor of fourth order stands in it."""

_ENTRIES = (((),), SINGLES, PAIRS, TRIPLES, QUADS)
_INDEX = tuple(np.array(entries, dtype=np.int64) for entries in _ENTRIES)


def power(vector: Array, order: int) -> Array:
    """Power of vectors (..., 4), by its different entries in the last axis."""
    if order == 1:
        return vector
    return np.prod(vector[..., _INDEX[order]], axis=-1)


def product(tensor: Array, vector: Array, order: int, lower: int) -> Array:
    """Symmetric tensors of `order`: those of `lower` times a power of vectors, in every way once.

    Parameters
    ----------
    tensor : ndarray
        Different entries of tensors of order `lower` in the last axis.
    vector : ndarray, shape (..., 4)
    order, lower : int

    Returns
    -------
    ndarray
        Different entries in the last axis.
    """
    outer = tensor[..., :, None] * power(vector, order - lower)[..., None, :]
    return outer.reshape(*outer.shape[:-2], -1) @ _table(order, lower).T


@cache
def _table(order: int, lower: int) -> Array:
    """What `product` adds up: a row for each entry of the result, a column for each product."""
    table = np.zeros(tuple(len(_ENTRIES[k]) for k in (order, lower, order - lower)))
    for place, index in enumerate(_ENTRIES[order]):
        for chosen in combinations(range(order), lower):
            mine = tuple(index[i] for i in chosen)
            rest = tuple(index[i] for i in range(order) if i not in chosen)
            table[place, _ENTRIES[lower].index(mine), _ENTRIES[order - lower].index(rest)] += 1.0
    return table.reshape(len(table), -1)

"""The header of a sky map's FITS file: from what is known of a map to cards, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcprop import __version__
from mcprop.dipole import Dipole

Array = NDArray[np.float64]
Card = tuple[str, Any, str]

COLUMNS = ("RELATIVE_INTENSITY", "STD_DEV")
"""Columns of the file."""

_VECTOR_CARDS = ("DELTAX", "DELTAY", "DELTAZ")
_COVARIANCE_CARDS = ("DCOVXX", "DCOVXY", "DCOVXZ", "DCOVYY", "DCOVYZ", "DCOVZZ")
_UPPER = np.triu_indices(3)


def header_cards(
    meta: Mapping[str, Any],
    dipole: Dipole | None,
    covariance: Array | None,
    origin: Mapping[str, str] | None = None,
) -> list[Card]:
    """Cards that describe a map.

    Parameters
    ----------
    meta : mapping
        ``component``, ``energy`` [GeV] (NaN where it has none), ``seed`` (or None), ``title``.
    dipole : Dipole, optional
        Fitted to the map.
    covariance : ndarray, shape (3, 3), optional
        Of that dipole, where it was measured between histories.
    origin : mapping, optional
        Which configuration, sources and libraries the map comes from, as of
        `mcprop.provenance.origin`.

    Returns
    -------
    list of (str, value, str)
        Keyword, value, comment.
    """
    cards: list[Card] = [
        ("CREATOR", f"mcprop {__version__}", "program that made the map"),
        ("DATE", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "UTC of writing"),
        ("COMPONEN", meta["component"], "component of the cosmic rays"),
        ("FRAME", "ICRS", "axes of the map"),
        ("CONVENT", "ARRIVAL", "directions point to where particles come from"),
    ]
    if math.isfinite(meta["energy"]):
        cards.append(("ENERGY", meta["energy"], "[GeV] total energy of the nucleus"))
    if meta["seed"] is not None:
        cards.append(("SEED", meta["seed"], "seed of the random numbers"))
    if meta["title"]:  # FITS knows no other letters than those of ASCII
        cards.append(("SCENARIO", meta["title"].encode("ascii", "replace").decode(), ""))
    if dipole is not None:
        comment = "fitted dipole, ICRS, arrival convention"
        cards += _numbers(_VECTOR_CARDS, dipole.vector, comment)
    if covariance is not None:
        cards += _numbers(_COVARIANCE_CARDS, covariance[_UPPER], "covariance of the fitted dipole")
    return cards + _origin_cards(origin or {})


def _origin_cards(origin: Mapping[str, str]) -> list[Card]:
    cards: list[Card] = []
    for key, name in (("CONFHASH", "config_hash"), ("SRCHASH", "source_hash")):
        if name in origin:
            cards.append((key, origin[name], ""))
    for i, version in enumerate(filter(None, origin.get("versions", "").split(", ")), start=1):
        cards.append((f"VERSN{i}", version[:60], "library"))
    return cards


def _numbers(keys: tuple[str, ...], values: Array, comment: str) -> list[Card]:
    return [(key, float(value), comment) for key, value in zip(keys, values, strict=True)]


def meta_from(header: Mapping[str, Any]) -> dict[str, Any]:
    """What a header says of its map.

    Parameters
    ----------
    header : mapping
        Keyword to value; keywords may be missing.

    Returns
    -------
    dict
        ``component``, ``energy`` [GeV], ``seed``, ``title``, ``dipole_covariance``.
    """
    return {
        "component": header.get("COMPONEN", "total"),
        "energy": float(header.get("ENERGY", math.nan)),
        "seed": header.get("SEED"),
        "title": header.get("SCENARIO", ""),
        "dipole_covariance": _covariance_from(header),
    }


def _covariance_from(header: Mapping[str, Any]) -> Array | None:
    if not all(key in header for key in _COVARIANCE_CARDS):
        return None
    covariance = np.zeros((3, 3))
    covariance[_UPPER] = [header[key] for key in _COVARIANCE_CARDS]
    return covariance + np.triu(covariance, 1).T

"""Reading the files of a run back: provenance, heads of tables, sky maps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcprop.tables import reading

if TYPE_CHECKING:
    from mcprop.sky import SkyMap

_SAME = 1e-9
"""Relative difference of an energy and its FITS card."""


def read_provenance(path: Path) -> dict[str, Any]:
    """Where a run comes from; its seed, if any, is a whole number."""
    with reading(path):
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is not a JSON object")
        if not isinstance(found.get("seed"), int | None):
            raise ValueError(f"its seed is {found['seed']!r}, not a whole number")
    return found


def read_meta(
    meta: Mapping[str, Any],
) -> tuple[str, dict[str, tuple[float, float]], tuple[str, ...]]:
    """Title, marked directions and references from the head of the dipole table."""
    directions, references = meta.get("directions", {}), meta.get("references", [])
    if not isinstance(directions, dict) or not isinstance(references, list):
        raise ValueError("the directions or the references in its head are of another type")
    markers = {str(name): (float(ra), float(dec)) for name, (ra, dec) in directions.items()}
    return str(meta.get("title", "")), markers, tuple(map(str, references))


def read_skies(folder: Path, energies: Sequence[float]) -> dict[tuple[str, float], SkyMap]:
    """Sky maps of a folder by component and energy [GeV], the energies as in the table."""
    if not folder.is_dir():
        return {}
    from astropy.io.fits import VerifyError

    from mcprop.sky import SkyMap

    skies = {}
    for path in sorted(folder.glob("*.fits")):
        with reading(path):
            try:
                sky = SkyMap.read(path)
            except VerifyError as error:
                raise ValueError(str(error)) from error
        # a FITS card may lose the last digit of an energy; the table does not
        near = [e for e in energies if abs(e - sky.energy) <= _SAME * e]
        skies[str(sky.component), near[0] if near else sky.energy] = sky
    return dict(sorted(skies.items(), key=lambda item: item[0]))

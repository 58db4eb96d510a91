"""Health lights: what can be seen from a result about whether its error bars are to be trusted.

`mcprop.checks` makes them, a few for each energy; here they are counted, told and tabulated.
"""

from __future__ import annotations

import html as markup
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mcprop.errors import RangeError

if TYPE_CHECKING:
    from astropy.table import Table

COLOURS = ("off", "green", "amber", "red")
"""From the best to the worst; "off" is a check that was not asked for."""
_SHADES = {"off": "#d9d9d9", "green": "#8fce8f", "amber": "#ffc861", "red": "#f28b82"}


class Light(NamedTuple):
    """What one check says about one result.

    Parameters
    ----------
    energy : float
        Total energy [GeV].
    component, species : str
        Whose dipole it is about; "total" and "all" for those of everything together.
    check : str
        Name of the check, see `mcprop.checks`.
    value : float
        What the check looks at, such as a relative error; NaN for one that is off.
    limit : float
        Up to which `value` the light is green.
    colour : str
        One of `COLOURS`.
    advice : str
        What to do, a sentence; empty where all is well.
    """

    energy: float
    component: str
    species: str
    check: str
    value: float
    limit: float
    colour: str
    advice: str = ""

    @property
    def badness(self) -> tuple[int, float]:
        """By which lights of one check can be put in order."""
        excess = self.value / self.limit if self.limit > 0.0 else self.value
        return COLOURS.index(self.colour), excess if excess == excess else 0.0


def worst(lights: Iterable[Light]) -> str:
    """Worst colour of all lights.

    Parameters
    ----------
    lights : iterable of Light

    Returns
    -------
    str
        One of `COLOURS`; "off" where there is no light.
    """
    return max((light.colour for light in lights), key=COLOURS.index, default="off")


def sentences(lights: Sequence[Light]) -> list[str]:
    """Say what is amber or red, one sentence for each check and component over all energies.

    Parameters
    ----------
    lights : sequence of Light

    Returns
    -------
    list of str
        Red ones first; without a full stop.
    """
    energies = len({light.energy for light in lights})
    said = []
    for (check, component), group in _groups(lights, "check", "component").items():
        bad = max(group, key=lambda light: light.badness)
        at = len({light.energy for light in group})
        where = f"at {bad.energy:.4g} GeV"
        if at > 1:
            where = f"at {at} of {energies} energies, most {where}"
        number = f" ({bad.value:.2g}, limit {bad.limit:.2g})" if bad.value == bad.value else ""
        line = f"{bad.colour}: {check} of the {component}{number} {where}: {bad.advice}"
        said.append((-COLOURS.index(bad.colour), line))
    return [line for _, line in sorted(said, key=lambda item: item[0])]


def summary(lights: Sequence[Light]) -> str:
    """Say in one line how healthy a result is.

    Parameters
    ----------
    lights : sequence of Light

    Returns
    -------
    str
        Such as "Health: amber (relative error at 3 of 16 energies)".
    """
    colour = worst(lights)
    energies = len({light.energy for light in lights})
    counts = [
        f"{check} at {len({light.energy for light in group})} of {energies} energies"
        for (check,), group in _groups(lights, "check").items()
        if worst(group) == colour
    ]
    return f"Health: {colour}" + (f" ({', '.join(counts)})" if counts else "")


def _groups(lights: Iterable[Light], *names: str) -> dict[tuple[str, ...], list[Light]]:
    """Amber and red lights that have the same values of some fields."""
    groups: dict[tuple[str, ...], list[Light]] = {}
    for light in lights:
        if light.colour in ("amber", "red"):
            key = tuple(getattr(light, name) for name in names)
            groups.setdefault(key, []).append(light)
    return groups


def table(lights: Sequence[Light]) -> Table:
    """Lights as an astropy Table.

    Parameters
    ----------
    lights : sequence of Light

    Returns
    -------
    Table
        Its columns are the fields of `Light`.
    """
    from astropy.table import Table

    numbers = ("energy", "value", "limit")
    types = ["f8" if name in numbers else "U1" for name in Light._fields]
    if not lights:
        made = Table(names=Light._fields, dtype=types)
    else:
        made = Table(rows=list(lights), names=Light._fields)
    made["energy"].unit = "GeV"
    return made


def from_table(table: Table) -> list[Light]:
    """Rebuild the lights from what `table` has returned.

    Raises
    ------
    RangeError
        For a colour that there is not.
    """
    lights = []
    for row in table:
        values = {name: _plain(row[name]) for name in Light._fields}
        if values["colour"] not in COLOURS:
            raise RangeError(
                f"colour = {values['colour']!r} of a light must be one of {', '.join(COLOURS)}."
            )
        lights.append(Light(**values))
    return lights


def _plain(value: Any) -> Any:
    """A value of a table as Python's own; empty text is masked in files."""
    if getattr(value, "mask", False):
        return ""
    return value.item() if hasattr(value, "item") else value


def html(lights: Sequence[Light]) -> str:
    """Lights for a notebook: a row for each check, a column for each component, worst of all.

    Parameters
    ----------
    lights : sequence of Light

    Returns
    -------
    str
        HTML, with the sentences below.
    """
    components = list(dict.fromkeys(light.component for light in lights))
    rows = []
    for check in dict.fromkeys(light.check for light in lights):
        cells = [f"<th>{markup.escape(check)}</th>"]
        for component in components:
            here = [x for x in lights if (x.check, x.component) == (check, component)]
            colour = worst(here)
            shade = f' style="background:{_SHADES[colour]}"' if here else ""
            cells.append(f"<td{shade}>{colour if here else ''}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{markup.escape(component)}</th>" for component in components)
    told = "".join(f"<li>{markup.escape(line)}</li>" for line in sentences(lights))
    return (
        f"<p>{markup.escape(summary(lights))}</p>"
        f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"
        + (f"<ul>{told}</ul>" * bool(told))
    )

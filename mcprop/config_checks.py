"""One line for each problem of a scenario: what single values and their combinations may not be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from mcprop.quantity_text import near_miss, show
from mcprop.sections import MOST_ENERGIES, Section, Sections
from mcprop.species import SPECIES
from mcprop.toml_text import dotted

_MOST_BATCHES = 1_000_000
FADED = 300.0
"""Largest x of an exponential cut-off exp(-x) that leaves something to be seen."""


def problem_lines(error: ValidationError, config: type[Section]) -> list[str]:
    """Say each problem that pydantic found in one line.

    Parameters
    ----------
    error : ValidationError
        What pydantic raised.
    config : type of Section
        The class of the whole configuration.

    Returns
    -------
    list of str
        Lines that start with the dotted key.
    """
    found = error.errors(include_url=False)
    return [_problem_line(dict(problem), config) for problem in found]


def _problem_line(problem: dict[str, Any], config: type[Section]) -> str:
    path, given = problem["loc"], problem["input"]
    if path[-1] == "[key]":
        path = path[:-1]
    match problem["type"]:
        case "value_error":
            return f"{dotted(path)}: {problem['ctx']['error']}"
        case "missing":
            return f"{dotted(path)}: missing; allowed: {_allowed(path, config)}"
        case "extra_forbidden":
            return f"{dotted(path)}: unknown key (got {show(given)}); {_instead(path, config)}"
        case "model_type" | "dict_type":
            return f"{dotted(path)}: got {show(given)}; allowed: a table [{dotted(path)}]"
    return f"{dotted(path)}: got {show(given)}; {problem['msg']}"


def _keys(section: type[Section]) -> list[str]:
    """The keys of a section as they stand in a file."""
    return [field.alias or name for name, field in section.model_fields.items()]


def _sections(config: type[Section]) -> dict[str, type[Section]]:
    """The classes of the sections by name."""
    return {
        name: field.annotation
        for name, field in config.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }


def _allowed(path: tuple[str | int, ...], config: type[Section]) -> str:
    """What a key that may not be left out may be."""
    home = config if len(path) == 1 else _sections(config)[str(path[0])]
    fields = {field.alias or key: field for key, field in home.model_fields.items()}
    markers = fields[str(path[-1])].metadata if str(path[-1]) in fields else []
    words = (marker.allowed for marker in markers if hasattr(marker, "allowed"))
    return next(words, f"a table [{dotted(path)}]")


def _instead(path: tuple[str | int, ...], config: type[Section]) -> str:
    """What an unknown key could have been."""
    key, sections = str(path[-1]), _sections(config)
    if len(path) == 1:
        home, place = _keys(config), "at the top"
    else:
        home, place = _keys(sections[str(path[0])]), f"in [{path[0]}]"
    elsewhere = {
        f"{name}.{known}": known for name, part in sections.items() for known in _keys(part)
    }
    hint = near_miss(key, home)
    if not hint:
        hint = "".join(
            f"; did you mean {full}?" for full, known in elsewhere.items() if known == key
        )
    return f"allowed {place}: {', '.join(home)}{hint}"


def cross_checks(config: Sections) -> list[str]:
    """Check what single values cannot tell.

    Parameters
    ----------
    config : Sections
        A configuration whose values are fine one by one.

    Returns
    -------
    list of str
        Lines that start with the dotted key; empty if all is well.
    """
    return [
        *_nuclei(config),
        *config.own_problems(),
        *_energy_keys(config),
        *_energy_values(config),
        *_batches(config),
    ]


def _nuclei(config: Sections) -> Iterator[str]:
    names = config.species.names
    for place, name in enumerate(names):
        if name in names[:place]:
            yield f"species.names[{place}]: got {show(name)} twice; allowed: each nucleus once"


def missing_nuclei(
    names: Iterable[str], tables: Mapping[str, Mapping[str, object]]
) -> Iterator[str]:
    """Find the tables that lack one of the nuclei that are followed.

    Parameters
    ----------
    names : iterable of str
        The nuclei, the values of ``species.names``.
    tables : mapping
        Tables by nucleus, under their dotted keys.

    Yields
    ------
    str
        A line for each nucleus that a table lacks.
    """
    wanted = tuple(dict.fromkeys(names))
    for path, table in tables.items():
        for name in wanted:
            if name not in table:
                given = ", ".join(table) or "nothing"
                yield f"{path}: got {given}; allowed: a value for each of species.names, {name} too"


def faded(config: Sections, exponents: Callable[[float, str], Iterable[float]]) -> Iterator[str]:
    """Say if cut-offs leave nothing of any component at the highest energy.

    Parameters
    ----------
    config : Sections
        A configuration whose values are fine one by one.
    exponents : callable
        Of a total energy [GeV] and a nucleus: the x of exp(-x) of each component.

    Yields
    ------
    str
        A line for that energy.
    """
    names, energy = config.species.names, max(config.energies.grid, default=0.0)
    if energy <= max(SPECIES[name].mass for name in names):  # is told elsewhere
        return
    least = min(x for name in names for x in exponents(energy, name))
    if least > FADED:
        yield (
            f"energies: got {energy:g} GeV, where the cut-offs leave nothing, exp(-{least:.3g})"
            f" at most; allowed: energies up to {FADED:g} times the highest cut-off"
        )


def _energy_keys(config: Sections) -> Iterator[str]:
    energies = config.energies
    grid = ("minimum", "maximum", "per_decade")
    if energies.values is not None:
        for name in grid:
            if getattr(energies, name) is not None:
                yield (
                    f"energies.values: got a list next to energies.{name};"
                    " allowed: either values, or minimum, maximum and per_decade"
                )
                return


def _energy_values(config: Sections) -> Iterator[str]:
    energies = config.energies
    low, high = energies.minimum, energies.maximum
    if low is not None and high is not None and low >= high:
        yield (
            f"energies.minimum: got {low:g} GeV; allowed: less than energies.maximum, {high:g} GeV"
        )
        return
    grid = energies.grid
    if len(grid) > MOST_ENERGIES:
        yield f"energies.per_decade: got {len(grid)} energies; allowed: at most {MOST_ENERGIES}"
    for place, energy in enumerate(grid):
        if energy in grid[:place]:
            yield f"energies.values[{place}]: got {energy:g} GeV twice; allowed: each energy once"
    yield from _above_rest(config)


def _above_rest(config: Sections) -> Iterator[str]:
    """Every nucleus must move at every energy."""
    energies = config.energies
    heaviest = max((SPECIES[name] for name in config.species.names), key=lambda item: item.mass)
    given = {f"energies.values[{i}]": value for i, value in enumerate(energies.values or ())}
    for path, energy in (given or {"energies.minimum": energies.grid[0]}).items():
        if energy <= heaviest.mass:
            yield (
                f"{path}: got {energy:g} GeV; allowed: more than the rest energy of"
                f" {heaviest.name}, {heaviest.mass:g} GeV"
            )


def _batches(config: Sections) -> Iterator[str]:
    size, histories = config.monte_carlo.batch, config.stop.histories
    if histories > _MOST_BATCHES * size:
        yield (
            f"monte_carlo.batch: got {size}; allowed: at least stop.histories / {_MOST_BATCHES},"
            f" {histories / _MOST_BATCHES:g}"
        )

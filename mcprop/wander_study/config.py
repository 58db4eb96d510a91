"""Configurations of `mcprop wander`: three studies, their scenarios, every problem a line."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field as Key
from pydantic import ValidationError

from mcprop.config_checks import problem_lines
from mcprop.documents import Resolved, model_of, with_defaults
from mcprop.errors import ConfigError
from mcprop.quantity_text import Choice
from mcprop.scenario_files import ScenarioFiles
from mcprop.toml_text import parse_document, plain_document, read_text, shown
from mcprop.wander_study import problems, sections
from mcprop.wander_study.sections import Spectrum, Title

SCAN = "wandering-scan"
"""Key of the study that scans the strength of the field, epsilon and the spectrum."""
BURST = "wandering-burst"
"""Key of the study of a burst that shines through realisations of the field."""
SKY = "wandering-sky"
"""Key of the study of the sky that an observer sees whose orbits are traced back."""
_MOST_CASES = 20_000


class WanderConfig(Resolved):
    """A checked configuration of a study, every value in internal units; it cannot be changed."""

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Check a document and fill in what it leaves out.

        Parameters
        ----------
        document : Mapping
            Sections and values as in a scenario file. A value of None counts as left out.

        Returns
        -------
        ScanConfig, BurstConfig or SkyConfig

        Raises
        ------
        ConfigError
            With one line for each problem.
        """
        given = plain_document(document)
        key = model_of(given, STUDIES)
        whole, kind = with_defaults(given, _base(key)), _KINDS[key]
        try:
            config = kind.model_validate(whole)
        except ValidationError as error:
            raise ConfigError(problem_lines(error, kind)) from None
        if found := list(config.own_problems()):
            raise ConfigError(found)
        config._document = whole
        return config  # type: ignore[return-value]

    def replace(self, changes: Mapping[str, Any]) -> Self:
        """Make another configuration with some values changed.

        Parameters
        ----------
        changes : Mapping
            New values by dotted key, such as ``{"scan.mach": [0.1, 0.3]}``, or whole sections by
            name. None takes a value out.

        Returns
        -------
        ScanConfig, BurstConfig or SkyConfig

        Raises
        ------
        ConfigError
            With one line for each problem.

        Examples
        --------
        >>> load("wander-isotropic").replace({"scan.mach": [0.1]}).scan.mach
        (0.1,)
        """
        return type(self).from_dict(self._changed(changes))

    def own_problems(self) -> Iterable[str]:
        """Problems of values that are fine one by one: lines that start with the dotted key."""
        return ()


class ScanConfig(WanderConfig):
    """A scan over the strength of the field, rigidity, epsilon and spectrum."""

    title: Title
    study: Annotated[str, Choice((SCAN,)), Key(alias="model")]
    field: sections.FieldScan
    transport: sections.Transport
    scan: sections.Scan
    lines: sections.Lines
    monte_carlo: sections.ScanMonteCarlo

    @property
    def spectra(self) -> tuple[Spectrum, ...]:
        """Every combination of geometry, slope and scales."""
        field = self.field
        axes = (field.geometry, field.slope, field.longest, field.shortest)
        return tuple(Spectrum(*one) for one in itertools.product(*axes))

    def own_problems(self) -> Iterable[str]:
        """Each value once; wavelengths in order; no more cases than a person would read."""
        field, scan = self.field, self.scan
        yield from problems.twice("field.geometry", field.geometry)
        yield from problems.twice("field.slope", field.slope)
        yield from problems.twice("field.longest", field.longest)
        yield from problems.twice("field.shortest", field.shortest)
        yield from problems.twice("scan.mach", scan.mach)
        yield from problems.twice("scan.rigidities", scan.rigidities)
        yield from problems.twice("transport.epsilon", self.transport.epsilon)
        yield from problems.disordered(min(field.longest), max(field.shortest))
        yield from field.strong_problems(scan.mach)
        yield from problems.kinetic_problems(self.transport, scan.rigidities)
        yield from problems.mismatched(field, self.monte_carlo)
        cases = len(self.spectra) * len(scan.mach)
        cases *= len(scan.rigidities) * len(self.transport.epsilon)
        if cases > _MOST_CASES:
            yield f"scan: got {cases} cases; allowed: at most {_MOST_CASES}"


class BurstConfig(WanderConfig):
    """A burst that shines through realisations of a wandering field."""

    title: Title
    study: Annotated[str, Choice((BURST,)), Key(alias="model")]
    field: sections.Field
    transport: sections.Transport
    source: sections.Source
    monte_carlo: sections.BurstMonteCarlo

    @property
    def spectrum(self) -> Spectrum:
        """The turbulence."""
        field = self.field
        return Spectrum(field.geometry, field.slope, field.longest, field.shortest)

    def own_problems(self) -> Iterable[str]:
        """Each value once; wavelengths in order; the burst must be somewhere."""
        source = self.source
        yield from problems.twice("source.rigidities", source.rigidities)
        yield from problems.twice("transport.epsilon", self.transport.epsilon)
        yield from problems.disordered(self.field.longest, self.field.shortest)
        yield from self.field.strong_problems()
        yield from problems.kinetic_problems(self.transport, source.rigidities)
        if source.r_parallel**2 + source.r_perp**2 < 1.0:
            yield (
                f"source.r_parallel: got {source.r_parallel:g} pc with source.r_perp"
                f" {source.r_perp:g} pc, a burst at the observer; allowed: a distance of 1 pc at"
                " least"
            )


class SkyConfig(WanderConfig):
    """The sky of an observer in a field that wanders: orbits traced back through realisations."""

    title: Title
    study: Annotated[str, Choice((SKY,)), Key(alias="model")]
    field: sections.Field
    sky: sections.Sky
    monte_carlo: sections.SkyMonteCarlo

    @property
    def spectrum(self) -> Spectrum:
        """The turbulence."""
        field = self.field
        return Spectrum(field.geometry, field.slope, field.longest, field.shortest)

    def own_problems(self) -> Iterable[str]:
        """Wavelengths in order; a gradient there must be."""
        yield from problems.disordered(self.field.longest, self.field.shortest)
        yield from self.field.strong_problems()
        if self.sky.gradient_along == 0.0 == self.sky.gradient_across:
            yield (
                "sky.gradient_along: got 0 with sky.gradient_across 0, an isotropic sky; allowed:"
                " a gradient along the mean field, or across it"
            )


AnyConfig = ScanConfig | BurstConfig | SkyConfig
_KINDS: dict[str, type[AnyConfig]] = {SCAN: ScanConfig, BURST: BurstConfig, SKY: SkyConfig}
_DEFAULTS = {SCAN: "wander-isotropic", BURST: "xue-liu-2025-wandering-mc", SKY: "wander-sky"}
"""Scenario of each kind that holds the values of every key that is left out."""
STUDIES = tuple(_KINDS)
"""What ``model`` may be in a configuration of `mcprop wander`."""


FILES = ScenarioFiles("mcprop.wander_study")
"""The built-in scenarios of `mcprop wander`."""


def names() -> tuple[str, ...]:
    """Names of the built-in scenarios of `mcprop wander`.

    Returns
    -------
    tuple of str
    """
    return FILES.names()


def text(name: str) -> str:
    """The commented text of a built-in scenario.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    str
        TOML.

    Raises
    ------
    ConfigError
        If there is no such scenario.
    """
    return FILES.text(name)


def load(path_or_name: str | Path) -> AnyConfig:
    """Read and check a scenario.

    Parameters
    ----------
    path_or_name : str or Path
        Name of a built-in scenario, or path of a file.

    Returns
    -------
    ScanConfig, BurstConfig or SkyConfig

    Raises
    ------
    ConfigError
        With one line for each problem.
    """
    return parse(*FILES.find(path_or_name))


def parse(text: str, name: str = "scenario") -> AnyConfig:
    """Check the text of a scenario.

    Parameters
    ----------
    text : str
        TOML.
    name : str
        What the text is called where it is not TOML at all.

    Returns
    -------
    ScanConfig, BurstConfig or SkyConfig

    Raises
    ------
    ConfigError
        With one line for each problem.
    """
    config: AnyConfig = WanderConfig.from_dict(  # type: ignore[assignment]
        parse_document(text, name)
    )
    return config


def belongs(path_or_name: str | Path) -> bool:
    """Whether a configuration is one of `mcprop wander`; False if it cannot be told.

    Parameters
    ----------
    path_or_name : str or Path
        Name of a built-in scenario of any command, or path of a file.
    """
    return str(path_or_name) in names() or model_in(path_or_name) in STUDIES


def require_model(path: str | Path, others: tuple[str, ...]) -> None:
    """Refuse a file that names neither a study nor any other model.

    Parameters
    ----------
    path : str or Path
    others : tuple of str
        Models of other commands.

    Raises
    ------
    ConfigError
        With all that it may name, or because it cannot be read.
    """
    model_of(parse_document(read_text(Path(path)), shown(path)), (*others, *STUDIES))


def model_in(path: str | Path) -> str:
    """What a file says that its model is.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    str
        Empty if there is no such file, or no such thing in it.
    """
    try:
        return str(parse_document(read_text(Path(path)), "").get("model", ""))
    except ConfigError:
        return ""


@cache
def _base(key: str) -> dict[str, Any]:
    """Values of the keys that a configuration of a study leaves out."""
    return parse_document(text(_DEFAULTS[key]), key)

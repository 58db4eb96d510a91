"""Published measurements to compare with: dipoles of the arrival directions."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Measurement(NamedTuple):
    """A measured equatorial dipole.

    experiment : str; energy : float [GeV]; amplitude, amplitude_err : float; ra : float [deg, -180
    to 180]; ra_err : float [deg]; reference : str, ADS bibcode.
    """

    experiment: str
    energy: float
    amplitude: float
    amplitude_err: float
    ra: float
    ra_err: float
    reference: str


@cache
def dipoles() -> tuple[Measurement, ...]:
    """Measured dipoles, 100 GeV to 10 PeV.

    Returns
    -------
    tuple of Measurement
        By experiment and energy. Amplitudes are those of the equatorial dipole: a fit in right
        ascension alone has been divided by the mean cosine of declination in its field of view,
        where that is known.

    Examples
    --------
    >>> sorted({m.experiment for m in dipoles()})[:3]
    ['ARGO-YBJ', 'Baksan Carpet', 'EAS-TOP']
    """
    from astropy.table import Table

    text = files("mcprop").joinpath("data", "dipole_anisotropy.ecsv").read_text(encoding="utf-8")
    table = Table.read(text.splitlines(), format="ascii.ecsv")
    columns = [table[name].tolist() for name in Measurement._fields]
    return tuple(Measurement(*values) for values in zip(*columns, strict=True))

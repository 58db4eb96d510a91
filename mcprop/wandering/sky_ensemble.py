"""Skies of kinetic observers in realisations of a field: what they share, what is each's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np

from mcprop.dipole import Dipole
from mcprop.multipoles import CommonPower, PowerSpectrum, angular_power, common_power
from mcprop.sky import pixel_vectors
from mcprop.wandering.kinetic_sky import traced_sky
from mcprop.wandering.realisations import (
    Estimate,
    each_realisation,
    estimate,
    field_seed,
    seeded,
    whole,
)
from mcprop.wandering.seen_sky import KineticSky


@dataclass(frozen=True, eq=False)
class SkyEnsemble:
    """Skies in realisations of a random field, at the same observer's place.

    The mean sky of many fields is what a theory of diffusion describes. With a mean field it has
    the symmetry of that field, so odd multipoles along it may be left beside the dipole; without a
    mean field, in isotropic turbulence, it is a dipole. Each single sky has power of its own.

    Attributes
    ----------
    skies : tuple of KineticSky
        One for each realisation.
    """

    skies: tuple[KineticSky, ...]

    @property
    def halfway(self) -> SkyEnsemble:
        """The same orbits at half the duration; no skies where they were not kept."""
        return SkyEnsemble(tuple(sky.halfway for sky in self.skies if sky.halfway is not None))

    @property
    def map(self) -> Estimate:
        """Mean map, and its error from the scatter of realisations, shape (npix,)."""
        return estimate([sky.map for sky in self.skies])

    @property
    def dipole(self) -> Dipole:
        """Mean dipole, with its covariance from the scatter of realisations."""
        vectors = np.array([sky.dipole.vector for sky in self.skies])
        return Dipole(vectors.mean(axis=0), np.cov(vectors.T) / len(vectors))

    @property
    def kappa(self) -> Estimate:
        """Mean of `KineticSky.kappa` [pc^2/yr] and its error, shape (3, 3)."""
        return estimate([sky.kappa for sky in self.skies])

    @property
    def kappa_hall(self) -> Estimate:
        """Mean of kappa_A round the mean field [pc^2/yr], and its error."""
        return estimate([sky.coefficients.hall for sky in self.skies])

    @property
    def spread(self) -> Estimate:
        """Mean of `KineticSky.spread` [pc^2] and its error, shape (3, 3)."""
        return estimate([sky.spread for sky in self.skies])

    def power(self, lmax: int | None = None) -> Estimate:
        """Mean power of a single sky without its noise [sr], and the error of the mean.

        Parameters
        ----------
        lmax : int, optional
            Largest multipole; by default 2 nside.
        """
        return estimate([spectrum.signal for spectrum in self._powers(lmax)])

    def common(self, lmax: int | None = None) -> CommonPower:
        """Power of the mean over all fields, without what is each sky's own.

        Parameters
        ----------
        lmax : int, optional
            Largest multipole; by default 2 nside.

        Returns
        -------
        CommonPower
            Its error is from leaving out each realisation in turn.

        Raises
        ------
        RangeError
            If there are less than three realisations.
        """
        maps = np.array([sky.map - 1.0 for sky in self.skies])
        single = [spectrum.c_l for spectrum in self._powers(lmax)]
        vectors, total, n = pixel_vectors(self.skies[0].nside), maps.sum(axis=0), len(maps)
        highest = len(single[0]) - 1
        without = [angular_power(vectors, (total - one) / (n - 1), highest) for one in maps]
        return common_power(angular_power(vectors, total / n, highest), single, without)

    def _powers(self, lmax: int | None) -> list[PowerSpectrum]:
        return [sky.power(lmax) for sky in self.skies]


def sky_ensemble(
    field_of: Callable[[int], Any],
    rigidity: float,
    duration: float,
    gradient: Any,
    *,
    realisations: int,
    seed: int,
    workers: int | None = None,
    **options: Any,
) -> SkyEnsemble:
    """Trace skies in realisations of a random field.

    Parameters
    ----------
    field_of : callable
        Makes the field of a realisation from its seed (int), mean field included.
    rigidity, duration, gradient
        As for `traced_sky`.
    realisations : int
        Number of fields, at least 2.
    seed : int
        Seed of the study.
    workers : int, optional
        Number of threads; no bit of the result depends on it.
    **options
        Of `traced_sky`: `nside`, `per_pixel`, `tau`, `outer`, `beta`, `charge`, `place`, `step`,
        `halfway`, `mean_field`, `axes`.

    Returns
    -------
    SkyEnsemble

    Raises
    ------
    RangeError
        If a number is out of range.
    ModelError
        If `field_of` makes no field.
    """
    whole("realisations", realisations, 2)
    whole("seed", seed, 0)
    maker, stop = seeded(field_of), Event()
    options |= {"workers": 1, "stop": stop}

    def one(realisation: int) -> KineticSky:
        key = field_seed(seed, realisation)
        field = maker(key)
        return traced_sky(field, rigidity, duration, gradient, seed=key, **options)

    return SkyEnsemble(tuple(each_realisation(one, realisations, workers, stop)))

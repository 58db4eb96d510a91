"""What to cite: BibTeX of the model, the methods and the software that a run rests on."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import NamedTuple

from mcprop import __version__, models
from mcprop.errors import OutputError


class Reference(NamedTuple):
    """One entry of the bibliography: what it is cited for, which parts of a run use it, BibTeX."""

    purpose: str
    parts: tuple[str, ...]
    bibtex: str


PARTS = ("formulas", "monte-carlo", "sky", "figures", "wander")
"""Parts of a run that bring references of their own."""

_SOFTWARE = r"""@software{mcprop,
  title   = {mcprop: cosmic-ray arrival directions by backward Monte Carlo},
  author  = {{The mcprop developers}},
  version = {VERSION},
}"""

_REFERENCES = (
    Reference(
        "the random numbers: Threefry2x64-20 of Random123",
        ("monte-carlo", "wander"),
        r"""@inproceedings{Salmon2011,
  title     = {Parallel random numbers: as easy as 1, 2, 3},
  author    = {Salmon, John K. and Moraes, Mark A. and Dror, Ron O. and Shaw, David E.},
  booktitle = {Proceedings of 2011 International Conference for High Performance Computing,
               Networking, Storage and Analysis (SC '11)},
  year      = {2011},
  doi       = {10.1145/2063384.2063405},
}""",
    ),
    Reference(
        "the amplitudes, freed from the bias of noise",
        ("monte-carlo",),
        r"""@article{Plaszczynski2014,
  title   = {A novel estimator of the polarization amplitude from normally distributed {Stokes}
             parameters},
  author  = {Plaszczynski, S. and Montier, L. and Levrier, F. and Tristram, M.},
  journal = {Monthly Notices of the Royal Astronomical Society},
  volume  = {439},
  pages   = {4048--4056},
  year    = {2014},
  doi     = {10.1093/mnras/stu270},
}""",
    ),
    Reference(
        "the compiled loops: Numba",
        ("monte-carlo", "wander"),
        r"""@inproceedings{Lam2015,
  title     = {Numba: a {LLVM}-based {Python} {JIT} compiler},
  author    = {Lam, Siu Kwan and Pitrou, Antoine and Seibert, Stanley},
  booktitle = {Proceedings of the Second Workshop on the LLVM Compiler Infrastructure in HPC},
  year      = {2015},
  doi       = {10.1145/2833157.2833162},
}""",
    ),
    Reference(
        "the pixels of the sky maps: HEALPix",
        ("sky",),
        r"""@article{Gorski2005,
  title   = {{HEALPix}: A Framework for High-Resolution Discretization and Fast Analysis of Data
             Distributed on the Sphere},
  author  = {G{\'o}rski, K. M. and Hivon, E. and Banday, A. J. and Wandelt, B. D. and
             Hansen, F. K. and Reinecke, M. and Bartelmann, M.},
  journal = {The Astrophysical Journal},
  volume  = {622},
  pages   = {759--771},
  year    = {2005},
  doi     = {10.1086/427976},
}""",
    ),
    Reference(
        "the sky maps: healpy",
        ("sky",),
        r"""@article{Zonca2019,
  title   = {healpy: equal area pixelization and spherical harmonics transforms for data on the
             sphere in {Python}},
  author  = {Zonca, Andrea and Singer, Leo and Lenz, Daniel and Reinecke, Martin and
             Rosset, Cyrille and Hivon, Eric and Gorski, Krzysztof},
  journal = {Journal of Open Source Software},
  volume  = {4},
  number  = {35},
  pages   = {1298},
  year    = {2019},
  doi     = {10.21105/joss.01298},
}""",
    ),
    Reference(
        "units, coordinates and tables: Astropy",
        ("formulas", "monte-carlo", "wander"),
        r"""@article{Astropy2022,
  title   = {The {Astropy} Project: Sustaining and Growing a Community-oriented Open-source Project
             and the Latest Major Release (v5.0) of the Core Package},
  author  = {{Astropy Collaboration}},
  journal = {The Astrophysical Journal},
  volume  = {935},
  pages   = {167},
  year    = {2022},
  doi     = {10.3847/1538-4357/ac7c74},
}""",
    ),
    Reference(
        "arrays: NumPy",
        ("formulas", "monte-carlo", "wander"),
        r"""@article{Harris2020,
  title   = {Array programming with {NumPy}},
  author  = {Harris, Charles R. and Millman, K. Jarrod and van der Walt, St{\'e}fan J. and others},
  journal = {Nature},
  volume  = {585},
  pages   = {357--362},
  year    = {2020},
  doi     = {10.1038/s41586-020-2649-2},
}""",
    ),
    Reference(
        "the measurements in the figures, besides the publications named in their table",
        ("figures",),
        r"""@article{Maurin2023,
  title   = {A cosmic-ray database update: {CRDB} v4.1},
  author  = {Maurin, David and Ahlers, Markus and Dembinski, Hans and Haungs, Andreas and
             Mangeard, Pierre-Simon and Melot, Fr{\'e}d{\'e}ric and Mertsch, Philipp and
             Wochele, Doris and Wochele, J{\"u}rgen},
  journal = {The European Physical Journal C},
  volume  = {83},
  pages   = {971},
  year    = {2023},
  doi     = {10.1140/epjc/s10052-023-12092-8},
}""",
    ),
    Reference(
        "the figures: Matplotlib",
        ("figures", "wander"),
        r"""@article{Hunter2007,
  title   = {Matplotlib: A {2D} graphics environment},
  author  = {Hunter, John D.},
  journal = {Computing in Science \& Engineering},
  volume  = {9},
  number  = {3},
  pages   = {90--95},
  year    = {2007},
  doi     = {10.1109/MCSE.2007.55},
}""",
    ),
)


RUN_PARTS = tuple(part for part in PARTS if part != "wander")
"""Those of a model that was run, in distinction from a study of fields that wander."""


def bibliography(
    parts: tuple[str, ...] = RUN_PARTS, version: str = __version__, model: str = models.known()[0]
) -> str:
    """BibTeX of everything that a run with these parts rests on.

    Parameters
    ----------
    parts : tuple of {"formulas", "monte-carlo", "sky", "figures", "wander"}
        What ran; by default everything of a model that is run.
    version : str
        Version of mcprop that ran.
    model : str
        Key of the model, or of the study of fields that wander.

    Returns
    -------
    str
        BibTeX entries, each under a comment that says what it is cited for.
    """
    software = Reference("the program", PARTS, _SOFTWARE.replace("VERSION", version))
    rests_on = (software, *models.papers(model), *_REFERENCES)
    used = [ref for ref in rests_on if set(ref.parts) & set(parts)]
    return "\n\n".join(f"% {ref.purpose}\n{ref.bibtex}" for ref in used) + "\n"


def parts_of(directory: Path) -> tuple[str, ...]:
    """Tell from the output of a run which parts ran.

    Parameters
    ----------
    directory : Path
        Where the run was written.

    Returns
    -------
    tuple of str
        Some of `PARTS`.

    Raises
    ------
    OutputError
        If the directory holds no table of dipoles.
    """
    skies = ("sky",) if any((directory / "sky").glob("*.fits")) else ()
    if model_of(directory) in models.WANDERING and (directory / "summary.txt").exists():
        return ("wander", *skies)
    try:
        lines = (directory / "dipole.ecsv").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise OutputError(f"{directory}: holds no run (no readable dipole.ecsv in it).") from None
    found = ["formulas"]
    if any("monte-carlo" in line for line in lines if not line.startswith("#")):
        found.append("monte-carlo")
    found += skies
    if any((directory / "figures").glob("*")):
        found.append("figures")
    return tuple(found)


def version_of(directory: Path) -> str:
    """Version of mcprop that wrote a run; this one where the run does not say.

    Parameters
    ----------
    directory : Path
        Where the run was written.

    Returns
    -------
    str
        Version.
    """
    try:
        record = json.loads((directory / "provenance.json").read_text(encoding="utf-8"))
        return str(record["mcprop"])
    except (OSError, ValueError, LookupError, TypeError):
        return __version__


def model_of(directory: Path) -> str:
    """Key of the model of a run; the first of the models where the run does not say.

    Parameters
    ----------
    directory : Path
        Where the run was written.

    Returns
    -------
    str
        One of `mcprop.models.known` or `mcprop.models.WANDERING`.
    """
    try:
        text = (directory / "config.toml").read_text(encoding="utf-8")
        key = tomllib.loads(text).get("model")
    except (OSError, ValueError, RecursionError):
        key = None
    known = models.known()
    return key if key in (*known, *models.WANDERING) else known[0]

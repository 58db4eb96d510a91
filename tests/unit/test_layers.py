"""Imports go one way: a module imports only what stands beneath it, or left of it in its row."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

# The one ordered list, from the ground up. A new module: add its name (without "mcprop.") to the
# row it belongs to, right of everything in that row that it imports. A package stands right of
# its modules, because its __init__ may re-export them.
ROWS = """
    errors units species frames symmetric _cache threads protocol models
    kernels.elementary kernels.lanes kernels.vectors kernels.quads
    fields.differences fields.blocks fields.total fields.uniform fields.answer fields.sample
        fields.plane_waves
        fields.fast_plane_waves fields.spectra fields.turbulence fields.local fields.cells
        fields.grid fields.grid_waves fields.grid_store fields.grid_turbulence fields.grid_file
        fields
    kernels.rng kernels.launch kernels.tensor kernels.step
        kernels.boundary kernels.residence kernels.walk kernels.slab kernels.region
        kernels.score kernels.analog kernels.boost kernels.power_sums
        kernels.flow kernels.wander kernels.dormand_prince kernels.trace kernels.planes
        kernels.mirror kernels.orbit kernels.scatter kernels
    diffusion medium.aligned medium.blend medium.check medium.constant
        medium.field_aligned medium.isotropic medium.sdp medium.sphere medium.total medium particles
        spectrum source cloud observer galaxy.halo galaxy.grid galaxy.steady
        galaxy.modes galaxy background central_burst
        analytic.green analytic.boost analytic.cloud analytic.given analytic.mixture
        analytic.parameters
        analytic.xue_liu_2025 analytic.sphere analytic.walled_sphere analytic.lrmf_losses
        analytic.lrmf_parameters analytic.lrmf_sdp analytic.quantities analytic.spectral
        analytic.corrsin analytic.wandering analytic
    dipole moments multipoles region tables skyplot skyfits sky findings comparison health
        measurements wandering.given_field wandering.realisations wandering.tracing
        wandering.field_lines
        wandering.line_divergence
        wandering.plateau wandering.course wandering.orbits wandering.kinetic
        wandering.given_transport wandering.pseudo_particles
        wandering.meeting wandering.line_scores wandering.burst_clouds
        wandering.burst_legs
        wandering.burst
        wandering.burst_study
        wandering.seen_sky wandering.kinetic_sky wandering.sky_ensemble wandering plot
        cite provenance sealed lock rundir lookup result_files result
    quantity_text toml_text sections documents scenario_files config_checks scenario
        paths burst_walk runnable transport plan batches assembly halving trend influence checks
        study processes ranks executors batch_file store energy_run runner simulation
        replayed replay
        background_job region_job
        lrmf_sdp.config lrmf_sdp.plan lrmf_sdp.assembly lrmf_sdp
        xue_liu_2025.config xue_liu_2025.plan xue_liu_2025.assembly xue_liu_2025
    report wander_study.sections wander_study.problems wander_study.config wander_study.validity
        wander_study.plan wander_study.cost wander_study.columns
        wander_study.sky_rows wander_study.tables
        wander_study.verdicts wander_study.estimates wander_study.measure wander_study.figures
        wander_study.legs wander_study.burst_figures wander_study.xue_liu wander_study.summary
        wander_study.progress wander_study.outcome wander_study.scan wander_study.burst
        wander_study.sky_duration wander_study.sky_hall wander_study.sky_panels
        wander_study.sky_figures
        wander_study.skies wander_study.study wander_study.papers wander_study
    status interruption cli_shared cli_wander cli_run cli __main__
"""
ORDER = ROWS.split()

# (importers, imported): what the order alone would allow, and is forbidden all the same
SEPARATE = [("analytic", "kernels"), ("kernels", "analytic")]
# library: the only module that may import it
RESERVED = {"healpy": "sky"}
# names of the package itself that stand in no module
OF_THE_PACKAGE = {"__version__"}


class Import(NamedTuple):
    importer: str
    imported: str  # module of the package without "mcprop.", or "" for the package itself
    library: str  # top-level name of an outside module, or ""
    line: int


def modules(package: Path) -> dict[str, Path]:
    """All modules of the package by their name, without the package's own name."""
    found = {}
    for folder, _, names in os.walk(package, followlinks=True):
        for name in names:
            if name.endswith(".py"):
                path = Path(folder, name)
                parts = path.relative_to(package).with_suffix("").parts
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: set[str]) -> Iterator[Import]:
    """Every import statement of a module, wherever it stands: top, function or type checking."""
    base = name.split(".") if name else []
    if path.name != "__init__.py":
        base = base[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            outer = node.module.split(".") if node.module else []
            if node.level:
                outer = ["mcprop", *base[: len(base) - node.level + 1], *outer]
            targets = [".".join([*outer, alias.name]) for alias in node.names]
        else:
            continue
        for target in targets:
            top, _, rest = target.partition(".")
            if top != "mcprop":
                yield Import(name, "", top, node.lineno)
            elif rest not in OF_THE_PACKAGE:
                yield Import(name, innermost_module(rest, known), "", node.lineno)


def innermost_module(dotted: str, known: set[str]) -> str:
    """`spectrum.intensity` -> `spectrum`; the package itself is "" ."""
    while dotted and dotted not in known:
        dotted = dotted.rpartition(".")[0]
    return dotted


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def breach(found: Import, order: list[str]) -> str | None:
    """What is wrong with one import, if anything is."""
    importer, imported, library, _ = found
    if library:
        allowed = importer == RESERVED.get(library, importer)
        return None if allowed else f"only {RESERVED[library]} may import {library}"
    if not imported:
        return "imports the package as a whole: name the module"
    if any(is_in(importer, one) and is_in(imported, other) for one, other in SEPARATE):
        return f"{importer} and {imported} must know nothing of each other"
    if importer not in order or imported not in order:
        return None  # reported by `unlisted`
    if importer != imported and order.index(imported) > order.index(importer):
        return f"{imported} stands above {importer}"
    return None


def breaches(package: Path, order: list[str]) -> list[str]:
    """All that is wrong in a package, one line each. The package's own __init__ is its face."""
    known = modules(package)
    found = [f"{name}: not in the list of layers" for name in known if name and name not in order]
    for name, path in known.items():
        for one in imports(name, path, set(known)) if name else ():
            if (what := breach(one, order)) is not None:
                found.append(f"{name}:{one.line}: {what}")
    return found


def test_imports_go_one_way(repository):
    assert breaches(repository / "mcprop", ORDER) == []


def test_list_names_each_module_once_and_nothing_else(repository):
    assert len(ORDER) == len(set(ORDER))
    assert sorted(ORDER) == sorted(name for name in modules(repository / "mcprop") if name)


def test_the_face_of_the_package_imports_nothing_at_once(repository):
    tree = ast.parse((repository / "mcprop" / "__init__.py").read_text(encoding="utf-8"))
    at_once = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {getattr(node, "module", None) for node in at_once} == {
        "__future__",
        "importlib",
        "typing",
    }


@pytest.fixture
def sound(tmp_path):
    """A small package without a breach."""
    package = tmp_path / "mcprop"
    for file, text in {
        "__init__.py": "def __getattr__(name): from mcprop import cli",
        "units.py": "import numpy",
        "species.py": "from mcprop.units import strip\nfrom mcprop import __version__",
        "kernels/__init__.py": "from mcprop import units\nfrom .rng import draw",
        "kernels/rng.py": "from ..units import C_LIGHT",
        "analytic/__init__.py": "from mcprop.analytic.green import density",
        "analytic/green.py": "import mcprop.species",
        "sky.py": "def read(): import healpy",
        "cli.py": "def main(): from mcprop import sky, analytic; import mcprop.kernels.rng",
    }.items():
        (package / file).parent.mkdir(parents=True, exist_ok=True)
        (package / file).write_text(text + "\n")
    return package


SMALL = ["units", "species", "kernels.rng", "kernels", "analytic.green", "analytic", "sky", "cli"]


def test_a_sound_package_passes(sound):
    assert breaches(sound, SMALL) == []


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("units.py", "from mcprop.species import PROTON", "units:1: species stands above units"),
        ("units.py", "import mcprop.cli", "units:1: cli stands above units"),
        ("units.py", "from . import sky", "units:1: sky stands above units"),
        ("units.py", "def f():\n    from mcprop.sky import SkyMap", "units:2: sky stands above"),
        ("units.py", "import typing\nif typing.TYPE_CHECKING:\n    from .cli import main", ":3:"),
        ("kernels/rng.py", "from .. import cli", "kernels.rng:1: cli stands above kernels.rng"),
        ("kernels/rng.py", "from mcprop.kernels import rng, draw", "kernels stands above"),
        ("kernels/rng.py", "from mcprop.analytic import green", "nothing of each other"),
        ("analytic/green.py", "from mcprop.kernels.rng import draw", "nothing of each other"),
        ("analytic/green.py", "def f():\n    import mcprop.kernels", "green:2: analytic.green and"),
        ("cli.py", "def f():\n    from healpy import nside2npix", "only sky may import healpy"),
        ("cli.py", "from mcprop import Simulation", "cli:1: imports the package as a whole"),
        ("galaxy.py", "", "galaxy: not in the list of layers"),
    ],
)
def test_a_planted_breach_is_caught(sound, file, text, complaint):
    (sound / file).write_text(text + "\n")
    found = breaches(sound, SMALL)
    assert len(found) == 1
    assert complaint in found[0]

"""Everything random in a result, for comparisons with ==, also across processes."""

import hashlib

from mcprop.scenario import load
from mcprop.simulation import Simulation

SCENARIO = "xue-liu-2025-time-dependent"
CONFIG = load(SCENARIO).replace({"monte_carlo.batch": 256, "monte_carlo.nside": 4})
ENERGIES = [1e3, 2e4]
HISTORIES = 1100  # four batches, and a short one


def run(config=CONFIG, energies=ENERGIES, histories=HISTORIES, seed=5, **how):
    return Simulation(config).run(histories=histories, seed=seed, energies=energies, **how)


def contents(result):
    """Everything random in a result, ready to be compared with ==."""
    return {
        "rows": [
            (row.energy, row.component, row.species, row.method, row.weight, row.estimator,
             row.dipole.vector.tobytes(), row.dipole.covariance.tobytes())
            for row in result.rows
        ],
        "comparison": [repr(row) for row in result.comparison],
        "maps": {
            key: (sky.relative_intensity.tobytes(), sky.std_dev.tobytes())
            for key, sky in result.skies.items()
        },
        "counts": [result.provenance[key] for key in ("seed", "histories", "steps", "fates")],
    }  # fmt: skip


def digest(result):
    """One SHA-256 of it all."""
    return hashlib.sha256(repr(contents(result)).encode()).hexdigest()

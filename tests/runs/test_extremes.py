"""Parameters at the edge of what is allowed: an answer or "inconclusive", never a crash."""

import pytest

import mcprop as mp

BASE = "xue-liu-2025"
TIMED = {"cloud.mode": "time-dependent"}


@pytest.mark.parametrize(
    "changes",
    [
        {"nearby.age": "3 yr"},
        {"nearby.age": "3 yr", **TIMED},
        {"cloud.depth": "100 pc"},
        {"cloud.depth": "10 pc"},
        {"cloud.depth": "1e-3 pc"},
        {"velocity.cloud_speed": "0 km/s"},
        {"compton_getting.coefficient": 0},
        {"compton_getting.coefficient": "spectrum"},
        {"species.names": ["He"]},
        {"cloud.transport": "wandering", **TIMED},
        {"monte_carlo.nside": 1, "monte_carlo.kernel_leg": 0.01},
    ],
    ids=lambda changes: ", ".join(f"{key} = {value}" for key, value in changes.items()),
)
def test_nothing_differs_and_the_run_is_written(changes, tmp_path):
    config = mp.load(BASE).replace({"monte_carlo.nside": 4, **changes})
    result = mp.Simulation(config).run(histories=4096, seed=2, energies=[1e2, 1e6])
    assert not result.comparison.of("differs"), result.comparison
    assert result.comparison.of("agrees")
    written = result.write(tmp_path / "run")
    assert mp.Result.read(written).energies == [1e2, 1e6]


@pytest.mark.parametrize("energy", [5.0, 1e9])
def test_the_ends_of_the_energy_range(energy, tmp_path):
    result = mp.Simulation.from_scenario(BASE).run(histories=4096, seed=2, energies=energy)
    assert not result.comparison.of("differs"), result.comparison
    result.write(tmp_path / "run")

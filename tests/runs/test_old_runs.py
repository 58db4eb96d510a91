"""Run directories of earlier versions stay readable; one of each format is kept."""

import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from mcprop import cli
from mcprop.result import Result
from mcprop.runner import Run
from mcprop.scenario import load
from mcprop.store import FORMAT, Store

# Vectors of the dipoles as the version that made the run printed them.
VECTORS = {
    "nearby": ("0x1.2dfec70cc4fe7p-10", "0x1.5500e5ba21230p-10", "-0x1.5c0e486afe168p-11"),
    "centre": ("-0x1.54cc8c2a0b986p-9", "-0x1.8133f15730ad2p-9", "0x1.8efb99f47b437p-10"),
    "compton-getting": (
        "-0x1.9d67d5467214fp-14", "-0x1.8ade306be5d33p-12", "-0x1.06f4923a22056p-13",
    ),
    "total": ("0x1.8baa9f15262d6p-11", "0x1.33bd3bc0dc4d8p-11", "-0x1.43ea8091beb28p-11"),
}  # fmt: skip


@pytest.fixture(params=range(1, FORMAT + 1))
def old(request, repository):
    return repository / "tests" / "old-runs" / f"format-{request.param}"


def test_its_result_is_read(old):
    result = Result.read(old)
    assert (result.title, result.energies, result.provenance["seed"]) == (
        "A run of format 1", [1e4], 1,
    )  # fmt: skip
    for component, vector in VECTORS.items():
        expected = [float.fromhex(number) for number in vector]
        assert result.dipole("10 TeV", component).vector.tolist() == expected
    assert result.sky("10 TeV").relative_intensity.shape == (12,)
    assert {light.colour for light in result.health} == {"green", "amber"}
    assert len(result.comparison) == 16


def test_its_configuration_is_still_one(old):
    config = load(old / "config.toml")
    assert config.digest == Result.read(old).provenance["config_hash"]


def test_its_batches_still_add_up_to_it(old):
    """Up to the rounding of another version's sums."""
    store = Store.opened(old)
    assert store.damaged() == []
    run = Run(store.config.model(), store.config)
    run.gather(store, set())
    found = {(row.component, row.species): row for row in run.assembly(run.energies[0]).rows()}
    for component, vector in VECTORS.items():
        expected = [float.fromhex(number) for number in vector]
        dipole = found[component, "all"].dipole
        assert np.allclose(dipole.vector, expected, rtol=1e-12, atol=0.0)


def test_commands_know_it(old, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(old, directory)
    said = CliRunner().invoke(cli.main, ["status", str(directory)])
    assert said.exit_code == 0, said.stderr
    assert "A run of format 1, seed 1" in said.stdout
    assert "finished; its results are in" in said.stdout
    assert CliRunner().invoke(cli.main, ["cite", str(directory)]).exit_code == 0

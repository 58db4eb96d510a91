"""Small studies of `mcprop wander` for tests, their files, and the command."""

import json

from astropy.io import fits
from astropy.table import Table
from click.testing import CliRunner
from PIL import Image

from mcprop import cli
from mcprop.provenance import origin
from mcprop.wander_study import config as configurations

SMALL = {
    "model": "wandering-scan",
    "title": "small",
    "field.waves": 24,
    "transport.epsilon": [1e-2, "kinetic"],
    "scan.mach": [1e-3, 0.3],
    "scan.rigidities": ["10 TV", "80 TV"],
    "lines.count": 16,
    "lines.length": "300 pc",
    "monte_carlo.realisations": 6,
    "monte_carlo.particles": 16,
    "monte_carlo.windows": 4.0,
    "monte_carlo.seed": 5,
}
SKY = {
    "model": "wandering-sky",
    "title": "small",
    "field.waves": 24,
    "sky.nside": 4,
    "sky.duration": "10 yr",
    "monte_carlo.realisations": 2,
    "monte_carlo.seed": 5,
}
BURST = {
    "model": "wandering-burst",
    "title": "small",
    "field.waves": 24,
    "transport.epsilon": [1e-2],
    "monte_carlo.realisations": 3,
    "monte_carlo.particles": 256,
    "monte_carlo.parallel_step": "80 pc",
    "monte_carlo.legs": 2,
    "monte_carlo.seed": 5,
}


def written(path, values):
    """A configuration file of dotted keys."""
    document = {}
    for key, value in values.items():
        *home, name = key.split(".")
        (document.setdefault(home[0], {}) if home else document)[name] = value
    lines = [f"{key} = {json.dumps(v)}" for key, v in document.items() if not isinstance(v, dict)]
    for section, keys in document.items():
        if isinstance(keys, dict):
            lines.append(f"[{section}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


def invoke(*arguments):
    return CliRunner().invoke(cli.main, [str(item) for item in arguments])


def every_file_says_where_it_comes_from(directory):
    """Seed, configuration, sources and versions, in the head of each."""
    told = json.loads((directory / "provenance.json").read_text())
    assert told["seed"] == 5
    assert told["config_hash"] == configurations.load(str(directory / "config.toml")).digest
    expected = origin(told)
    assert {"mcprop", "source_hash", "config_hash", "seed", "versions"} == set(expected)
    for path in directory.rglob("*.*"):
        if path.suffix == ".png":
            with Image.open(path) as picture:
                found = json.loads(picture.text["Comment"])
        elif path.suffix == ".ecsv":
            meta = Table.read(path, format="ascii.ecsv").meta
            assert meta["seed"] == 5
            found = meta["origin"]
        elif path.suffix == ".fits":
            with fits.open(path) as maps:
                header = maps[1].header
            assert header["SEED"] == 5
            assert header["CONFHASH"] == expected["config_hash"]
            assert header["SRCHASH"] == expected["source_hash"]
            assert [header[f"VERSN{i}"] for i in (1, 2)] == expected["versions"].split(", ")[:2]
            continue
        elif path.suffix in (".txt", ".toml"):
            head = path.read_text().splitlines()[: len(expected)]
            found = dict(line.removeprefix("# ").split(": ", 1) for line in head)
        else:
            assert path.name == "provenance.json"
            continue
        assert found == expected, path.name

"""Small studies of `mcprop wander` for tests, their files, and the command."""

import json

from click.testing import CliRunner

from mcprop import cli

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

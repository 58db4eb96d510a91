"""Mutated scenarios by the thousand: each is a valid configuration, or refused in clear lines.

Scenarios are those of runs, or those of studies of fields that wander.

`try_many` counts what became of them; anything but these two outcomes is kept word for word.
"""

import random
import re
import tomllib
import traceback
import warnings
from dataclasses import dataclass, field

from click.testing import CliRunner

from mcprop import cli, scenario
from mcprop.errors import ConfigError, McpropError
from mcprop.simulation import Simulation
from mcprop.toml_text import format_document
from mcprop.wander_study import config as wandering
from mcprop.wander_study.cost import cost_text, require_affordable
from mcprop.wander_study.plan import plan_text

NAME = "mutated.toml"
LONGEST = 400
"""Characters of a line about a problem, where the list of all keys of a section may stand."""
EACH_COMMAND = 200
"""One in so many goes through the command line, too."""
EACH_FORMULA = {"xue-liu-2025": 20, "lrmf-sdp": 200}
"""One in so many of those that are valid is evaluated at one energy; a Galaxy takes seconds."""

FRAGMENTS = [
    "", " ", "\n", "\t", "\r", "\x00", "\x1b[31m", "\x7f", "\x9b", "\u2028", "\u202e", "\ufeff",
    "\u0663", "\u00b5G", "\u2212", "\U0001f30c", "nan", "-inf", "1e999", "-1", "0",
    "0x" + "f" * 400, "9" * 400, "true", "[]", "{}", "{a = {b = {}}}", "[[[[1]]]]", "1979-05-27",
    "[cloud]\n", "[[cloud]]\n", "[a.b.c]\n", '"', "'", '"""', "\\", "\\u0000", "=", ".", ",", "#",
    "pc", "GeV", "1 pc", '"3 PeV"', '"1 pc**99"', '"1 mag"', '"1 (pc"', '"1 pc/"', '"1 /yr"',
    '"1 dex(pc)"', '"1 degC"', '"1e999 TeV"', '"-1e308 kpc"',
]  # fmt: skip
VALUES = [
    True, False, 0, -1, 1, 64, 1024, 10**5000, -(2**63), 0.0, 1.5, -0.0, 1e-300, 1e308,
    float("nan"), float("inf"), "", " ", "none", "on", "off", "p", "steady", "analog", "1 pc",
    "1e999 TeV", "-1 yr", "0 pc", "1e-30 kpc", "1e30 GV", "3 PV", "3 TeV", "1e5 yr", "1 /yr",
    "1e28 cm2/s", "30 min", "\x1b]0;owned\x07", "\u202egpj", "x" * 5000, [], [1], ["p"],
    ["p", "p"], ["1 TeV"], [[["1 TeV"]]], {}, {"p": 2}, {"p": "1 GV-1", "He": "1 GV-1"},
    {"a": {"b": {"c": 1}}}, {"values": ["1 TeV"]},
]  # fmt: skip
FACTORS = [-1.0, 0.0, 1e-12, 1e-3, 0.5, 2.0, 10.0, 1e3, 1e12, 1e300]
KEYS = ["", "x", "p", "depth", "source", "values", "a b", "\x1b[2J", "\n", "k" * 300]


@dataclass
class Counts:
    """What became of mutated scenarios.

    Parameters
    ----------
    valid, refused : int
        Those that were taken, and those that were refused in proper lines.
    tracebacks : int
        Those that ended in any other way, by whatever went wrong.
    evaluated, commands : int
        How many of them were evaluated at one energy, or had their cost foretold, and went through
        the command line.
    failures : list of str
        What went wrong, with the text that did it.
    """

    valid: int = 0
    refused: int = 0
    tracebacks: int = 0
    evaluated: int = 0
    commands: int = 0
    failures: list = field(default_factory=list)


def try_many(count, seed, folder, names=None, of=scenario):
    """Mutate scenarios and try them.

    Parameters
    ----------
    count : int
        How many.
    seed : int
        The same mutations every time.
    folder : Path
        Where the files for the command line are written.
    names : sequence of str, optional
        Scenarios to start from; by default all of them.
    of : module
        `mcprop.scenario` for those of runs, `mcprop.wander_study.config` for those of studies.

    Returns
    -------
    Counts
    """
    counts, names = Counts(), names or of.names()
    texts = [without_comments(of.text(name)) for name in names]
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        text = mutated(texts, draw)
        try:
            _try_one(text, number, counts, folder / NAME, of)
        except Exception:  # noqa: BLE001 (whatever it is, it is counted and shown)
            counts.tracebacks += 1
            counts.failures.append(f"{number}: {traceback.format_exc()}\n{text!r}")
    return counts


def mutated(texts, draw):
    """Bytes of one of several scenarios with one to four mutations of bytes or of structure."""
    content = draw.choice(texts).encode()
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        if draw.random() < 0.5:
            content = draw.choice(OF_BYTES)(content or b"\n", draw, texts)
        else:
            content = restructured(content, draw)
    return content


def _try_one(content, number, counts, path, of):
    """One scenario: valid or refused, and the same by way of the command line."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            config = of.parse(decoded(content), NAME)
            if of is scenario:
                config.model()
        except ConfigError as error:
            config = None
            check_lines(error.problems, str(error), config_keys=True)
    if config is None:
        counts.refused += 1
    else:
        counts.valid += 1
        assert of.parse(config.to_toml()) == config, "is read back as another one"
        if of is wandering:
            counts.evaluated += 1
            foresee(config)
        elif counts.valid % EACH_FORMULA[config.formulas] == 0:
            counts.evaluated += 1
            evaluate(config)
    if number % EACH_COMMAND == 0:
        counts.commands += 1
        check_command(content, path, config)


def evaluate(config):
    """Formulas at one energy: a result, or a line that says why there is none."""
    energy = config.energies.grid[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            result = Simulation(config).analytic(energies=[energy])
        except McpropError as error:
            check_lines(str(error).split("\n"), str(error))
        else:
            assert abs(result.dipole(energy).amplitude) >= 0.0


def foresee(config):
    """What a study will do and cost: text, or a line that says why it cannot be had."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            require_affordable(config)
        except McpropError as error:
            check_lines(str(error).split("\n"), str(error))
        else:
            assert plan_text(config)
            assert cost_text(config)


def check_command(content, path, config):
    """`mcprop check FILE` says the same, in lines, with its exit code."""
    path.write_bytes(content)
    outcome = CliRunner().invoke(cli.main, ["check", str(path)])
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    if config is None:
        assert (outcome.exit_code, outcome.stdout) == (2, "")
    else:
        assert outcome.exit_code in (0, 2)
    if outcome.exit_code:
        lines = outcome.stderr.removesuffix("\n").split("\n")
        # a file name of any length stands in front
        check_lines([line.replace(str(path), NAME) for line in lines])


def decoded(content):
    """Text as it is read from a file, or the refusal."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{NAME}: is not UTF-8 text (byte {error.start + 1})") from None


def check_lines(problems, message=None, config_keys=False):
    """Every problem is one printable line of bounded length."""
    assert problems
    assert message is None or message.split("\n") == problems
    for line in problems:
        assert line.isprintable(), line
        assert 0 < len(line) <= LONGEST, line
        if config_keys:
            assert re.match(rf'{re.escape(NAME)}: |(?:[^":\s]|"(?:[^"\\]|\\.)*")+: ', line), line


def without_comments(text):
    """The same scenario in fewer characters, so that mutations meet what counts."""
    return re.sub(r"[ \t]*#.*", "", text)


# Bytes


def flip(content, draw, texts):
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]


def insert(content, draw, texts):
    at = draw.randrange(len(content))
    new = draw.choice([bytes([draw.randrange(256)]), draw.choice(FRAGMENTS).encode()])
    return content[:at] + new + content[at:]


def delete(content, draw, texts):
    at = draw.randrange(len(content))
    return content[:at] + content[at + draw.choice([1, 1, 2, 5, 40]) :]


def swap(content, draw, texts):
    lines = content.splitlines(keepends=True)
    i, j = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def truncate(content, draw, texts):
    return content[: draw.randrange(len(content))]


def repeat(content, draw, texts):
    at = draw.randrange(len(content))
    end = at + draw.choice([1, 3, 20, 200])
    return content[:end] + content[at:end] + content[end:]


def splice(content, draw, texts):
    other = draw.choice(texts).encode()
    return content[: draw.randrange(len(content))] + other[draw.randrange(len(other)) :]


def encode(content, draw, texts):
    """Another encoding, byte order mark or line end."""
    text = content.decode("utf-8", "replace")
    return draw.choice(
        [
            b"\xef\xbb\xbf" + content,
            content.replace(b"\n", b"\r\n"),
            content.replace(b"\n", b"\r"),
            text.encode("utf-16"),
            text.encode("latin-1", "replace") + b"\xe9",
            content + b"\x00",
        ]
    )


def value_text(content, draw, texts):
    spans = [m.span(1) for m in re.finditer(rb"^\w+ = (.*?)\s*$", content, re.MULTILINE)]
    if not spans:
        return content
    start, end = draw.choice(spans)
    return content[:start] + draw.choice(FRAGMENTS).encode() + content[end:]


OF_BYTES = [flip, insert, delete, swap, truncate, repeat, splice, encode, value_text]


# Structure


def restructured(content, draw):
    """A document with one change of structure, or as it is if it can no longer be read."""
    try:
        document = tomllib.loads(content.decode())
    except (ValueError, RecursionError):
        return content
    table = draw.choice([document, *(v for v in document.values() if isinstance(v, dict))])
    if not table:
        return content
    draw.choice(OF_TABLES)(document, table, draw.choice(list(table)), draw)
    try:
        return format_document(document).encode()
    except (ValueError, TypeError, RecursionError):
        # numbers without end are beyond str(), dates beyond the writer
        return content


def other_value(document, table, key, draw):
    table[key] = draw.choice(VALUES)


def other_size(document, table, key, draw):
    value, factor = table[key], draw.choice(FACTORS)
    if isinstance(value, str) and (match := re.match(r"[-+0-9.e]+(?= )", value)):
        table[key] = f"{float(match[0]) * factor!r}{value[match.end() :]}"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        larger = float(value) * factor if abs(value) < 1e300 else value
        table[key] = int(larger) if isinstance(value, int) and abs(larger) < 1e300 else larger


def other_unit(document, table, key, draw):
    if isinstance(value := table[key], str):
        unit = draw.choice(["", "pc", "yr", "GV", "GeV", "kpc", "eV", "G", "km/s", "deg", "m m"])
        table[key] = f"{value.split(' ')[0]} {unit}"


def exchanged(document, table, key, draw):
    other = draw.choice(list(table))
    table[key], table[other] = table[other], table[key]


def moved(document, table, key, draw):
    home = draw.choice([document, *(v for v in document.values() if isinstance(v, dict))])
    value = table.pop(key)
    if home is not value:
        home[key] = value


def renamed(document, table, key, draw):
    table[draw.choice([*KEYS, key.upper(), key[:-1], key + "s"])] = table.pop(key)


def removed(document, table, key, draw):
    del table[key]


def doubled(document, table, key, draw):
    table[draw.choice([*KEYS, key + "_"])] = table[key]


OF_TABLES = [
    other_value, other_value, other_size, other_size, other_size, other_unit, exchanged, moved,
    renamed, removed, doubled,
]  # fmt: skip

"""Thousands of mutated scenarios: each is either valid or refused in lines, never a traceback."""

import random
import re

import numpy as np
import pytest
from astropy import units as u

from mcprop import scenario
from mcprop.errors import ConfigError

MUTATIONS_PER_SCENARIO = 2500
FRAGMENTS = [
    "", " ", "\n", "\t", "\r", "\x00", "\x7f", "\u2028", "\ufeff", "\u0663", "\u00b5G", "\u2212",
    "\U0001f30c", "nan", "-inf", "1e999", "-1", "0", "0x" + "f" * 400, "9" * 400, "true", "[]",
    "{}", "{a = {b = {}}}", "[[[[1]]]]", "1979-05-27", "[cloud]\n", "[[cloud]]\n", "[a.b.c]\n",
    '"', "'", '"""', "\\", "\\u0000", "=", ".", ",", "#", "pc", "GeV", "1 pc", '"3 PeV"',
    '"1 pc**99"', '"1 mag"', '"1 (pc"', '"1 pc/"', '"1 /yr"', '"1 dex(pc)"', '"1 degC"',
]  # fmt: skip


def delete(text, draw):
    start = draw.randrange(len(text))
    return text[:start] + text[start + draw.choice([1, 1, 2, 5, 40]) :]


def duplicate(text, draw):
    start = draw.randrange(len(text))
    end = start + draw.choice([1, 3, 20, 200])
    return text[:end] + text[start:end] + text[end:]


def replace_character(text, draw):
    at = draw.randrange(len(text))
    return (
        text[:at] + chr(draw.choice([draw.randrange(128), draw.randrange(0xD800)])) + text[at + 1 :]
    )


def insert_fragment(text, draw):
    at = draw.randrange(len(text))
    return text[:at] + draw.choice(FRAGMENTS) + text[at:]


def value_spans(text):
    return [match.span(1) for match in re.finditer(r"^\w+ = (.*?)\s*(?:#.*)?$", text, re.MULTILINE)]


def new_value(text, draw):
    start, end = draw.choice(value_spans(text) or [(0, 0)])
    return text[:start] + draw.choice(FRAGMENTS) + text[end:]


def swap_values(text, draw):
    spans = value_spans(text)
    if len(spans) < 2:
        return text[::-1]
    (a, b), (c, d) = sorted(draw.sample(spans, 2))
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def drop_unit(text, draw):
    amounts = list(re.finditer(r'"([0-9.e+-]+) [^"]+"', text))
    if not amounts:
        return text
    match = draw.choice(amounts)
    return text[: match.start()] + f'"{match[1]}"' + text[match.end() :]


def scale_number(text, draw):
    numbers = list(re.finditer(r"(?<=[ \"])[0-9][0-9.e]*", text))
    if not numbers:
        return text
    match = draw.choice(numbers)
    new = draw.choice(["-" + match[0], "0", match[0] + "e30", match[0] + "e-30", "0." + match[0]])
    return text[: match.start()] + new + text[match.end() :]


def drop_line(text, draw):
    lines = text.splitlines(keepends=True)
    del lines[draw.randrange(len(lines))]
    return "".join(lines) or "\n"


def swap_lines(text, draw):
    lines = text.splitlines(keepends=True)
    i, j = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return "".join(lines)


MUTATIONS = [
    delete, duplicate, replace_character, insert_fragment, new_value, swap_values, drop_unit,
    scale_number, drop_line, swap_lines,
]  # fmt: skip


def without_comments(text):
    """The same scenario in fewer characters, so that mutations meet what counts."""
    return re.sub(r"[ \t]*#.*", "", text)


def problems_of(text):
    """Read a scenario: no problems if it is valid, else what it is refused for."""
    try:
        config = scenario.parse(text, "mutated.toml")
    except ConfigError as error:
        return error.problems, str(error)
    assert scenario.parse(config.to_toml()) == config
    assert config.energies.grid
    return [], ""


def check_lines(problems, message):
    assert message.split("\n") == problems
    assert all(line.isprintable() and 0 < len(line) < 1000 for line in problems)


@pytest.mark.parametrize("name", scenario.names())
def test_mutated_scenarios_are_valid_or_refused_in_lines(name):
    draw = random.Random(f"mutations of {name}")
    original = without_comments(scenario.text(name))
    counts = {"valid": 0, "refused": 0}
    for _ in range(MUTATIONS_PER_SCENARIO):
        text = original
        for _ in range(draw.choice([1, 1, 1, 2, 4])):
            text = draw.choice(MUTATIONS)(text or "\n", draw)
        problems, message = problems_of(text)
        counts["refused" if problems else "valid"] += 1
        if problems:
            check_lines(problems, message)
    # both kinds occur, so neither branch is idle
    assert counts["valid"] > MUTATIONS_PER_SCENARIO / 20
    assert counts["refused"] > MUTATIONS_PER_SCENARIO / 3


VALUES = [
    None, True, 0, -1, 64, 1.5, float("nan"), 10**400, 1j, "", "1 pc", "2 PV", "3 TeV", "p", b"1",
    [], {}, {"p": 2}, {"p": "1 GV-1", "He": "1 GV-1"}, {1: {2: {3: {4: 5}}}}, {"values": ["1 TeV"]},
    ("p", "He"), {"p"}, object(), u.pc, 1 * u.pc, [1, 2] * u.TeV, [1 * u.TeV, 3], [[1]] * u.GV,
    1 / u.GV, np.inf * u.yr, 1j * u.kpc, 1 * u.mag, np.int64(128), np.float32(0.5), np.True_,
    np.array(["p"]), np.array([]), np.arange(3), np.array([None, 1 * u.pc]), range(3), lambda: 1,
]  # fmt: skip
PARTS = ["", "x", "p", "He", "0", "a b", "\n", "source", "depth", "values"]


def some_key(draw, known):
    key = draw.choice(known)
    for _ in range(draw.choice([0, 0, 0, 1, 3])):
        key += "." + draw.choice(PARTS)
    return draw.choice([key, key, key, key, draw.choice([1, None, 2.5, ("cloud", "depth"), ""])])


def test_random_changes_are_taken_or_refused_in_lines():
    draw = random.Random("changes")
    best = scenario.load("xue-liu-2025")
    tables = {name: part for name, part in best.model_dump().items() if isinstance(part, dict)}
    known = [
        *tables,
        "title",
        "model",
        *(f"{name}.{key}" for name in tables for key in tables[name]),
    ]
    counts = {"taken": 0, "refused": 0}
    for _ in range(3000):
        count = draw.choice([1, 1, 2])
        changes = {some_key(draw, known): draw.choice(VALUES) for _ in range(count)}
        try:
            config = best.replace(changes)
        except ConfigError as error:
            counts["refused"] += 1
            check_lines(error.problems, str(error))
        else:
            counts["taken"] += 1
            assert scenario.parse(config.to_toml()) == config
    # both kinds occur, so neither branch is idle
    assert min(counts.values()) > 50


def test_random_bytes_as_files_are_refused_in_lines(tmp_path):
    draw = random.Random("random bytes")
    path = tmp_path / "noise.toml"
    for _ in range(200):
        path.write_bytes(draw.randbytes(draw.randrange(300)))
        with pytest.raises(ConfigError) as caught:
            scenario.load(path)
        check_lines(caught.value.problems, str(caught.value))


def test_there_are_thousands_of_mutations():
    assert MUTATIONS_PER_SCENARIO * len(scenario.names()) >= 3000

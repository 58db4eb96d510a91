"""What a result says of its origin."""

import shlex
import sys
from datetime import UTC, datetime, timedelta

import pytest

from mcprop.provenance import provenance


@pytest.mark.parametrize("program", ["/usr/bin/mcprop", "/lib/mcprop/__main__.py"])
def test_command_can_be_pasted_into_a_shell(monkeypatch, program):
    arguments = ["run", "my file.toml", "-o", "it's", "--title", ""]
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    assert shlex.split(provenance("A run")["command"]) == ["mcprop", *arguments]


def test_time_is_that_of_evaluation():
    told = provenance("A run")
    age = datetime.now(UTC) - datetime.fromisoformat(told["evaluated"])
    assert abs(age) < timedelta(minutes=10)  # also if the clock is set right meanwhile
    assert "written" not in told
    assert told["title"] == "A run"

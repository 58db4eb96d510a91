"""The README's examples run as they stand, in order, in an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from typing import NamedTuple

import pytest

BLOCK = re.compile(
    r"(?P<skip><!-- not executed -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    language: str
    text: str
    line: int  # of the first line of the text


def blocks(readme: str) -> list[Block]:
    """The blocks of code, less those under a comment `<!-- not executed -->`."""
    return [
        Block(found["language"], found["text"], readme.count("\n", 0, found.start("text")) + 1)
        for found in BLOCK.finditer(readme)
        if not found["skip"]
    ]


def run_python(readme: str) -> None:
    """Run the Python blocks in one namespace."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(readme):
        if block.language == "python":
            text = "\n" * (block.line - 1) + block.text  # so that a traceback names the line
            exec(compile(text, "README.md", "exec"), namespace)


def commands(readme: str) -> list[list[str]]:
    """The lines of the bash blocks, split into words without comments."""
    lines = []
    for block in blocks(readme):
        if block.language == "bash":
            lines += block.text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def run_mcprop(readme: str) -> None:
    """Run the lines that start with `mcprop`, each as a process of its own."""
    for words in commands(readme):
        if words[0] == "mcprop":
            command = [sys.executable, "-m", "mcprop", *words[1:]]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def readme(repository):
    return (repository / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def empty_folder(tmp_path, monkeypatch, repository):
    monkeypatch.chdir(tmp_path)
    paths = [str(repository), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    return tmp_path


def test_readme_has_examples_of_both_kinds(readme):
    assert {"python", "bash"} <= {block.language for block in blocks(readme)}
    assert sum(words[0] == "mcprop" for words in commands(readme)) >= 4


@pytest.mark.slow
def test_python_examples(readme, empty_folder):
    run_python(readme)
    assert (empty_folder / "total_10TeV.fits").is_file()


@pytest.mark.slow
def test_command_line_examples(readme, empty_folder):
    run_mcprop(readme)
    assert (empty_folder / "out" / "run" / "dipole.ecsv").is_file()


def test_scripts_that_are_named_are_there(readme, repository):
    named = set(re.findall(r"\bscripts/\w+", readme))
    assert {"scripts/quickstart", "scripts/test"} <= named
    for script in named:
        assert os.access(repository / script, os.X_OK), script


PLANTED = """
```python
x = 1
```
<!-- not executed -->
```python
raise ValueError("skipped")
```
```bash
mcprop init \\
    xue-liu  # a comment
scripts/test
```
"""


def test_blocks_share_one_namespace_and_skipped_ones_are_left_out():
    run_python(PLANTED + "```python\nassert x == 1\n```\n")
    assert commands(PLANTED) == [["mcprop", "init", "xue-liu"], ["scripts/test"]]


def test_a_broken_python_example_is_noticed():
    with pytest.raises(NameError) as caught:
        run_python(PLANTED + "```python\n\nundefined\n```\n")
    assert caught.traceback[-1].lineno + 1 == PLANTED.count("\n") + 3


@pytest.mark.slow
def test_a_broken_command_is_noticed(empty_folder):
    with pytest.raises(AssertionError, match="mcprop no-such-command"):
        run_mcprop("```bash\nmcprop no-such-command\n```\n")

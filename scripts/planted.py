"""Does the suite catch what it should?  Bugs planted one at a time in a scratch copy.

    scripts/planted [--list] [-j COPIES] [words ...]

Every bug of `planted_bugs.BUGS` replaces one piece of text that stands exactly once in one file.
The tests named beside it run on the copy; a bug is caught when one of them fails by an assertion or
an error that the package itself raises.  A copy that does not even run (a wrong name, a type that
does not compile) catches nothing and counts as not caught, because it proves nothing.  What the
named tests let through is held against the whole suite.  The named tests run on the unchanged copy
first: they must pass there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple
from xml.etree import ElementTree

from planted_bugs import BUGS, Bug

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 1800.0
"""Seconds after which a copy is given up: it has come to a halt, and has not been caught."""

OWN_TEST = "tests/runs/test_planted_bugs.py"
"""Looks for the text that a planted bug has replaced, so it must not run on a copy."""

BROKEN = (
    "AttributeError", "ImportError", "ModuleNotFoundError", "NameError", "SyntaxError",
    "TypeError", "TypingError", "UnboundLocalError", "LoweringError",
)  # fmt: skip
"""Errors of a copy that does not run."""


class Found(NamedTuple):
    """What the tests said: names of those that failed, how long they took, what pytest wrote.

    `broken` are failures that show nothing but a copy that does not run.
    """

    failed: list[str]
    broken: list[str]
    seconds: float
    code: int
    output: str

    def __add__(self, other: Found) -> Found:
        return Found(
            self.failed + other.failed,
            self.broken + other.broken,
            self.seconds + other.seconds,
            other.code,
            other.output,
        )


def sources(root: Path) -> list[str]:
    """Files of the working tree that git tracks or would track, as they lie there now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    names = dict.fromkeys(name for name in listed.split("\0") if name)
    return [name for name in names if (root / name).is_symlink() or (root / name).is_file()]


def copy_tree(root: Path, target: Path) -> None:
    """Copy the working tree, uncommitted changes and links included."""
    for name in sources(root):
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, place, follow_symlinks=False)


def planted_text(root: Path, bug: Bug) -> str:
    """Text of the file with the bug in it.

    Raises
    ------
    ValueError
        If what is to be replaced does not stand there exactly once, or the bug changes nothing.
    """
    path = root / bug.file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text.count(bug.old) != 1 or bug.old == bug.new:
        raise ValueError(
            f"{bug.name}: the text to be replaced stands {text.count(bug.old)} times in "
            f"{bug.file}, it must stand there once: {bug.old!r}"
        )
    return text.replace(bug.old, bug.new)


def unplantable(root: Path, bugs: Iterable[Bug]) -> list[str]:
    """What is wrong with the list for the sources as they are: empty if nothing is."""
    complaints = []
    for bug in bugs:
        try:
            planted_text(root, bug)
        except ValueError as error:
            complaints.append(str(error))
        complaints += [f"{bug.name}: no {test}" for test in bug.tests if not is_test(root, test)]
    return complaints


def is_test(root: Path, test: str) -> bool:
    """Whether a file of tests is there, and the one that may be named in it."""
    file, _, name = test.partition("::")
    path = root / file
    return path.is_file() and (not name or f"def {name}(" in path.read_text(encoding="utf-8"))


class Copy:
    """A scratch copy of the checkout in which tests run.

    Parameters
    ----------
    root : Path
        The checkout.
    folder : Path
        Where the copy goes; made here.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.cache, self.report = folder / "kernels", folder / "report.xml"
        copy_tree(root, self.folder)

    def run(self, arguments: Sequence[str]) -> Found:
        """Run pytest in the copy, with kernels compiled from its own sources."""
        environment = os.environ | {
            "PYTHONPATH": str(self.folder),
            "PYTHON": sys.executable,
            "NUMBA_CACHE_DIR": str(self.cache),
            "PYTHONDONTWRITEBYTECODE": "1",  # bytecode knows a source by size and whole seconds
        }
        command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider"]
        start = time.monotonic()
        self.report.unlink(missing_ok=True)
        try:
            done = subprocess.run(
                [*command, f"--junitxml={self.report}", *arguments],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=LIMIT,
            )
        except subprocess.TimeoutExpired:
            return Found([], [], time.monotonic() - start, -1, f"no end after {LIMIT:.0f} s")
        failed, broken = read_report(self.report)
        return Found(failed, broken, time.monotonic() - start, done.returncode, done.stdout)

    def try_out(self, bug: Bug, suite: bool = True) -> Found:
        """Plant a bug, run its tests; if they let it through, run the `suite`; take it out."""
        path = self.folder / bug.file
        unchanged = path.read_text(encoding="utf-8")
        try:
            path.write_text(planted_text(self.folder, bug), encoding="utf-8")
            found = self.run(["-x", *bug.tests])
            if found.code == 0 and suite:
                found += self.run(["-x", f"--ignore={OWN_TEST}"])
        finally:
            path.write_text(unchanged, encoding="utf-8")
            shutil.rmtree(self.cache, ignore_errors=True)
        return found

    def is_own(self) -> bool:
        """Whether tests in the copy import the package of the copy."""
        code = "import mcprop, pathlib; print(pathlib.Path(mcprop.__file__).resolve().parents[1])"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() == str(self.folder.resolve())


def read_report(path: Path) -> tuple[list[str], list[str]]:
    """Names of the tests that failed, and of those that only show a copy that does not run."""
    failed: list[str] = []
    broken: list[str] = []
    if not path.is_file():
        return failed, broken
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        for outcome in case:
            if outcome.tag not in ("failure", "error"):
                continue
            reason = (outcome.get("message") or "").split(":")[0].split(".")[-1]
            runs = outcome.tag == "failure" and not reason.startswith(BROKEN)
            (failed if runs else broken).append(name)
    return failed, broken


def check_unchanged(copy: Copy, bugs: Iterable[Bug]) -> None:
    """Run all tests that are named beside the bugs where no bug is.

    Raises
    ------
    RuntimeError
        If one of them fails, or is not there.
    """
    if not copy.is_own():
        raise RuntimeError(f"the package in {copy.folder} is not the one that is imported there")
    named = list(dict.fromkeys(test for bug in bugs for test in bug.tests))
    found = copy.run(named)
    shutil.rmtree(copy.cache, ignore_errors=True)
    if found.code != 0:
        raise RuntimeError(f"the tests do not pass where nothing is planted:\n{found.output}")
    print(f"{len(named)} selections of tests pass unchanged, {found.seconds:.0f} s", flush=True)


def show(bug: Bug, found: Found) -> None:
    """Print the row of a bug."""
    if found.failed:
        by = found.failed[0].partition("tests/")[2]
    elif found.code == 0:
        by = "NOT CAUGHT"
    else:
        by = f"DOES NOT RUN: {(found.broken or found.output.strip().splitlines() or ['?'])[-1]}"
    ran = " ".join(test.partition("tests/")[2] for test in bug.tests)
    print(
        f"{bug.kind:<24} {bug.name:<52} {bug.file:<34} {found.seconds:5.0f} s  "
        f"ran {ran}\n{'':<24} caught by {by}",
        flush=True,
    )


def try_all(
    root: Path,
    bugs: Sequence[Bug],
    copies: int = 1,
    tell: Callable[[Bug, Found], None] = show,
    suite: bool = True,
) -> list[tuple[Bug, Found]]:
    """Plant one bug after another and see which test catches it.

    Parameters
    ----------
    root : Path
        The checkout; it is read only.
    bugs : sequence of Bug
        What to plant.
    copies : int
        Copies that are worked on at the same time.
    tell : callable
        Called for each bug with what the tests said.
    suite : bool
        Whether what the named tests let through is held against all others.

    Returns
    -------
    list of (Bug, Found)
        In the order of `bugs`.
    """
    with tempfile.TemporaryDirectory(prefix="mcprop-planted-") as scratch:
        free: SimpleQueue[Copy] = SimpleQueue()
        made = [Copy(root, Path(scratch, str(i))) for i in range(min(copies, len(bugs)))]
        check_unchanged(made[0], bugs)
        for copy in made:
            free.put(copy)

        def one(bug: Bug) -> tuple[Bug, Found]:
            copy = free.get()
            try:
                found = copy.try_out(bug, suite)
            finally:
                free.put(copy)
            tell(bug, found)
            return bug, found

        with ThreadPoolExecutor(len(made)) as pool:
            return list(pool.map(one, bugs))


def chosen(words: Sequence[str]) -> list[Bug]:
    """Bugs whose kind, name or file contains one of the words; all of them without a word."""
    return [
        bug
        for bug in BUGS
        if not words or any(word in f"{bug.kind} {bug.name} {bug.file}" for word in words)
    ]


def main() -> int:
    """Print the table; 1 if a bug is not caught."""
    parser = argparse.ArgumentParser(prog="scripts/planted", description="See scripts/planted.")
    parser.add_argument("words", nargs="*", help="only bugs with one of these words in them")
    parser.add_argument("-j", dest="copies", type=int, default=2, help="copies at a time (2)")
    parser.add_argument("--named", action="store_true", help="the named tests, no others")
    parser.add_argument("--list", action="store_true", help="plant nothing")
    options = parser.parse_args()
    bugs = chosen(options.words)
    if not bugs or options.copies < 1:
        parser.error("nothing to plant: see scripts/planted --list")
    if complaints := unplantable(ROOT, bugs):
        print("\n".join(complaints), file=sys.stderr)
        return 2
    if options.list:
        for bug in bugs:
            print(f"{bug.kind:<24} {bug.name:<52} {bug.file}")
        return 0
    start = time.monotonic()
    try:
        tried = try_all(ROOT, bugs, options.copies, suite=not options.named)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    caught = sum(bool(found.failed) for _, found in tried)
    print(f"{caught} of {len(tried)} caught, {time.monotonic() - start:.0f} s")
    return 0 if caught == len(tried) else 1


if __name__ == "__main__":
    sys.exit(main())

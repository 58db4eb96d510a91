"""The directory of a run: an empty one is filled, an earlier one replaced, all or nothing."""

import os
from pathlib import Path

import pytest

from mcprop import rundir
from mcprop.errors import OutputError
from mcprop.rundir import MARK, check_directory, replacing


def fill(folder: Path) -> None:
    (folder / MARK).write_text("{}")
    (folder / "figures").mkdir()
    (folder / "figures" / "dipole.png").write_text("picture")
    (folder / "config.toml").write_text("")


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


FULL = {MARK, "figures", "figures/dipole.png", "config.toml"}


@pytest.fixture
def empty(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


@pytest.fixture
def alone(monkeypatch):
    """Nothing can be moved out of a directory, as where the parent is another device."""
    real = Path.rename

    def rename(path, target):
        if Path(path).parent != Path(target).parent:
            raise OSError(18, "Invalid cross-device link")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)


def test_a_new_directory_is_made(tmp_path):
    with replacing(tmp_path / "new" / "run") as folder:
        fill(folder)
    assert everything(tmp_path / "new") == {"run"} | {f"run/{name}" for name in FULL}


def test_an_empty_directory_stays_the_same(empty):
    assert check_directory(empty) == empty
    before = empty.stat().st_ino
    with replacing(empty) as folder:
        assert folder.parent == empty.parent
        fill(folder)
    assert empty.stat().st_ino == before
    assert everything(empty.parent) == {"run"} | {f"run/{name}" for name in FULL}


@pytest.mark.usefixtures("alone")
def test_an_empty_directory_from_which_nothing_can_be_moved(empty):
    with replacing(empty) as folder:
        assert folder.parent == empty
        assert folder.name.startswith(".")
        fill(folder)
    assert everything(empty) == FULL


@pytest.mark.parametrize("where", ["beside", "inside"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_empty_directory_is_empty_again_after_a_failure(empty, request, where, error):
    if where == "inside":
        request.getfixturevalue("alone")

    def fill_and_fail():
        with replacing(empty) as folder:
            fill(folder)
            raise error

    with pytest.raises(type(error)):
        fill_and_fail()
    assert everything(empty.parent) == {"run"}


@pytest.mark.parametrize("last", [0, 1, 2])
def test_a_failure_while_moving_takes_everything_back(empty, monkeypatch, last):
    moved, real = [], os.rename

    def rename(source, target):
        if source.name.endswith(".part"):  # Path.rename calls it too
            return real(source, target)
        if len(moved) == last:
            raise OSError(5, "Input/output error")
        moved.append(source.name)
        return real(source, target)

    monkeypatch.setattr(rundir.os, "rename", rename)
    with pytest.raises(OSError, match="Input/output error"), replacing(empty) as folder:
        fill(folder)
    assert moved == ["config.toml", "figures"][:last]
    assert everything(empty.parent) == {"run"}


def test_what_has_come_meanwhile_is_kept(empty):
    def fill_too_late():
        with replacing(empty) as folder:
            fill(folder)
            (empty / "figures").mkdir()

    with pytest.raises(FileExistsError):
        fill_too_late()
    assert everything(empty.parent) == {"run", "run/figures"}


@pytest.mark.parametrize("failing", [1, 2])
def test_an_earlier_run_comes_back_when_the_last_steps_fail(empty, monkeypatch, failing):
    fill(empty)
    (empty / "mine.txt").write_text("notes")
    calls, real = [], os.replace

    def fail_once(source, destination):
        calls.append(source)
        if len(calls) == failing:
            raise OSError(5, "Input/output error")
        real(source, destination)

    monkeypatch.setattr(rundir.os, "replace", fail_once)
    with pytest.raises(OSError, match="Input/output error"), replacing(empty) as folder:
        fill(folder)
    assert everything(empty) == FULL | {"mine.txt"}
    assert list(empty.parent.iterdir()) == [empty]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_run_is_never_replaced(empty, overwrite):
    (empty / "chapter.tex").write_text("text")
    with pytest.raises(OutputError, match="something that is not a run"):
        check_directory(empty, overwrite)
    with pytest.raises(OutputError, match="is a file"):
        check_directory(empty / "chapter.tex", overwrite)
    with pytest.raises(OSError, match=r"chapter\.tex"), replacing(empty / "chapter.tex" / "run"):
        pytest.fail("there is no such directory")


def test_a_run_at_a_mount_point_is_not_replaced(empty, monkeypatch):
    fill(empty)
    assert check_directory(empty, overwrite=True) == empty
    monkeypatch.setattr(rundir.os.path, "ismount", lambda path: Path(path) == empty)
    with pytest.raises(OutputError) as caught:
        check_directory(empty, overwrite=True)
    said = f"{empty} is a mount point: its run cannot be replaced; empty it first."
    assert str(caught.value) == said


def test_mounts_that_only_the_kernel_knows(tmp_path, monkeypatch):
    strange = tmp_path / "my \\ run"
    strange.mkdir()
    name = os.fsencode(strange).replace(b"\\", rb"\134").replace(b" ", rb"\040")
    line = b"36 35 98:0 / " + name + b" rw - ext4 /dev/root rw\n"
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"1 2 0:1 / / rw\n" + line)
    assert rundir._is_mount_point(strange)
    assert not rundir._is_mount_point(tmp_path)

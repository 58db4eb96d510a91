"""The bugs of scripts/planted still fit the sources, and the suite catches them."""

import importlib
import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def planted(repository):
    """The script as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(repository / "scripts")
        yield importlib.import_module("planted")


@pytest.fixture(scope="module")
def cheap(planted):
    """A bug that needs no kernel to be noticed."""
    return next(bug for bug in planted.BUGS if bug.name == "swapped on the way to a vector")


def test_every_bug_fits_the_sources_once(planted, repository):
    assert planted.unplantable(repository, planted.BUGS) == []
    assert len({bug.name + bug.kind for bug in planted.BUGS}) == len(planted.BUGS) > 60


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"old": "no such text"}, "stands 0 times in mcprop/frames.py"),
        ({"old": "np.ndarray"}, "times in mcprop/frames.py, it must stand there once"),
        ({"file": "mcprop/nowhere.py"}, "stands 0 times in mcprop/nowhere.py"),
        ({"tests": ("tests/test_nothing.py::test_x",)}, "no tests/test_nothing.py"),
        ({"tests": ("tests/conftest.py::test_x",)}, "no tests/conftest.py::test_x"),
    ],
)
def test_a_bug_that_no_longer_fits_is_told(planted, repository, cheap, change, said):
    (complaint,) = planted.unplantable(repository, [cheap._replace(**change)])
    assert said in complaint


def test_a_copy_holds_the_working_tree_and_nothing_else(planted, tmp_path):
    tree, copy = tmp_path / "tree", tmp_path / "copy"
    (tree / "fields").mkdir(parents=True)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x", "-C", str(tree)]
    for name in ("kept.py", "changed.py", "gone.py", "fields/a.py"):
        (tree / name).write_text("before")
    (tree / "link").symlink_to("fields")
    (tree / ".gitignore").write_text("*.nbc\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], check=True)
    (tree / "changed.py").write_text("after")
    (tree / "gone.py").unlink()
    (tree / "new.py").write_text("new")
    (tree / "kernel.nbc").write_text("ignored")
    planted.copy_tree(tree, copy)
    assert {str(p.relative_to(copy)) for p in copy.rglob("*") if p.is_file()} == {
        ".gitignore", "changed.py", "fields/a.py", "kept.py", "new.py",
    }  # fmt: skip
    assert (copy / "link").is_symlink()
    assert (copy / "changed.py").read_text() == "after"


def test_a_bug_is_caught_and_what_is_none_is_not(planted, repository, cheap, tmp_path):
    copy = planted.Copy(repository, tmp_path)
    assert copy.is_own()
    file = copy.folder / cheap.file
    before = file.read_bytes()
    harmless = cheap._replace(new=cheap.old.replace("(lon)", "((lon))"))
    misspelt = cheap._replace(new=cheap.old.replace("np.radians", "np.radian_s"))
    found, none, broken = (copy.try_out(b, suite=False) for b in (cheap, harmless, misspelt))
    assert found.failed
    assert found.failed[0].startswith("tests/physics/test_frames.py::test_")
    assert not found.broken
    assert (none.failed, none.broken, none.code) == ([], [], 0)
    assert broken.broken
    assert not broken.failed
    assert file.read_bytes() == before


def test_tests_that_fail_without_a_bug_prove_nothing(planted, repository, cheap, monkeypatch):
    copied = planted.copy_tree

    def spoilt(root, target):
        copied(root, target)
        planted_text = planted.planted_text(target, cheap)
        (target / cheap.file).write_text(planted_text)

    monkeypatch.setattr(planted, "copy_tree", spoilt)
    with pytest.raises(RuntimeError, match="do not pass where nothing is planted"):
        planted.try_all(repository, [cheap])


@pytest.mark.nightly
def test_every_bug_is_caught(repository):
    done = subprocess.run(
        [repository / "scripts" / "planted"],
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

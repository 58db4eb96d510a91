"""The compile cache lies in a directory that is named by the sources."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from numba.core import config

from mcprop import _cache

OWN = "kernels-{:016x}-numba-0.68.1"


@pytest.fixture
def package(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "uniform.py").write_text("B = 1.0\n")
    root = tmp_path / "package"
    (root / "kernels").mkdir(parents=True)
    (root / "walk.py").write_text("STEP = 0.5\n")
    (root / "kernels" / "rng.py").write_text("SEED = 1\n")
    (root / "fields").symlink_to("../models")
    return root


def fresh_hash(package):
    return _cache.source_hash.__wrapped__(package)


@pytest.mark.parametrize("file", ["walk.py", "kernels/rng.py", "fields/uniform.py"])
def test_an_edit_of_any_file_changes_the_hash(package, file):
    before = fresh_hash(package)
    (package / file).write_text((package / file).read_text().replace("1", "2").replace("5", "6"))
    assert fresh_hash(package) != before


def test_new_and_renamed_files_change_the_hash(package):
    first = fresh_hash(package)
    (package / "new.py").write_text("")
    second = fresh_hash(package)
    (package / "new.py").rename(package / "newer.py")
    assert len({first, second, fresh_hash(package)}) == 3


def test_other_files_do_not_change_the_hash(package):
    before = fresh_hash(package)
    (package / "notes.toml").write_text("title = 1\n")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "walk.cpython-311.pyc").write_bytes(b"\0")
    assert fresh_hash(package) == before


def test_the_hash_covers_this_package():
    files = {path.name for path in _cache._python_files(_cache._PACKAGE)}
    assert {"_cache.py", "walk.py", "uniform.py"} <= files
    assert fresh_hash(_cache._PACKAGE) == _cache.source_hash()


@pytest.fixture
def numba_directory(monkeypatch):
    def set_to(path):
        monkeypatch.setattr(config, "CACHE_DIR", str(path))

    set_to("")
    return set_to


def test_default_is_the_cache_folder_of_the_user(numba_directory, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    directory = _cache.use_source_hashed_cache()
    assert directory.parent == tmp_path / "mcprop"
    assert _cache.source_hash()[:16] in directory.name
    assert directory.is_dir()
    assert str(directory) == config.CACHE_DIR


def test_a_relative_xdg_folder_is_ignored(numba_directory, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _cache.use_source_hashed_cache().parent == tmp_path / ".cache" / "mcprop"


def test_a_directory_of_the_user_is_respected(numba_directory, tmp_path):
    numba_directory(tmp_path / "mine")
    first = _cache.use_source_hashed_cache()
    assert first.parent == tmp_path / "mine"
    assert _cache.use_source_hashed_cache() == first


def test_without_a_writable_folder_a_private_one_is_made(numba_directory, monkeypatch, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocker))
    monkeypatch.setattr(_cache.tempfile, "tempdir", str(tmp_path))
    directory = _cache.use_source_hashed_cache()
    assert directory.parent.parent == tmp_path
    assert directory.parent.stat().st_mode & 0o077 == 0


def test_a_temporary_folder_open_to_others_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setattr(_cache.tempfile, "tempdir", str(tmp_path))
    planted = tmp_path / f"mcprop-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    assert _cache._private_temporary("name").parent != planted


def test_a_file_in_place_of_the_temporary_folder_does_no_harm(
    numba_directory, monkeypatch, tmp_path
):
    blocker = tmp_path / f"mcprop-{os.getuid()}"
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocker))
    monkeypatch.setattr(_cache.tempfile, "tempdir", str(tmp_path))
    blocker.write_text("")
    first = _cache.use_source_hashed_cache()
    blocker.unlink()
    blocker.symlink_to("nowhere")
    numba_directory("")
    assert len({first.parent, _cache.use_source_hashed_cache().parent, blocker}) == 3
    assert first.is_dir()


def test_a_file_in_the_temporary_folder_does_no_harm(monkeypatch, tmp_path):
    monkeypatch.setattr(_cache.tempfile, "tempdir", str(tmp_path))
    shared = _cache._private_temporary("other").parent
    assert shared == tmp_path / f"mcprop-{os.getuid()}"
    (shared / "name").write_text("")
    assert _cache._private_temporary("name").is_dir()


def make(base: Path, number: int, days: float) -> Path:
    directory = base / OWN.format(number)
    directory.mkdir()
    (directory / "walk.nbi").write_text("")
    used = time.time() - days * 86400.0
    os.utime(directory, (used, used))
    return directory


def test_pruning_keeps_five_and_all_of_the_last_month(tmp_path):
    old = [make(tmp_path, number, days=40.0 + number) for number in range(7)]
    new = [make(tmp_path, 100 + number, days=float(number)) for number in range(3)]
    assert sorted(_cache.prune(tmp_path, keep=new[0])) == sorted(old[2:])
    assert sorted(tmp_path.iterdir()) == sorted(old[:2] + new)


def test_pruning_touches_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(_cache, "KEEP_DIRECTORIES", 1)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    base = tmp_path / "base"
    base.mkdir()
    (base / "my_kernels_0123").mkdir()
    (base / OWN.format(99)).symlink_to(elsewhere)
    (base / OWN.format(98)).write_text("a file")
    for path in base.iterdir():
        os.utime(path, (0.0, 0.0), follow_symlinks=False)
    others = sorted(base.iterdir())
    old = make(base, 1, days=90.0)
    used = make(base, 2, days=90.0)
    assert _cache.prune(base, keep=used) == [old]
    assert sorted(base.iterdir()) == sorted([*others, used])


def test_pruning_is_not_stopped_by_what_vanishes(tmp_path, monkeypatch):
    """As when two processes prune at once."""
    old = [make(tmp_path, number, days=40.0 + number) for number in range(7)]
    real = Path.lstat

    def lstat(path):
        if path == old[3]:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return real(path)

    monkeypatch.setattr(Path, "lstat", lstat)
    assert _cache.prune(tmp_path, keep=old[0]) == [old[6]]
    assert old[3].is_dir()


def test_pruning_where_nothing_can_be_listed(tmp_path):
    assert _cache.prune(tmp_path / "nowhere", keep=tmp_path) == []


def test_kernels_are_compiled_into_it(tmp_path):
    code = (
        "import mcprop.protocol, sys\nfrom numba.core import config\n"
        "sys.stdout.write(config.CACHE_DIR)"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert Path(done.stdout).parent == tmp_path

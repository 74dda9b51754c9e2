import importlib
import importlib.util
import marshal
import os
import struct
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest

from sbir_gate.errors import TamperedProgramError
from sbir_gate.gate.measuring import launcher
from sbir_gate.gate.measuring.own_code import ImportFolders, import_folders, own_code_kept, sources_alone


@pytest.fixture
def folders(tmp_path):
    """Make a package, the packages that are installed beside it, and a checkout that is imported from."""
    package, installed, top = (tmp_path / name for name in ("gate", "site-packages", "checkout"))
    files = {
        package / "report.py": "TEXT = 'honest'\n",
        package / "__init__.py": "",
        installed / "click" / "__init__.py": "",
        installed / "click" / "data.txt": "x",
        top / "engine" / "run.py": "",
        tmp_path / "python": "",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return ImportFolders(package, (installed,), (top,), (tmp_path / "python",))


def plant(source, text):
    """Put compiled code beside a source that Python takes for that of the source."""
    compiled, status = cached(source), source.stat()
    compiled.parent.mkdir(exist_ok=True)
    head = struct.pack("<III", 0, int(status.st_mtime), status.st_size)
    code = marshal.dumps(compile(text, source, "exec"))
    compiled.write_bytes(importlib.util.MAGIC_NUMBER + head + code)


def cached(source):
    return source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"


def loaded(source):
    spec = importlib.util.spec_from_file_location("loaded_report", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TEXT


def test_planted_compiled_code_is_not_read_meanwhile_and_gone_afterwards(folders):
    source = folders.package / "report.py"
    plant(source, "TEXT = 'planted'")
    assert loaded(source) == "planted"
    cached(source).unlink()
    with own_code_kept(folders):
        plant(source, "TEXT = 'planted'")
        assert loaded(source) == "honest"
    assert not cached(source).exists()
    assert loaded(source) == "honest"


def test_compiled_code_that_was_there_before_stays_unless_it_is_changed(folders):
    first, second = folders.package / "report.py", folders.package / "__init__.py"
    plant(first, "TEXT = 'kept'")
    plant(second, "")
    with own_code_kept(folders):
        plant(second, "TEXT = 'planted'")
    assert cached(first).exists()
    assert not cached(second).exists()


def test_what_python_is_told_of_compiled_code_is_restored():
    before = sys.pycache_prefix, sys.dont_write_bytecode
    with sources_alone():
        assert (sys.pycache_prefix, sys.dont_write_bytecode) == (os.devnull, True)
    assert (sys.pycache_prefix, sys.dont_write_bytecode) == before


def overwrite(path, *, is_crashing):
    """Write text of the same length, set back the times that can be set, and break if asked to."""
    path.parent.mkdir(exist_ok=True)
    before = path.stat() if path.exists() else None
    path.write_text("y" * (before.st_size if before else 1))
    if before:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    if is_crashing:
        raise RuntimeError


@pytest.mark.parametrize(
    "name",
    [
        "gate/planted.py",
        "gate/report.py",
        "gate/report/__init__.pyc",
        "gate/planted.txt",
        "site-packages/simplejson.py",
        "site-packages/click/__init__.py",
        "site-packages/click/data.txt",
        "site-packages/click/core.so",
        "site-packages/more.pth",
        "checkout/csv.py",
        "checkout/csv/__init__.py",
        "checkout/csv/__init__.pyc",
        "python",
    ],
)
@pytest.mark.parametrize("is_crashing", [False, True])
def test_other_code_that_is_new_or_changed_is_tampering_however_the_engine_ends(
    folders, tmp_path, name, is_crashing
):
    with pytest.raises(TamperedProgramError, match=name), own_code_kept(folders):
        overwrite(tmp_path / name, is_crashing=is_crashing)


def test_a_link_in_the_place_of_the_folder_of_compiled_code_is_tampering(folders, tmp_path):
    with pytest.raises(TamperedProgramError, match="__pycache__"), own_code_kept(folders):
        (folders.package / "__pycache__").symlink_to(tmp_path)


def test_compiled_code_and_data_of_other_packages_and_files_of_the_checkout_may_be_new(folders):
    (installed,), (top,) = folders.trees, folders.tops
    with own_code_kept(folders):
        plant(installed / "click" / "__init__.py", "")
        (installed / "click" / "cache.json").write_text("{}")
        (top / "engine" / "more.py").write_text("")
        (top / "output.csv").write_text("")
    assert (installed / "click" / "cache.json").exists()


def test_a_file_that_an_installer_links_elsewhere_is_unchanged_if_it_is_as_installed(folders, tmp_path):
    (installed,) = folders.trees
    module = installed / "click" / "__init__.py"
    digest = urlsafe_b64encode(sha256(b"").digest()).decode().rstrip("=")
    record = installed / "click-1.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text(f"click/__init__.py,sha256={digest},0\n")
    with own_code_kept(folders):
        (tmp_path / "linked.py").hardlink_to(module)
    record.write_text(f"click/__init__.py,sha256={digest[::-1]},0\n")
    with pytest.raises(TamperedProgramError), own_code_kept(folders):
        (tmp_path / "again.py").hardlink_to(module)


def test_the_folders_are_those_of_this_interpreter():
    found = import_folders()
    assert (found.package / "gate" / "measuring" / "launcher.py").samefile(launcher.__file__)
    assert any(tree.joinpath("click").is_dir() for tree in found.trees)
    assert any(tree.joinpath("json").is_dir() for tree in found.trees)
    assert found.package.parent in (*found.tops, *found.trees)
    assert any(path.name.startswith("subprocess.") for path in found.files) or sys.dont_write_bytecode

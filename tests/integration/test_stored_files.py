# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules stored_files and stored_files_info on this very host."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import RunModule


@pytest.fixture
def home(tmp_path: Path) -> Path:
    directory = tmp_path / "home"
    directory.mkdir()
    return directory


@pytest.fixture
def wanted(home: Path) -> dict[str, Any]:
    return {
        "directories": [{"path": str(home / "state")}, {"path": str(home / "state/kept"), "mode": "0700"}],
        "files": [
            {"path": str(home / "state/kept/a.json"), "content": "{}\n", "backup": True},
            {"path": str(home / "state/kept/a.md"), "content": "# ä\n", "mode": "0640"},
        ],
    }


def mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o7777:04o}"


def everything(directory: Path) -> dict[str, tuple[str, bytes | None]]:
    return {
        str(path.relative_to(directory)): (mode(path), path.read_bytes() if path.is_file() else None)
        for path in directory.rglob("*")
    }


def test_directories_and_files_are_made_once(run_module: RunModule, home: Path, wanted: dict[str, Any]) -> None:
    checked = run_module("stored_files", check=True, **wanted)
    assert checked["changed"] and everything(home) == {}
    done = run_module("stored_files", **wanted)
    assert done["changed"] and done["diff"] == checked["diff"]
    assert done["changed_paths"] == checked["changed_paths"]
    assert done["changed_paths"] == sorted(item["path"] for item in wanted["directories"] + wanted["files"])
    assert everything(home) == {
        "state": ("0755", None),
        "state/kept": ("0700", None),
        "state/kept/a.json": ("0600", b"{}\n"),
        "state/kept/a.md": ("0640", "# ä\n".encode()),
    }
    again = run_module("stored_files", **wanted)
    assert (again["changed"], again["changed_paths"], again["diff"]["before"]) == (False, [], "")


def test_what_is_replaced_is_kept_where_that_is_wanted(run_module: RunModule, home: Path, wanted: dict) -> None:
    run_module("stored_files", **wanted)
    for file in wanted["files"]:
        file["content"] = "new\n"
    done = run_module("stored_files", **wanted)
    assert list(done["backups"]) == [wanted["files"][0]["path"]]
    (backup,) = done["backups"].values()
    assert Path(backup).read_text() == "{}\n"
    assert mode(Path(backup)) == "0600"
    assert {path.name for path in (home / "state/kept").iterdir()} == {"a.json", "a.md", Path(backup).name}
    assert "3 bytes" in done["diff"]["before"] and "4 bytes" in done["diff"]["after"]


def test_a_mode_alone_is_put_right(run_module: RunModule, home: Path, wanted: dict[str, Any]) -> None:
    run_module("stored_files", **wanted)
    (home / "state/kept").chmod(0o755)
    (home / "state/kept/a.json").chmod(0o644)
    done = run_module("stored_files", **wanted)
    assert done["changed_paths"] == [str(home / "state/kept"), str(home / "state/kept/a.json")]
    assert (mode(home / "state/kept"), mode(home / "state/kept/a.json")) == ("0700", "0600")
    assert done["backups"] == {}


def test_the_content_is_nowhere_in_the_output(run_module: RunModule, wanted: dict[str, Any]) -> None:
    wanted["files"][0]["content"] = "only for the file"
    assert "only for the file" not in str(run_module("stored_files", **wanted))


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("files", {"path": "state/a.json"}, "the path has to be an absolute one (state/a.json)"),
        ("directories", {"path": "state"}, "the path has to be an absolute one (state)"),
        ("files", {"mode": "u=rw"}, "mode 'u=rw' are no permissions in octal"),
        ("directories", {"mode": "0788"}, "mode '0788' are no permissions in octal"),
    ],
)
def test_bad_input_is_refused_before_anything_is_touched(
    run_module: RunModule, home: Path, wanted: dict[str, Any], part: str, change: dict[str, str], message: str
) -> None:
    wanted[part][-1].update(change)
    assert message in run_module("stored_files", fails=True, **wanted)["msg"]
    assert everything(home) == {}


@pytest.mark.parametrize(("name", "kind"), [("state/kept", "directory"), ("state/kept/a.md", "file")])
def test_something_else_in_the_place_is_left_alone(
    run_module: RunModule, home: Path, wanted: dict[str, Any], name: str, kind: str
) -> None:
    path = home / name
    path.parent.mkdir(parents=True)
    path.touch() if kind == "directory" else path.mkdir()
    before = everything(home)
    failed = run_module("stored_files", fails=True, **wanted)
    assert f"a {kind} is wanted, and there is something else ({path})" in failed["msg"]
    assert everything(home) == before


def test_a_file_without_its_directory_fails_and_no_other_is_replaced(
    run_module: RunModule, home: Path, wanted: dict[str, Any]
) -> None:
    run_module("stored_files", **wanted)
    before = everything(home)
    wanted["files"][0]["content"] = "new\n"
    wanted["files"].append({"path": str(home / "nowhere/b.json"), "content": "{}"})
    failed = run_module("stored_files", fails=True, **wanted)
    assert "the file cannot be written: No such file or directory" in failed["msg"]
    assert str(home / "nowhere/b.json") in failed["msg"]
    assert everything(home) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "small"
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


@pytest.mark.root
def test_a_full_disk_leaves_what_was_there(run_module: RunModule, small_disk: Path) -> None:
    files = [{"path": str(small_disk / name), "content": "old"} for name in ("a.json", "b.json")]
    run_module("stored_files", files=files)
    before = everything(small_disk)
    files = [{**file, "content": "x" * 40_000} for file in files]
    failed = run_module("stored_files", fails=True, files=files)
    assert "the file cannot be written: No space left on device" in failed["msg"]
    assert everything(small_disk) == before


def test_the_last_file_or_a_named_one_is_read(run_module: RunModule, home: Path) -> None:
    for name in ("20260102.json", "20260101.json", "20260103.json.1.new", ".20260104.json"):
        (home / name).write_text(name)
    found = run_module("stored_files_info", directory=str(home), last=True)
    assert found["names"] == ["20260101.json", "20260102.json"]
    assert (found["path"], found["changed"]) == (str(home / "20260102.json"), False)
    assert base64.b64decode(found["content"]) == b"20260102.json"
    named = run_module("stored_files_info", directory=str(home), name="20260101.json")
    assert base64.b64decode(named["content"]) == b"20260101.json"
    listed = run_module("stored_files_info", directory=str(home))
    assert (listed["names"], listed["path"], listed["content"]) == (found["names"], None, None)


@pytest.mark.parametrize("options", [{"last": True}, {"name": "a.json"}, {}])
def test_where_nothing_is_nothing_is_read(run_module: RunModule, home: Path, options: dict[str, Any]) -> None:
    for directory in (home, home / "nowhere"):
        found = run_module("stored_files_info", directory=str(directory), **options)
        assert (found["names"], found["path"], found["content"]) == ([], None, None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"directory": "state"}, "the path has to be an absolute one (state)"),
        ({"directory": "/etc/hostname"}, "the directory cannot be read: Not a directory (/etc/hostname)"),
        ({"directory": "/etc", "name": "../etc/passwd"}, "name has to be that of a file in the directory"),
        ({"directory": "/etc", "name": "apt"}, "the file cannot be read: Is a directory (/etc/apt)"),
        ({"directory": "/etc", "name": "passwd", "last": True}, "mutually exclusive"),
    ],
)
def test_what_cannot_be_read_is_told(run_module: RunModule, options: dict[str, Any], message: str) -> None:
    assert message in run_module("stored_files_info", fails=True, **options)["msg"]

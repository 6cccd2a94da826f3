# SPDX-License-Identifier: GPL-3.0-or-later
"""_private_file: files that are whole or not there, and their owner's alone, whatever cuts a run off."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _private_file
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._private_file import PrivateFile, write_new, write_whole
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scale import scaled
from tests.unit.collection import ROOT

OLD, NEW = b"what was there", b"what is new"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture(params=[0o000, 0o022, 0o277])
def umask(request: pytest.FixtureRequest) -> int:
    before = os.umask(request.param)
    request.addfinalizer(lambda: os.umask(before))
    return int(request.param)


@pytest.mark.parametrize("wanted", [0o600, 0o644, 0o400])
def test_it_is_written_with_its_mode_whatever_the_umask(tmp_path: Path, umask: int, wanted: int) -> None:
    path = tmp_path / "file"
    for content in (OLD, NEW, b""):
        write_whole(str(path), content, wanted)
        assert (path.read_bytes(), mode(path), names(tmp_path)) == (content, wanted, ["file"])


@settings(max_examples=scaled(20, 500), deadline=None)
@given(st.binary(max_size=200_000), st.binary(max_size=2000))
def test_what_is_read_is_what_was_written_and_a_reader_keeps_what_it_opened(
    tmp_path_factory: pytest.TempPathFactory, first: bytes, second: bytes
) -> None:
    path = tmp_path_factory.mktemp("whole") / "file"
    write_whole(str(path), first, 0o600)
    with path.open("rb") as reader:
        write_whole(str(path), second, 0o600)
        assert reader.read() == first
    assert path.read_bytes() == second


def test_nobody_else_may_read_it_before_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where everybody may read it in the end."""
    seen: list[tuple[int, int]] = []
    synced = os.fsync

    def looking(number: int) -> None:
        status = os.fstat(number)
        seen.append((stat.S_IMODE(status.st_mode), status.st_size))
        synced(number)

    monkeypatch.setattr(_private_file.os, "fsync", looking)
    before = os.umask(0)
    try:
        write_whole(str(tmp_path / "file"), NEW, 0o644)
    finally:
        os.umask(before)
    # It is on the disk before it is in its place.
    assert seen == [(0o600, len(NEW))]


def in_a_process(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """With write_whole and os at hand."""
    imports = f"import os, resource, signal, sys\nfrom {_private_file.__name__} import write_whole\n"
    return subprocess.run(
        [sys.executable, "-c", imports + code, *arguments], check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / ".collections")},
    )  # fmt: skip


@pytest.mark.parametrize("step", ["fsync", "fchmod", "rename"])
def test_who_is_killed_leaves_what_was_there_and_the_next_run_writes(tmp_path: Path, step: str) -> None:
    path = tmp_path / "file"
    write_whole(str(path), OLD, 0o600)
    killed = f"os.{step} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\nwrite_whole(sys.argv[1], b'x' * 99, 0o644)"
    assert in_a_process(killed, str(path)).returncode == -signal.SIGKILL
    assert path.read_bytes() == OLD and names(tmp_path) == ["file", "file.new"]
    write_whole(str(path), NEW, 0o600)
    assert path.read_bytes() == NEW and names(tmp_path) == ["file"]


def test_without_room_what_was_there_stays_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(str(path), OLD, 0o600)
    full = (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    write_whole(sys.argv[1], b'x' * 9999, 0o600)\nexcept OSError as error:\n    print(error.strerror)"
    )
    assert in_a_process(full, str(path)).stdout == "File too large\n"
    assert path.read_bytes() == OLD and names(tmp_path) == ["file"]


def test_a_link_is_replaced_and_what_it_leads_to_is_left_alone(tmp_path: Path) -> None:
    """Nobody who may write into the directory has another file written over."""
    victim = tmp_path / "victim"
    victim.write_bytes(OLD)
    for name in ("file", "file.new"):
        (tmp_path / name).symlink_to(victim)
    write_whole(str(tmp_path / "file"), NEW, 0o600)
    assert victim.read_bytes() == OLD and not (tmp_path / "file").is_symlink()
    assert (tmp_path / "file").read_bytes() == NEW and names(tmp_path) == ["file", "victim"]


def test_a_file_that_took_the_place_of_the_unfinished_one_keeps_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As whoever may write to the directory can have it, at any moment."""
    victim, synced = tmp_path / "victim", os.fsync
    victim.write_bytes(OLD)
    victim.chmod(0o600)

    def swapping(number: int) -> None:
        synced(number)
        (tmp_path / "file.new").unlink()
        (tmp_path / "file.new").symlink_to(victim)

    monkeypatch.setattr(_private_file.os, "fsync", swapping)
    write_whole(str(tmp_path / "file"), NEW, 0o644)
    assert (victim.read_bytes(), mode(victim)) == (OLD, 0o600)


def test_what_cannot_be_written_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory/inside").write_bytes(OLD)
    with pytest.raises(OSError):
        write_whole(str(tmp_path / "directory"), NEW, 0o600)
    assert names(tmp_path) == ["directory"] and names(tmp_path / "directory") == ["inside"]
    (tmp_path / "file.new").mkdir()
    with pytest.raises(OSError):
        write_whole(str(tmp_path / "file"), NEW, 0o600)
    with pytest.raises(FileNotFoundError):
        write_whole(str(tmp_path / "nowhere/file"), NEW, 0o600)
    assert names(tmp_path) == ["directory", "file.new"]


def test_a_new_file_is_never_one_that_was_open_to_others(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    path.chmod(0o666)
    with path.open("rb") as reader:
        write_new(str(path), NEW)
        assert reader.read() == OLD
    assert (path.read_bytes(), mode(path)) == (NEW, 0o600)


def test_a_file_and_what_is_told_of_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    file = PrivateFile(str(path))
    assert (file.text(), file.mode(), file.is_private()) == ("", "", True)
    file.write("é\n")
    assert (file.text(), file.mode(), file.is_private()) == ("é\n", "0600", True)
    path.chmod(0o640)
    assert (file.mode(), file.is_private()) == ("0640", False)
    path.write_bytes(b"\xff")
    with pytest.raises(OperatorError, match="cannot be read: it is not text"):
        file.text()
    file.remove()
    assert names(tmp_path) == []
    with pytest.raises(OperatorError, match="cannot be removed: No such file"):
        file.remove()
    below = PrivateFile(str(tmp_path / "nowhere/file"))
    with pytest.raises(OperatorError, match="cannot be written: No such file .*give it to the account"):
        below.write("x")
    (tmp_path / "plain").write_text("x")
    with pytest.raises(OperatorError, match="cannot be looked at: Not a directory"):
        PrivateFile(str(tmp_path / "plain/file")).mode()

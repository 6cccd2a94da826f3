# SPDX-License-Identifier: GPL-3.0-or-later
"""_agent_place: in a directory of another account nothing is done to a file but what was meant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _agent_place as place

US = place.Owner(os.geteuid(), os.getegid())
# Nobody's, so that giving something to it is seen where we may.
OTHER = place.Owner(54321, 54321)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file that is not to be touched, and its directory."""
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere/file"
    path.write_text("secret")
    return path


@pytest.fixture(params=["directory is a link", "link", "hard link", "pipe", "directory"])
def path(request: pytest.FixtureRequest, tmp_path: Path, victim: Path) -> str:
    """What an account put where its file was."""
    own = tmp_path / "own"
    if request.param == "directory is a link":
        own.symlink_to(victim.parent)
        return f"{own}/file"
    own.mkdir()
    file = own / "file"
    if request.param == "link":
        file.symlink_to(victim)
    elif request.param == "hard link":
        os.link(victim, file)
    elif request.param == "pipe":
        os.mkfifo(file)
    else:
        file.mkdir()
    return str(file)


def test_nothing_else_is_read_or_given_away(path: str, victim: Path) -> None:
    with pytest.raises(place.InTheWay):
        place.file_of_account(path)
    with pytest.raises((place.InTheWay, OSError)):
        place.give(path, US, OTHER)
    assert place.Owner(victim.stat().st_uid, victim.stat().st_gid) == US


def test_nothing_elsewhere_is_removed(path: str, victim: Path) -> None:
    try:
        place.remove_file_of_account(path)
    except (place.InTheWay, OSError) as error:
        assert not isinstance(error, FileNotFoundError)
    assert victim.read_text() == "secret"


def test_a_file_of_somebody_else_than_was_looked_at_is_not_given(victim: Path) -> None:
    with pytest.raises(place.InTheWay, match="another file by now"):
        place.give(str(victim), OTHER, US)


def test_what_is_meant_is_done(tmp_path: Path, victim: Path) -> None:
    path = str(victim)
    assert place.file_of_account(path) == place.file_at(path) == place.File("secret", victim.stat().st_mode & 0o777, US)
    assert (place.owner_at(path), place.foreign_at(path, US), place.foreign_at(path, OTHER)) == (US, None, US)
    assert place.names_in(str(victim.parent)) == ["file"]
    place.give(path, US, US)
    place.remove_file_of_account(path)
    assert place.names_in(str(victim.parent)) == []
    place.remove_file_of_account(path)
    for gone in (path, f"{tmp_path}/nowhere/file", f"{tmp_path}/nowhere/below/file"):
        assert place.file_of_account(gone) is None and place.owner_at(gone) is None

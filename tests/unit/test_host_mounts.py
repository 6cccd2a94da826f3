# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._host_parse import mounts
from hypothesis import given
from hypothesis import strategies as st

LINES = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 8:2 / /srv rw - xfs /dev/sda2 rw,attr2
24 23 0:40 /data/pg /srv/my\040data rw,noatime shared:7 master:3 - btrfs /dev/mapper/v\134g rw,subvol=/pg
25 22 8:3 / /srv/old rw - ext4 /dev/sdb1 rw
26 22 8:4 / /srv rw - ext4 /dev/sdb2 rw
27 22 0:50 / /none rw - tmpfs  rw,size=1k
"""


def mount(device: str, mount_point: str) -> mounts.Mount:
    return mounts.Mount(device, "/", mount_point, "ext4", "/dev/x", ["rw"])


def test_mountinfo() -> None:
    parsed = mounts.parse_mountinfo(LINES)
    assert len(parsed) == 6
    assert parsed[0] == mounts.Mount("8:1", "/", "/", "ext4", "/dev/sda1", ["rw"])
    assert parsed[2] == mounts.Mount(
        "0:40", "/data/pg", "/srv/my data", "btrfs", "/dev/mapper/v\\g", ["rw", "subvol=/pg"]
    )
    assert parsed[5].source == "" and parsed[5].options == ["rw", "size=1k"]


@pytest.mark.parametrize("line", ["22 1 8:1 / / rw", "22 1 8:1 / - ext4 x rw", "22 1 8:1 / / rw - ext4", "nonsense"])
def test_mountinfo_that_is_not_understood(line: str) -> None:
    with pytest.raises(ValueError, match="mountinfo is not understood"):
        mounts.parse_mountinfo(f"{LINES}{line}\n")


@pytest.mark.parametrize(
    ("path", "device", "source"),
    [
        ("/", "8:1", "/dev/sda1"),
        ("/etc/passwd", "8:1", "/dev/sda1"),
        ("/srvice", "8:1", "/dev/sda1"),
        ("/srv", "8:4", "/dev/sdb2"),
        # 8:2 and what was mounted below it lie hidden under 8:4.
        ("/srv/old/x", "8:4", "/dev/sdb2"),
        ("/srv/old/x", "8:3", "/dev/sdb1"),
        # btrfs: the path's device is in no line.
        ("/srv/my data/base", "0:41", "/dev/mapper/v\\g"),
        ("/none", "0:50", ""),
    ],
)
def test_mount_of_a_path(path: str, device: str, source: str) -> None:
    found = mounts.mount_of(mounts.parse_mountinfo(LINES), path, device)
    assert found is not None
    assert found.source == source


def test_of_two_mounts_in_one_place_the_later_counts() -> None:
    lower, upper = mount("0:9", "/a"), mount("0:9", "/a")._replace(source="upper")
    found = mounts.mount_of([mount("8:1", "/"), lower, upper], "/a/b", "0:9")
    assert found is upper


def test_no_mount_covers_the_path() -> None:
    assert mounts.mount_of([mount("8:1", "/a")], "/b", "8:1") is None
    assert mounts.mount_of([], "/", "8:1") is None


@pytest.mark.parametrize(
    ("path", "directory", "way"),
    [
        ("/", "/", ""),
        ("/a", "/", "/a"),
        ("/a/b", "/a", "/b"),
        ("/a/b/", "/a", "/b"),
        ("/a", "/a", ""),
        ("/ab", "/a", None),
        ("/a", "/a/b", None),
        ("/../x", "/..", "/x"),
    ],
)
def test_beneath(path: str, directory: str, way: str | None) -> None:
    assert mounts.beneath(path, directory) == way


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8)


def escaped(text: str) -> str:
    """As the kernel writes a path."""
    return "".join(f"\\{ord(letter):03o}" if letter in " \t\n\\#" else letter for letter in text)


@given(st.lists(names, max_size=4), names)
def test_any_path_survives_the_kernel_s_writing(parts: list[str], source: str) -> None:
    path = "/" + "/".join(parts)
    line = f"1 0 8:1 / {escaped(path)} rw shared:1 - ext4 {escaped(source)} rw\n"
    (parsed,) = mounts.parse_mountinfo(line)
    assert (parsed.mount_point, parsed.source) == (path, source)
    assert mounts.mount_of([parsed], path + "/below", "8:1") is parsed

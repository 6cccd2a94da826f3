# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._host_parse import cgroup
from ansible_collections.midi.capacity.plugins.module_utils._host_parse.mounts import Mount

V1 = "9:name=systemd:/\n4:memory:/system.slice/pg:1\n3:cpu,cpuacct:/pg\n"
V2 = "0::/system.slice/pg.service\n"


def v1_mount(controllers: str, root: str, mount_point: str) -> Mount:
    return Mount("0:30", root, mount_point, "cgroup", "cgroup", ["rw", *controllers.split(",")])


def v2_mount(root: str, mount_point: str = "/sys/fs/cgroup") -> Mount:
    return Mount("0:31", root, mount_point, "cgroup2", "cgroup2", ["rw", "nsdelegate"])


@pytest.mark.parametrize(
    ("text", "version", "unified", "memory"),
    [
        (V1, "1", None, "/system.slice/pg:1"),
        (V2, "2", "/system.slice/pg.service", None),
        (V1 + "0::/\n", "hybrid", "/", "/system.slice/pg:1"),
    ],
)
def test_membership(text: str, version: str, unified: str | None, memory: str | None) -> None:
    membership = cgroup.parse_membership(text)
    assert membership.version == version
    assert membership.unified == unified
    assert membership.controllers.get("memory") == memory


def test_controllers_of_one_hierarchy_share_its_path() -> None:
    controllers = cgroup.parse_membership(V1).controllers
    assert controllers["cpu"] == controllers["cpuacct"] == "/pg"


@pytest.mark.parametrize("text", ["", "\n", "nonsense", "4:memory", "0::relative", V2 + "x\n"])
def test_membership_that_is_not_understood(text: str) -> None:
    with pytest.raises(ValueError, match=r"cgroup"):
        cgroup.parse_membership(text)


MEMORY = v1_mount("memory", "/", "/sys/fs/cgroup/memory")
CPU = v1_mount("cpu,cpuacct", "/", "/sys/fs/cgroup/cpu,cpuacct")


def test_version_1_is_asked_for_its_own_controllers_and_version_2_for_the_rest() -> None:
    hybrid = cgroup.parse_membership("4:memory:/pg\n0::/user.slice\n")
    known = [MEMORY, CPU, v2_mount("/", "/sys/fs/cgroup/unified")]
    assert cgroup.hierarchy(hybrid, known, "memory") == (1, "/pg", [MEMORY])
    assert cgroup.hierarchy(hybrid, known, "cpu") == (2, "/user.slice", [known[2]])


@pytest.mark.parametrize(
    ("text", "mounts", "reason"),
    [
        (V1, [CPU], "controller memory is not mounted"),
        (V2, [MEMORY], "controller memory is not mounted"),
        ("3:cpu:/\n", [MEMORY], "no cgroup controller memory"),
    ],
)
def test_no_hierarchy(text: str, mounts: list[Mount], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        cgroup.hierarchy(cgroup.parse_membership(text), mounts, "memory")


@pytest.mark.parametrize(
    ("path", "mounts", "directories"),
    [
        ("/a/b", [v2_mount("/")], ["/sys/fs/cgroup/a/b"]),
        ("/", [v2_mount("/")], ["/sys/fs/cgroup"]),
        ("/", [v2_mount("/", "/")], ["/"]),
        ("/a", [v2_mount("/", "/")], ["/a"]),
        # A container that sees the host's names, with its own part mounted.
        ("/docker/4f/init", [v2_mount("/docker/4f")], ["/sys/fs/cgroup/init"]),
        ("/docker/4f", [v2_mount("/docker/4f")], ["/sys/fs/cgroup"]),
        ("/docker/4f2", [v2_mount("/docker/4f")], []),
        # The narrower mount first; of equals the later one.
        ("/a/b", [v2_mount("/", "/x"), v2_mount("/a", "/y")], ["/y/b", "/x/a/b"]),
        ("/a", [v2_mount("/", "/x"), v2_mount("/", "/y")], ["/y/a", "/x/a"]),
        # Outside of the reader's namespace, and yet below a mount that begins there.
        ("/../other", [v2_mount("/")], []),
        ("/../other", [v2_mount("/..")], ["/sys/fs/cgroup/other"]),
        ("/../../other", [v2_mount("/..")], []),
    ],
)
def test_places(path: str, mounts: list[Mount], directories: list[str]) -> None:
    places = cgroup.places(cgroup.Hierarchy(2, path, mounts))
    assert [directory for directory, _mount_point in places] == directories


@pytest.mark.parametrize(
    ("path", "escapes"), [("/", False), ("/a..b/..c", False), ("/..", True), ("/../x", True), ("/../../x", True)]
)
def test_escapes(path: str, escapes: bool) -> None:
    assert cgroup.Hierarchy(2, path, []).escapes is escapes


@pytest.mark.parametrize(
    ("directory", "mount_point", "lineage"),
    [
        ("/c/a/b", "/c", ["/c/a/b", "/c/a", "/c"]),
        ("/c", "/c", ["/c"]),
        ("/a/b", "/", ["/a/b", "/a", "/"]),
        ("/elsewhere", "/c", ["/elsewhere"]),
    ],
)
def test_lineage(directory: str, mount_point: str, lineage: list[str]) -> None:
    assert cgroup.lineage(directory, mount_point) == lineage


@pytest.mark.parametrize(
    ("text", "limit_bytes"),
    [
        ("max\n", None),
        ("9223372036854771712\n", None),  # pages of 4 KiB
        ("9223372036854710272\n", None),  # pages of 64 KiB
        ("9223372036854775807\n", None),  # old kernels
        ("18446744073709551615\n", None),
        ("1073741824\n", 1 << 30),
        ("0\n", 0),
    ],
)
def test_limit(text: str, limit_bytes: int | None) -> None:
    assert cgroup.parse_limit_bytes(text) == limit_bytes
    if text != "max\n":
        stat = f"cache 1\nhierarchical_memory_limit {text}hierarchical_memsw_limit 5\n"
        assert cgroup.parse_hierarchical_limit_bytes(stat) == limit_bytes


@pytest.mark.parametrize("text", ["", "-1", "lots", "maximum"])
def test_limit_that_is_not_understood(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        cgroup.parse_limit_bytes(text)


@pytest.mark.parametrize(
    ("quota", "period", "cpus"),
    [("-1", "100000", None), ("150000\n", "100000\n", 1.5), ("50000", "100000", 0.5), ("400000", "50000", 8.0)],
)
def test_quota(quota: str, period: str, cpus: float | None) -> None:
    assert cgroup.parse_quota_v1(quota, period) == cpus
    assert cgroup.parse_quota_v2(f"{'max' if cpus is None else quota.strip()} {period}") == cpus


@pytest.mark.parametrize("text", ["", "100000", "-1 100000", "100000 0", "100000 0100 1"])
def test_quota_that_is_not_understood(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a number|period of 0"):
        cgroup.parse_quota_v2(text)


def test_usage() -> None:
    assert cgroup.parse_usage_seconds_v1("1500000000\n") == 1.5
    assert cgroup.parse_usage_seconds_v2("usage_usec 1500000\nuser_usec 1000000\n") == 1.5
    with pytest.raises(ValueError, match="no usage_usec"):
        cgroup.parse_usage_seconds_v2("nr_periods 0\n")


@pytest.mark.parametrize(
    ("values", "ceiling", "smallest"),
    [
        ([], None, None),
        ([8, 4, 6], None, 4),
        ([8, 4, 6], 3, None),
        ([8, 4], 4, 4),
        ([8, 6], 7, 6),
    ],
)
def test_smallest(values: list[int], ceiling: int | None, smallest: int | None) -> None:
    found = cgroup.smallest([cgroup.Limit(value, f"/{value}") for value in values], ceiling)
    assert found == (None if smallest is None else (smallest, f"/{smallest}"))


def test_of_equal_limits_the_nearest_is_named() -> None:
    found = cgroup.smallest([cgroup.Limit(4, "own"), cgroup.Limit(4, "parent")])
    assert found is not None and found.source == "own"

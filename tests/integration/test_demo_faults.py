# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with the demo: one message, nothing half-done, and the next run ends well."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import disk, options
from demo.account import as_server_account
from demo.errors import DemoError
from demo.home import Home
from demo.processes import kill, wait_for_end
from demo.servers import until
from tests.integration.demo_runs import LONGEST_SECONDS, DemoRuns, demo_in, interrupt, one_message, wait_for_line
from tests.scale import scaled

FILES = scaled(20_000, 172_000)
# What a small disk holds, and what takes long enough to be caught in the middle.
FITTING_FILES = 40_000
# Output lines after which the load is cut off: within the rows, and when all of them are in and the indexes come.
MOMENTS = ("files ", "file_tags ", "melodic_patterns ", "keys and indexes")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoRuns]:
    with demo_in(tmp_path / "demo") as runs:
        yield runs


def assert_whole_library(demo: DemoRuns, files: int = FILES) -> None:
    assert demo.value("SELECT count(*) FROM files") == files
    assert demo.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = 'files'::regclass") == 27
    assert demo.databases() == {"postgres", "midi_library"}


@pytest.mark.parametrize(
    "text", ["999", "20000001", "0", "-5", "172k", "1e6", "172,000", "1 000", "many", "٢٠٠٠", "0x4000"]
)
def test_files_that_are_no_number_in_range_are_refused(demo: DemoRuns, text: str) -> None:
    message = demo.fails("up", DEMO_FILES=text)
    assert "DEMO_FILES" in message
    assert "1,000 to 20,000,000" in message
    assert not demo.directory.exists()


@pytest.mark.parametrize("text", ["80", "65536", "-1", "https"])
def test_a_port_that_is_none_is_refused(demo: DemoRuns, text: str) -> None:
    assert "DEMO_PG_PORT" in demo.fails("up", DEMO_PG_PORT=text)
    assert not demo.directory.exists()


def test_a_busy_port_is_refused_with_its_holder_before_anything_starts(demo: DemoRuns) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        message = demo.fails("up", DEMO_PG_PORT=str(port))
    assert f"port {port}" in message
    assert f"pid {os.getpid()}" in message
    assert "DEMO_PG_PORT" in message.partition("To mend it")[2]
    assert not demo.directory.exists()


def test_a_busy_port_leaves_a_running_demo_alone(demo: DemoRuns) -> None:
    demo.succeeds("up", DEMO_FILES="1000")
    with socket.create_server(("0.0.0.0", 0)) as server:
        demo.fails("up", DEMO_PG_PORT=str(server.getsockname()[1]))
    assert demo.run("status").returncode == 0


@pytest.mark.parametrize("place", ["/proc/demo", "file/demo"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    demo = DemoRuns(tmp_path / place)
    message = demo.fails("up")
    assert "cannot be written" in message
    assert "DEMO_HOME" in message


def test_a_directory_with_other_things_is_refused_and_never_cleaned(tmp_path: Path) -> None:
    demo = DemoRuns(tmp_path)
    (tmp_path / "precious").write_text("mine")
    assert "not empty" in demo.fails("up")
    assert "no demo" in demo.succeeds("clean")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("character", list('"$`\\') + ["\n"])
def test_a_path_that_a_shell_would_change_is_refused(tmp_path: Path, character: str) -> None:
    home = Home(tmp_path / f"a{character}b")
    with pytest.raises(DemoError, match="path of the demo"):
        home.prepare()
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_not_utf_8_is_refused_before_anything(tmp_path: Path) -> None:
    demo = DemoRuns(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9/demo")))
    message = demo.fails("up", DEMO_FILES="1000")
    assert "is not UTF-8" in message and "caf\\xe9" in message and "DEMO_HOME" in message
    assert list(tmp_path.iterdir()) == []


def test_another_accounts_demo_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Home(tmp_path).prepare()
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(DemoError, match="belongs to"):
        Home(tmp_path).exists()


def test_more_files_than_the_disk_takes_are_refused_with_the_sum(tmp_path: Path) -> None:
    with pytest.raises(DemoError) as refused:
        disk.require_room(tmp_path, 10**10)
    message = str(refused.value)
    assert "10,000,000,000 files" in message
    assert "bytes (measured)" in message
    assert "are free" in message


def test_two_at_once_and_the_second_says_who_is_at_work(demo: DemoRuns) -> None:
    with demo.started("up", DEMO_FILES=str(FILES)) as first:
        wait_for_line(first, "files ")
        for command in ("up", "stop", "clean"):
            message = demo.fails(command)
            assert f"pid {first.pid}" in message
            assert "`make demo`" in message
        first.communicate()
        assert first.returncode == 0
    assert_whole_library(demo)


def test_interrupted_at_many_moments_and_then_whole(demo: DemoRuns) -> None:
    with demo.started("up", DEMO_FILES=str(FILES)) as run:
        wait_for_initdb(demo)
        assert "interrupted: run make demo again" in interrupt(run)
    for moment in MOMENTS:
        with demo.started("up", DEMO_FILES=str(FILES)) as run:
            wait_for_line(run, moment)
            assert "interrupted: run make demo again" in interrupt(run), moment
        # What this run started is stopped.
        assert demo.processes() == []
    assert "loaded in" in demo.succeeds("up", DEMO_FILES=str(FILES))
    assert_whole_library(demo)


def test_terminated_like_interrupted(demo: DemoRuns) -> None:
    with demo.started("up", DEMO_FILES=str(FILES)) as run:
        wait_for_line(run, "files ")
        run.terminate()
        _out, err = run.communicate()
        assert "interrupted" in one_message(run.returncode, err)
    assert demo.processes() == []


def test_killed_at_many_moments_and_then_whole(demo: DemoRuns) -> None:
    with demo.started("up", DEMO_FILES=str(FILES)) as run:
        wait_for_initdb(demo)
        run.kill()
    for moment in MOMENTS:
        with demo.started("up", DEMO_FILES=str(FILES)) as run:
            wait_for_line(run, moment)
            run.kill()
    # The servers still run, and the load's session may not know yet that it is alone.
    assert "loaded in" in demo.succeeds("up", DEMO_FILES=str(FILES))
    assert_whole_library(demo)


def test_an_interrupted_load_is_no_library(demo: DemoRuns) -> None:
    with demo.started("up", DEMO_FILES=str(FILES)) as run:
        wait_for_line(run, "file_tags ")
        run.kill()
    assert "not loaded" in demo.run("status").stdout
    # Another size is no change of mind about a library: there is none.
    assert "1,000 files" in demo.succeeds("up", DEMO_FILES="1000")
    assert_whole_library(demo, 1000)


def test_the_server_killed_during_the_load(demo: DemoRuns) -> None:
    with demo.started("up", DEMO_FILES=str(FILES)) as run:
        wait_for_line(run, "files ")
        kill(postmaster(demo))
        _out, err = run.communicate()
        assert "run `make demo` again" in one_message(run.returncode, err)
    assert demo.processes() == []
    demo.succeeds("up", DEMO_FILES=str(FILES))
    assert_whole_library(demo)


def test_servers_killed_after_the_load(demo: DemoRuns) -> None:
    demo.succeeds("up", DEMO_FILES="1000")
    redis_pid = int(demo.redis.client().info("server")["process_id"])
    for pid in (postmaster(demo), redis_pid):
        kill(pid)
        assert wait_for_end([pid], LONGEST_SECONDS)
    # Both leave their sockets and the files with their numbers behind.
    assert (demo.postgres.data / "postmaster.pid").exists()
    assert (demo.postgres.socket / ".s.PGSQL.5432").exists()
    assert demo.redis.socket.exists()
    assert demo.run("status").returncode == 3
    assert "already loaded" in demo.succeeds("up")
    assert demo.succeeds("redis-cli", "ping") == "PONG\n"
    assert_whole_library(demo, 1000)


def test_a_killed_servers_number_that_is_another_programs_now(demo: DemoRuns) -> None:
    demo.succeeds("up", DEMO_FILES="1000")
    kill(postmaster(demo))
    for _attempt in until(LONGEST_SECONDS):
        if not demo.postgres.running():
            break
    # The same account's, so that PostgreSQL itself cannot tell it from a server.
    with subprocess.Popen([*as_server_account(), "sleep", "600"], cwd="/") as other:
        pid_file = demo.postgres.data / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        (demo.redis.home / "redis.pid").write_text(f"{other.pid}\n")
        try:
            assert "PostgreSQL: stopped" in demo.run("status").stdout
            assert "already loaded" in demo.succeeds("up")
            demo.succeeds("stop")
            assert other.poll() is None
        finally:
            other.kill()


def test_a_socket_directory_that_was_tidied_away(tmp_path: Path) -> None:
    with demo_in(tmp_path / ("x" * 150)) as demo:
        demo.succeeds("up", DEMO_FILES="1000")
        for directory in (demo.postgres.socket, demo.redis.socket.parent):
            for file in directory.iterdir():
                file.unlink()
            directory.rmdir()
        assert "No such file or directory" in demo.fails("status")
        assert "already loaded" in demo.succeeds("up")
        assert demo.succeeds("psql", "-Atc", "SELECT count(*) FROM files") == "1000\n"
        assert demo.succeeds("redis-cli", "ping") == "PONG\n"


def test_a_home_that_was_moved(tmp_path: Path) -> None:
    with demo_in(tmp_path / "old") as old:
        old.succeeds("up", DEMO_FILES="1000")
        old.succeeds("redis-cli", "config", "rewrite")
        old.succeeds("stop")
        (tmp_path / "old").rename(tmp_path / "new")
    with demo_in(tmp_path / "new") as new:
        assert "already loaded" in new.succeeds("up")
        assert new.succeeds("redis-cli", "config", "get", "dir") == f"dir\n{new.redis.home}\n"


def test_clean_that_was_cut_off_can_be_done_again(demo: DemoRuns) -> None:
    demo.succeeds("up", DEMO_FILES="1000")
    demo.succeeds("stop")
    # Where it may have come to: half of the cluster is gone.
    for file in (demo.postgres.data / "base").rglob("*"):
        if file.is_file():
            file.unlink()
    demo.succeeds("clean")
    assert not demo.directory.exists()


def test_a_setting_that_keeps_the_server_from_starting_is_named(demo: DemoRuns) -> None:
    demo.succeeds("up", DEMO_FILES="1000")
    demo.succeeds("psql", "-qc", "ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'")
    demo.succeeds("stop")
    message = demo.fails("up")
    assert "no_such_library" in message
    assert "server.log" in message
    assert demo.processes() == []


def test_a_reader_that_goes_away(demo: DemoRuns) -> None:
    with demo.started("up", DEMO_FILES=str(FILES)) as run:
        wait_for_line(run, "files ")
        run.stdout.close()
        run.wait()
        assert (run.returncode, run.stderr.read()) == (1, "")
        run.stdout = None
    demo.succeeds("up", DEMO_FILES=str(FILES))
    assert_whole_library(demo)


def test_wrong_commands_are_answered_with_the_usage(demo: DemoRuns) -> None:
    for arguments in ((), ("start",), ("up", "now")):
        done = demo.run(*arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("usage:")
    assert demo.succeeds("--help").startswith("usage:")


@contextlib.contextmanager
def mounted_by_root(directory: Path) -> Iterator[Path]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m,mode=755", "tmpfs", str(directory)], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@contextlib.contextmanager
def mounted_by_a_user(directory: Path) -> Iterator[Path]:
    """Mounted in namespaces of its own, which last as long as the process that waits in them, and seen through it."""
    script = 'mount -t tmpfs -o size=300m,mode=755 tmpfs "$0" && echo mounted && exec cat'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(directory)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        if process.stdout.readline() != "mounted\n":
            pytest.fail(
                f"no small file system can be mounted: {process.communicate()[1].strip()}. To mend it: run the tests as"
                " root, or allow user namespaces (kernel.unprivileged_userns_clone=1,"
                " kernel.apparmor_restrict_unprivileged_userns=0)"
            )
        yield Path(f"/proc/{process.pid}/root{directory}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[DemoRuns]:
    """A demo on a file system of its own, of 300 MB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mounted = mounted_by_root if os.geteuid() == 0 else mounted_by_a_user
    with mounted(directory) as path, demo_in(path) as runs:
        yield runs


def test_a_library_that_would_not_fit_is_refused_at_once(small_disk: DemoRuns) -> None:
    message = small_disk.fails("up")
    assert f"{options.USUAL_FILES:,} files" in message
    assert "not enough disk" in message
    assert "DEMO_FILES=" in message
    assert list(small_disk.directory.iterdir()) == []
    fitting = int(message.partition("DEMO_FILES=")[2].split()[0])
    small_disk.succeeds("up", DEMO_FILES=str(fitting))


@pytest.mark.parametrize("moment", ["files ", "file_instruments "])
def test_a_disk_that_fills_up_during_the_load(small_disk: DemoRuns, moment: str) -> None:
    files = str(FITTING_FILES)
    filler = small_disk.directory / "filler"
    with small_disk.started("up", DEMO_FILES=files) as run:
        wait_for_line(run, moment)
        fill(filler)
        _out, err = run.communicate()
        message = one_message(run.returncode, err)
    assert "disk filled up" in message
    assert "run `make demo` again" in message
    assert small_disk.processes() == []
    # Still no room: refused, and no attempt at starting.
    fill(filler)
    assert "disk" in small_disk.fails("up", DEMO_FILES=files)
    filler.unlink()
    small_disk.succeeds("up", DEMO_FILES=files)
    assert_whole_library(small_disk, FITTING_FILES)


def fill(path: Path) -> None:
    """Grow a file until the disk has no byte left."""
    with path.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            while True:
                try:
                    file.write(bytes(size))
                except OSError:
                    break


def wait_for_initdb(demo: DemoRuns) -> None:
    for _attempt in until(LONGEST_SECONDS):
        if list(demo.directory.glob("postgres/data.unfinished-*")):
            return
    raise AssertionError("initdb did not begin")


def postmaster(demo: DemoRuns) -> int:
    return int((demo.postgres.data / "postmaster.pid").read_text().splitlines()[0])

# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the demo on their own: arithmetic, progress, lock, processes."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo import disk, options, ports, processes
from demo.account import as_server_account, give_to_server_account
from demo.cache import EmbeddedRedis
from demo.embedded import postgres_bin
from demo.errors import DemoError
from demo.home import Home, write_whole
from demo.lock import locked
from demo.postgres import worst
from demo.progress import Progress, rate


@given(st.integers(-(10**9), 10**13))
def test_as_many_files_as_fit_do_fit_and_more_do_not(room: int) -> None:
    files = disk.files_that_fit(room)
    assert files % 1000 == 0

    def needed(count: int) -> int:
        return count * disk.BYTES_PER_FILE + disk.wal_bytes(count)

    if files > 0:
        assert needed(files) <= room
    if files >= 0:
        assert needed(files + 1000) > room


def test_the_largest_library_has_its_sum(tmp_path: Path) -> None:
    # 20,000,000 x 1,950 + 1.6 GB + 80 MB, against a disk that has less: whichever runs this has less than 10^15 bytes.
    with pytest.raises(DemoError) as refused:
        disk.require_room(tmp_path, options.MOST_FILES, fixed_bytes=10**15)
    assert "20,000,000 x 1,950 bytes (measured) + 1.6 GB of WAL + 1000000.0 GB" in str(refused.value)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 MB"), (39_900_000, "40 MB"), (999_600_000, "1.0 GB"), (4e10, "40.0 GB")]
)
def test_bytes_for_people(count: int, text: str) -> None:
    assert disk.as_text(count) == text


@pytest.mark.parametrize(("text", "files"), [("", None), ("1000", 1000), ("172000", 172000), ("20000000", 20_000_000)])
def test_wanted_files(text: str, files: int | None) -> None:
    assert options.wanted_files({"DEMO_FILES": text}) == files


def test_the_home_is_in_the_checkout_unless_said_otherwise() -> None:
    assert options.home_directory({}) == Path(__file__).resolve().parents[2] / ".demo"
    assert options.home_directory({"DEMO_HOME": "/somewhere"}) == Path("/somewhere")
    assert options.home_directory({"DEMO_HOME": "here"}) == Path.cwd() / "here"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _loaded(out: io.StringIO) -> str:
    progress = Progress(out, rows=1000)
    for count in range(10, 610, 10):
        progress.rows("one", count, 0.5)
    progress.table("one", 600, 0.5)
    progress.step("CREATE INDEX")
    for count in range(10, 410, 10):
        progress.rows("two", count, 0.1)
    progress.table("two", 400, 0.1)
    progress.total()
    progress.close()
    return out.getvalue()


def test_without_a_terminal_a_line_every_tenth() -> None:
    lines = _loaded(io.StringIO()).splitlines()
    assert lines[0] == " 10%  one  100 rows  200 rows/s"
    assert [line.split("%")[0].strip() for line in lines if "%" in line] == [f"{tenth}0" for tenth in range(1, 10)]
    assert [line for line in lines if line.startswith("one ")] == [f"one{'':31}600 rows  1,200 rows/s"]
    assert lines[-1].startswith("total")
    assert " 1,000 rows" in lines[-1]
    assert "\r" not in "".join(lines)


def test_on_a_terminal_one_line_that_is_rewritten() -> None:
    out = _loaded(_Terminal())
    lines = out.split("\n")
    assert len(lines) == 4
    # What is shown in between is wiped before a line that stays.
    for line in lines[:3]:
        assert line.split("\r")[-1].startswith(("one ", "two ", "total "))
    assert "%" in lines[0].split("\r")[1]
    assert lines[-1] == ""


def test_a_rate_without_time_is_no_error() -> None:
    assert rate(5, 0) == "5,000 rows/s"


def test_a_lock_is_free_again_when_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = f"""import sys, time; from pathlib import Path; from demo.lock import locked
with locked(Path({str(path)!r}), "sleeper"): print("locked", flush=True); time.sleep(600)"""
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(DemoError, match=f"`sleeper`, pid {other.pid}"), locked(path, "second"):
            pass
        other.kill()
    with locked(path, "second"):
        assert f"`second`, pid {os.getpid()}" in path.read_text()


def test_a_lock_whose_file_was_removed_is_taken_on_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path, "clean"):
        path.unlink()
        # As after `clean`: a new file, a new lock.
        with locked(path, "up"), pytest.raises(DemoError, match="`up`"), locked(path, "third"):
            pass


def test_the_holder_of_a_port_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert ports.holder(port).endswith(f"pid {os.getpid()}")
        with pytest.raises(DemoError, match=f"port {port} is in use by"):
            ports.require_free(port)
    ports.require_free(port)
    assert ports.holder(port) == ""


def test_a_dead_process_that_nobody_collected_is_not_alive() -> None:
    process = subprocess.Popen(["true"])
    try:
        assert any(not processes.alive(process.pid) for _attempt in processes.until(20))
        assert processes.listed(process.pid)
    finally:
        process.wait()
    assert not processes.listed(process.pid)


def test_a_process_is_known_by_program_and_directory(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"], cwd=tmp_path) as process:
        try:
            assert any(processes.runs(process.pid, "sleep", tmp_path) for _attempt in processes.until(20))
            assert not processes.runs(process.pid, "postgres", tmp_path)
            assert not processes.runs(process.pid, "sleep", tmp_path.parent)
            assert processes.working_in(tmp_path, "sleep") == [process.pid]
        finally:
            process.kill()


def test_a_file_is_written_whole_and_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    (tmp_path / "secret.new").write_text("left by a run that was killed")
    write_whole(path, "text", mode=0o600)
    assert path.read_text() == "text"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_a_home_is_prepared_once_and_removed_whole(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "b")
    assert not home.exists()
    home.prepare()
    home.prepare()
    assert home.exists()
    home.write_servers({"redis": {}})
    assert home.read_servers() == {"redis": {}}
    home.state.symlink_to(tmp_path)
    home.remove()
    assert not home.directory.exists()
    assert tmp_path.exists()


def test_programs_in_a_closed_directory_run_as_the_servers_account(tmp_path: Path) -> None:
    # As in root's home. initdb looks for its other programs beside itself.
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "bin").symlink_to(postgres_bin())
    place = tmp_path / "cluster"
    place.mkdir()
    give_to_server_account(place)
    command = [*as_server_account(closed / "bin" / "initdb"), str(closed / "bin" / "initdb"), "--no-sync"]
    done = subprocess.run([*command, "-D", str(place / "data")], cwd="/", check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.root
def test_they_cannot_write_what_is_others(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's servers have no rights but the user's")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    secret = closed / "precious"
    secret.write_text("mine")
    prefix = as_server_account(secret)
    assert "--ambient-caps=+dac_read_search" in prefix
    for script in ('echo x > "$0"', 'rm "$0"', 'touch "$0.new"'):
        assert subprocess.run([*prefix, "sh", "-c", script, str(secret)], check=False).returncode != 0
    assert [path.name for path in closed.iterdir()] == ["precious"]
    assert secret.read_text() == "mine"


@pytest.mark.parametrize(
    ("settings", "password"),
    # It does not tell its number, but its title has the socket; and the other way round.
    [({}, "secret"), ({"proc-title-template": "redis"}, "")],
)
def test_a_redis_that_works_elsewhere_is_stopped_all_the_same(
    tmp_path: Path, settings: dict[str, str], password: str
) -> None:
    """And although it cannot save there, so that it does not stop on its own."""
    server = EmbeddedRedis(tmp_path / "redis", settings)
    server.create()
    server.start()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o777)
    elsewhere.chmod(0o777)
    with server.client() as client:
        pid = int(client.info("server")["process_id"])
        client.set("a", "b")
        client.config_set("dir", str(elsewhere))
        client.config_set("requirepass", password)
    elsewhere.rmdir()
    try:
        server.stop()
        assert not processes.alive(pid)
    finally:
        processes.kill(pid)


def test_an_environment_that_is_not_set_up_is_one_message(tmp_path: Path) -> None:
    # Without the environment's packages, as right after a clone.
    root = Path(__file__).resolve().parents[2]
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"""import sys; sys.path.insert(0, {str(root)!r})
from demo.__main__ import main_with_messages; sys.exit(main_with_messages(["up"]))""",
    ]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("demo: the environment is not set up")
    assert done.stderr.endswith("run `make setup`.\n")


@pytest.mark.parametrize(
    ("log", "text"),
    [
        ("", ""),
        ("2026-11-24 LOG:  all is well\n", ""),
        ("x FATAL:  first\nx LOG:  later\n", "first"),
        ("x FATAL:  first\nx PANIC:  second\nx LOG:  end\n", "second"),
        ("initdb: error: no room\n", "no room"),
    ],
)
def test_the_worst_of_a_log(log: str, text: str) -> None:
    assert worst(log) == text

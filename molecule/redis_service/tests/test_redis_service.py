# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis as a service of role redis_cache: as it runs, when it is killed, and what the role refuses."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from role_runs import Run, role

MOLECULE = Path(__file__).parents[2]
INVENTORY = os.environ.get("MOLECULE_INVENTORY_FILE", "")
UNITS = {"cache": "redis-server", "queue": "redis-server@queue"}
PORTS = {"cache": 6379, "queue": 6380}

by_instance = pytest.mark.parametrize("instance", UNITS)


def password_file(instance: str) -> str:
    return f"/etc/midi-capacity/redis/{instance}.password"


def redis(host: Any, command: str, instance: str = "cache") -> list[str]:
    # In the environment of the command alone, and from a file.
    login = f'REDISCLI_AUTH="$(cat {password_file(instance)})"'
    return host.check_output(f"sh -c '{login} redis-cli -p {PORTS[instance]} {command}'").splitlines()


def main_pid(host: Any, instance: str = "cache") -> str:
    return host.check_output(f"systemctl show --property MainPID --value {UNITS[instance]}")


@by_instance
def test_the_unit_runs_and_comes_back_at_boot(host: Any, instance: str) -> None:
    unit = host.service(UNITS[instance])
    assert unit.is_running and unit.is_enabled


@by_instance
def test_it_listens_on_loopback_only(host: Any, instance: str) -> None:
    port = PORTS[instance]
    assert host.socket(f"tcp://127.0.0.1:{port}").is_listening
    listening = [line for line in host.socket.get_listening_sockets() if line.endswith(f":{port}")]
    assert listening == [f"tcp://127.0.0.1:{port}"]


@by_instance
def test_only_who_has_the_password_gets_in(host: Any, instance: str) -> None:
    assert redis(host, "PING", instance) == ["PONG"]
    assert "NOAUTH" in host.run(f"redis-cli -p {PORTS[instance]} PING").stdout
    assert host.file(password_file(instance)).mode == 0o600
    secret = host.check_output(f"cat {password_file(instance)}")
    assert len(secret) == 40
    assert host.run(f"grep -r {secret} /etc/redis /var/log /var/lib/midi-capacity /root").stdout == ""


def test_settings_are_live_and_in_the_file(host: Any) -> None:
    assert redis(host, "CONFIG GET maxmemory")[1] == str(64 * 2**20)
    assert redis(host, "CONFIG GET maxmemory-policy")[1] == "allkeys-lfu"
    assert redis(host, "CONFIG GET save")[1] == "900 1 300 10 60 10000"
    assert redis(host, "CONFIG GET appendonly")[1] == "yes"
    assert host.file("/etc/redis/redis.conf").contains("^maxmemory 64mb$")
    assert (host.file("/etc/redis/redis.conf").user, host.file("/etc/redis/redis.conf").mode) == ("redis", 0o640)


def test_what_was_in_a_cache_that_ran_before_is_there_still(host: Any) -> None:
    adopted = host.backend.hostname.endswith("debian12")
    assert redis(host, "GET adopted") == (["yes"] if adopted else [])


def test_cache_and_queue_share_nothing(host: Any) -> None:
    assert redis(host, "CONFIG GET maxmemory-policy", "queue")[1] == "noeviction"
    assert redis(host, "SET only-here yes") == ["OK"]
    assert redis(host, "GET only-here", "queue") == []
    assert redis(host, "DEL only-here") == ["1"]
    for setting in ("dir", "logfile", "pidfile", "aclfile"):
        assert redis(host, f"CONFIG GET {setting}")[1] != redis(host, f"CONFIG GET {setting}", "queue")[1]


def test_the_kernel_is_set_now_and_for_the_next_boot(host: Any) -> None:
    assert host.file("/proc/sys/vm/overcommit_memory").content_string == "1"
    assert host.file("/sys/kernel/mm/transparent_hugepage/enabled").content_string == "madvise"
    assert host.file("/etc/sysctl.d/60-midi-capacity-redis.conf").contains("^vm.overcommit_memory = 1$")
    line = "^w /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise$"
    assert host.file("/etc/tmpfiles.d/midi-capacity-redis.conf").contains(line)


def test_the_proof_of_the_restart_left_nothing_behind(host: Any) -> None:
    for instance in UNITS:
        assert redis(host, '--scan --pattern "midi-capacity:*"', instance) == []


def test_a_kill_loses_a_second_at_most(host: Any) -> None:
    pid = main_pid(host)
    script = base64.b64encode((MOLECULE / "crash.py").read_bytes()).decode()
    found = json.loads(
        host.check_output(f"sh -c 'echo {script} | base64 -d | python3 - 6379 {password_file('cache')} {pid}'")
    )
    assert found["written"] > 100
    assert [seconds for seconds in found["lost"] if seconds > 1] == []
    assert main_pid(host) not in (pid, "0")


def running_since(host: Any) -> str:
    """The server's own number of its run."""
    return next(line for line in redis(host, "INFO server") if line.startswith("run_id:"))


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The queue is to have the cache's port."""
    return role(
        tmp_path_factory.mktemp("taken"),
        INVENTORY,
        "--limit",
        "redis",
        redis_cache_instance="queue",
        redis_cache_port=6379,
    )


def test_a_port_that_is_taken_is_refused(taken: Run, host: Any) -> None:
    message = taken.message(host.backend.hostname)
    assert re.search(r"is taken by redis-server \d+, so the queue cannot have it; nothing was changed\.", message)
    assert redis(host, "CONFIG GET port", "queue")[1] == "6380"


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """A run with a setting that Redis reads at its start, and the same once more."""
    directory = tmp_path_factory.mktemp("restarted")
    return [
        role(
            directory,
            INVENTORY,
            "--limit",
            "redis",
            redis_cache_instance="cache",
            redis_cache_settings={"io-threads": 2},
        )
        for _run in range(2)
    ]


def test_what_redis_reads_at_its_start_restarts_it_once(restarted: list[Run], host: Any) -> None:
    name = host.backend.hostname
    assert [run.recap(name, "failed") for run in restarted] == [0, 0], restarted[0].output
    assert "Redis is restarted because of io-threads" in restarted[0].text
    assert redis(host, "CONFIG GET io-threads")[1] == "2"
    assert restarted[1].recap(name, "changed") == 0


@pytest.fixture(scope="module")
def broken(restarted: list[Run], tmp_path_factory: pytest.TempPathFactory) -> Run:
    return role(
        tmp_path_factory.mktemp("broken"),
        INVENTORY,
        "--limit",
        "redis",
        redis_cache_instance="cache",
        redis_cache_settings={"io-threads": 999},
    )


def test_a_value_that_keeps_it_from_starting_is_taken_back(broken: Run, host: Any) -> None:
    message = broken.message(host.backend.hostname)
    assert "Redis did not come back with io-threads as wanted, so the files of before were put back" in message
    assert redis(host, "CONFIG GET io-threads")[1] == "2"
    assert host.service("redis-server").is_running


def test_more_than_loopback_without_a_password_is_refused(host: Any, tmp_path: Path) -> None:
    done = role(
        tmp_path,
        INVENTORY,
        "--limit",
        host.backend.hostname,
        redis_cache_instance="cache",
        redis_cache_password_file="",
        redis_cache_bind=["0.0.0.0"],
    )
    message = done.message(host.backend.hostname)
    assert "redis_cache_bind has 0.0.0.0, which is more than this host, and there is no password" in message
    assert redis(host, "CONFIG GET bind")[1] == "127.0.0.1"

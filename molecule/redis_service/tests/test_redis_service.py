# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis as a service of role redis_cache: as it runs, when it is killed, and what the role refuses."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from role_runs import BEFORE_RESTART, Run, role

MOLECULE = Path(__file__).parents[2]
INVENTORY = os.environ.get("MOLECULE_INVENTORY_FILE", "")
UNITS = {"cache": "redis-server", "queue": "redis-server@queue"}
PORTS = {"cache": 6379, "queue": 6380}
HOSTS = ("redis_service-debian12", "redis_service-debian13")

by_instance = pytest.mark.parametrize("instance", UNITS)


def password_file(instance: str) -> str:
    return f"/etc/midi-capacity/redis/{instance}.password"


def redis(host: Any, command: str, instance: str = "cache") -> list[str]:
    # In the environment of the command alone, and from a file.
    login = f'REDISCLI_AUTH="$(cat {password_file(instance)})"'
    return host.check_output(f"sh -c '{login} redis-cli -p {PORTS[instance]} {command}'").splitlines()


def main_pid(host: Any, instance: str = "cache") -> str:
    return host.check_output(f"systemctl show --property MainPID --value {UNITS[instance]}")


def on(host: str, command: str) -> str:
    """What a command says on a host, where a fixture is for both."""
    return subprocess.run(
        ["docker", "exec", host, "sh", "-c", command], capture_output=True, text=True, check=True
    ).stdout


def cache_says(host: str, command: str) -> list[str]:
    return on(host, f'REDISCLI_AUTH="$(cat {password_file("cache")})" redis-cli {command}').splitlines()


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


@pytest.fixture(scope="module")
def converged() -> dict[str, tuple[dict[str, str], list[str]]]:
    """What each cache runs with and has in its file, before tests change both: they see one host after the other."""
    found = {}
    for host in HOSTS:
        answer = cache_says(host, 'CONFIG GET "*"')
        settings = dict(zip(answer[::2], answer[1::2], strict=True))
        found[host] = (settings, on(host, "cat /etc/redis/redis.conf").splitlines())
    return found


def test_settings_are_live_and_in_the_file(converged: dict[str, tuple[dict[str, str], list[str]]], host: Any) -> None:
    settings, lines = converged[host.backend.hostname]
    assert settings["maxmemory"] == str(64 * 2**20)
    assert settings["maxmemory-policy"] == "allkeys-lfu"
    assert settings["save"] == "900 1 300 10 60 10000"
    assert settings["appendonly"] == "yes"
    assert "maxmemory 64mb" in lines
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


# Changes of the cache, one run after the other: killed before its restart, finished, one that cannot start, and again.

APP_HASH = hashlib.sha256(b"of-the-app").hexdigest()
USERS = "/root/users.acl"
WANTED = {
    "redis_cache_instance": "cache",
    "redis_cache_maxmemory": "auto",
    "redis_cache_users_file": USERS,
    "redis_cache_settings": {"io-threads": 2},
}


def run_id(host: str) -> str:
    """The server's own number of its run."""
    return next(line for line in cache_says(host, "INFO server") if line.startswith("run_id:"))


@dataclass
class Killed:
    """A run that was killed; the server's run before it; and right after it: that, the threads, and the file."""

    run: Run
    before: dict[str, str]
    after: dict[str, str]
    threads: dict[str, str]
    filed: dict[str, str]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """The first that wants what Redis reads at its start, and users of a file beside default."""
    for host in HOSTS:
        own = hashlib.sha256(on(host, f"cat {password_file('cache')}").strip().encode()).hexdigest()
        lines = [f"user default on #{own} ~* &* +@all", f"user app on #{APP_HASH} ~app:* -@all +get +set"]
        on(host, f"umask 077; printf '%s\\n' '{lines[0]}' '{lines[1]}' > {USERS}")
    before = {host: run_id(host) for host in HOSTS}
    directory = tmp_path_factory.mktemp("killed")
    run = role(directory, INVENTORY, "--limit", "redis", killed_at=BEFORE_RESTART, **WANTED)
    return Killed(
        run,
        before,
        {host: run_id(host) for host in HOSTS},
        {host: cache_says(host, "CONFIG GET io-threads")[1] for host in HOSTS},
        {host: on(host, "cat /etc/redis/redis.conf") for host in HOSTS},
    )


@pytest.fixture(scope="module")
def finished(killed: Killed, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return role(tmp_path_factory.mktemp("finished"), INVENTORY, "--limit", "redis", **WANTED)


def test_a_run_that_is_killed_before_its_restart_is_finished_by_the_next(
    killed: Killed, finished: Run, host: Any
) -> None:
    name = host.backend.hostname
    assert killed.run.killed
    assert killed.after[name] == killed.before[name]
    assert killed.threads[name] == "1"
    assert "io-threads 2" in killed.filed[name].splitlines()
    assert finished.recap(name, "failed") == 0, finished.output
    assert "Redis is restarted because of io-threads, users" in finished.text
    assert run_id(name) != killed.after[name]
    assert redis(host, "CONFIG GET io-threads")[1] == "2"


@pytest.mark.usefixtures("finished")
def test_users_of_a_file_are_in_beside_default(host: Any) -> None:
    login = "REDISCLI_AUTH=of-the-app redis-cli --user app"
    assert host.check_output(f"{login} SET app:1 x") == "OK"
    assert host.check_output(f"{login} GET app:1") == "x"
    assert "NOPERM" in host.run(f"{login} SET other x").stdout
    assert "NOPERM" in host.run(f"{login} DEL app:1").stdout
    (line,) = [line for line in redis(host, "ACL LIST") if line.startswith("user app ")]
    assert f"#{APP_HASH}" in line
    assert redis(host, "PING") == ["PONG"]
    found = host.file("/etc/redis/users-cache.acl")
    assert (found.user, found.mode) == ("redis", 0o640)


@pytest.mark.usefixtures("finished")
def test_auto_is_what_the_host_bears(host: Any) -> None:
    """One host has all of the machine's memory, and the other a limit."""
    limited = host.backend.hostname.endswith("debian13")
    usable_bytes = (1 << 30) if limited else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    wanted_bytes = min(10 << 30, usable_bytes * 75 // 100 >> 20 << 20)
    assert redis(host, "CONFIG GET maxmemory")[1] == str(wanted_bytes)


@pytest.fixture(scope="module")
def broken(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    wanted = {**WANTED, "redis_cache_settings": {"io-threads": 999}}
    return role(tmp_path_factory.mktemp("broken"), INVENTORY, "--limit", "redis", **wanted)


def test_a_value_that_keeps_it_from_starting_is_taken_back(broken: Run, host: Any) -> None:
    message = broken.message(host.backend.hostname)
    assert "Redis did not come back with io-threads as wanted, so the files of before were put back" in message
    assert redis(host, "CONFIG GET io-threads")[1] == "2"
    assert host.service("redis-server").is_running


REFUSED: dict[str, dict[str, Any]] = {
    # The queue is to have the cache's port.
    "taken": {"redis_cache_instance": "queue", "redis_cache_port": 6379},
    "open": {"redis_cache_instance": "cache", "redis_cache_password_file": "", "redis_cache_bind": ["0.0.0.0"]},
}


@pytest.fixture(scope="module")
def settled(broken: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What is there already; and, at the same time on the same hosts by other names, what is refused."""
    directory = tmp_path_factory.mktemp("settled")
    reach = {"ansible_connection": "community.docker.docker", "ansible_user": "deploy"}
    more = {
        f"{fault}-{host}": {
            **reach,
            "ansible_host": host,
            "ansible_docker_extra_args": f"{{{{ hostvars['{host}'].ansible_docker_extra_args }}}}",
            **variables,
        }
        for fault, variables in REFUSED.items()
        for host in HOSTS
    }
    inventory = directory / "more.yml"
    inventory.write_text(json.dumps({"redis": {"hosts": {**more, **{host: WANTED for host in HOSTS}}}}))
    return role(directory, INVENTORY, "-i", str(inventory), "--limit", "redis", "--forks", "6")


def test_the_same_once_more_changes_nothing(settled: Run, host: Any) -> None:
    name = host.backend.hostname
    assert (settled.recap(name, "failed"), settled.recap(name, "changed")) == (0, 0), settled.output


def test_a_port_that_is_taken_is_refused(settled: Run, host: Any) -> None:
    message = settled.message(f"taken-{host.backend.hostname}")
    assert re.search(r"is taken by redis-server \d+, so the queue cannot have it; nothing was changed\.", message)
    assert redis(host, "CONFIG GET port", "queue")[1] == "6380"


def test_more_than_loopback_without_a_password_is_refused(settled: Run, host: Any) -> None:
    message = settled.message(f"open-{host.backend.hostname}")
    assert "redis_cache_bind has 0.0.0.0, which is more than this host, and there is no password" in message
    assert redis(host, "CONFIG GET bind")[1] == "127.0.0.1"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis in containers of role redis_cache: as it runs, when it is killed, and what the role refuses."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from role_runs import Run, hosts_file, playbook, role

HERE = Path(__file__).parents[1]
DIRECTORY = Path(os.environ.get("MOLECULE_EPHEMERAL_DIRECTORY", "/nowhere"))
INVENTORY = os.environ.get("MOLECULE_INVENTORY_FILE", "")
CONFIG = DIRECTORY / "redis"
CACHE, QUEUE = "molecule-redis-cache", "molecule-redis-queue"
PORTS = {CACHE: 46379, QUEUE: 46380}
IMAGE = "midi-capacity/redis7"
MIB = 1 << 20


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def inspect(container: str) -> dict[str, Any]:
    return json.loads(docker("inspect", container))[0]


def started_at(container: str) -> str:
    return inspect(container)["State"]["StartedAt"]


def password(name: str = "cache") -> str:
    return (CONFIG / f"{name}.password").read_text().strip()


def client(port: int, secret: str | None) -> redis.Redis:
    return redis.Redis(port=port, password=secret, decode_responses=True, socket_timeout=10, protocol=2)


@pytest.fixture
def cache() -> Iterator[redis.Redis]:
    with client(PORTS[CACHE], password()) as found:
        yield found


def healthy(container: str) -> bool:
    """Waits for Docker's own verdict, which is an event."""
    with subprocess.Popen(
        [
            "docker",
            "events",
            "--filter",
            f"container={container}",
            "--filter",
            "event=health_status",
            "--format",
            "{{.Status}}",
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as events:
        try:
            if inspect(container)["State"]["Health"]["Status"] != "starting":
                return inspect(container)["State"]["Health"]["Status"] == "healthy"
            assert events.stdout is not None
            return events.stdout.readline().strip() == "health_status: healthy"
        finally:
            events.kill()


def test_the_container_is_as_wanted() -> None:
    found = inspect(CACHE)
    host = found["HostConfig"]
    assert found["Config"]["Image"] == IMAGE
    assert found["Config"]["User"] == "999"
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["Memory"] == host["MemorySwap"] == 192 * MIB
    assert host["CapDrop"] == ["ALL"]
    assert {mount.get("Name", "files"): mount["Type"] for mount in found["Mounts"]} == {
        CACHE: "volume",
        "files": "bind",
    }
    assert healthy(CACHE)


def test_it_listens_on_loopback_only() -> None:
    assert inspect(CACHE)["HostConfig"]["PortBindings"] == {"6379/tcp": [{"HostIp": "127.0.0.1", "HostPort": "46379"}]}
    # An address of this machine that is not loopback's.
    gateway = inspect(CACHE)["NetworkSettings"]["Networks"]["bridge"]["Gateway"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((gateway, 46379), timeout=5)


def test_settings_are_live_and_in_the_file(cache: redis.Redis) -> None:
    found = cache.config_get("*")
    wanted = {
        "maxmemory": str(64 * MIB),
        "maxmemory-policy": "allkeys-lfu",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "900 1 300 10 60 10000",
        "protected-mode": "yes",
        "dir": "/data",
        "aclfile": "/usr/local/etc/redis/users.acl",
    }
    assert {name: found[name] for name in wanted} == wanted
    lines = (CONFIG / "cache/redis.conf").read_text().splitlines()
    assert {"maxmemory 64mb", "maxmemory-policy allkeys-lfu", "save 60 10000"} <= set(lines)


def test_only_who_has_the_password_gets_in(cache: redis.Redis) -> None:
    assert cache.ping()
    with client(46379, None) as nobody, pytest.raises(redis.AuthenticationError, match="Authentication required"):
        nobody.ping()
    with client(46379, password("queue")) as other, pytest.raises(redis.AuthenticationError, match="invalid username"):
        other.ping()


def test_the_files_are_for_the_server_and_for_root() -> None:
    found = {path.name: (path.stat().st_uid, path.stat().st_mode & 0o777) for path in (CONFIG / "cache").iterdir()}
    assert (CONFIG.stat().st_mode & 0o777, (CONFIG / "cache.password").stat().st_mode & 0o777) == (0o700, 0o600)
    assert found["redis.conf"] == (999, 0o600)
    assert found["users.acl"] == (999, 0o600)
    assert found["password"] == (999, 0o400)
    assert password() not in (CONFIG / "cache/users.acl").read_text() + (CONFIG / "cache/redis.conf").read_text()


def test_cache_and_queue_share_nothing(cache: redis.Redis) -> None:
    with client(46380, password("queue")) as queue:
        assert queue.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        cache.set("only-here", "yes")
        assert queue.get("only-here") is None
    cache.delete("only-here")
    places = [{mount["Source"] for mount in inspect(name)["Mounts"]} for name in (CACHE, QUEUE)]
    assert not places[0] & places[1]
    assert password() != password("queue")


def test_the_proof_of_the_restart_left_nothing_behind(cache: redis.Redis) -> None:
    assert cache.keys("midi-capacity:*") == []
    # A container that was made and never restarted has had one start only; its log has them all.
    assert docker("logs", CACHE).count("Ready to accept connections") >= 2


def test_a_kill_loses_a_second_at_most() -> None:
    pid = inspect(CACHE)["State"]["Pid"]
    command = [sys.executable, str(HERE.parent / "crash.py"), "46379", str(CONFIG / "cache.password"), str(pid)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert found["written"] > 100
    assert [seconds for seconds in found["lost"] if seconds > 1] == []
    assert inspect(CACHE)["State"]["Pid"] != pid


class Watch(threading.Thread):
    """Looks at the command line and the environment of every process, over and over, for some texts.

    But for the environment of redis-cli, which is how the health check hands over a password for a moment.
    """

    def __init__(self, secrets: Callable[[], list[str]]) -> None:
        super().__init__()
        self.secrets, self.rounds, self.done = secrets, 0, threading.Event()
        self.found: set[str] = set()

    def run(self) -> None:
        while not self.done.is_set():
            wanted = self.secrets()
            self.rounds += 1
            for process in Path("/proc").iterdir():
                for name in ("cmdline", "environ") if process.name.isdigit() else ():
                    try:
                        text = (process / name).read_bytes()
                        command = (process / "comm").read_text().strip()
                    except OSError:
                        continue
                    shown = any(secret.encode() in text for secret in wanted)
                    if shown and (name, command) != ("environ", "redis-cli"):
                        self.found.add(f"{name} of {command}")


def test_the_volume_survives_and_no_secret_shows_while_the_container_is_made_again(cache: redis.Redis) -> None:
    cache.set("kept", "in the volume")
    docker("rm", "--force", CACHE)
    (CONFIG / "queue.password").unlink()
    docker("rm", "--force", QUEUE)

    def secrets() -> list[str]:
        return [path.read_text().strip() for path in CONFIG.glob("*.password") if path.stat().st_size]

    watch = Watch(secrets)
    watch.start()
    try:
        done = playbook(HERE / "converge.yml", INVENTORY, "--diff", "-vvv")
    finally:
        watch.done.set()
        watch.join()
    assert done.returncode == 0, done.output
    assert cache.get("kept") == "in the volume"
    assert watch.rounds > 20
    assert watch.found == set()
    places = {
        "the output": done.output,
        "docker inspect": docker("inspect", CACHE, QUEUE),
        "the logs": docker("logs", CACHE) + docker("logs", QUEUE),
        "documents": "".join(path.read_text() for path in (DIRECTORY / "state").rglob("*") if path.is_file()),
    }
    shown = [(place, secret) for place, text in places.items() for secret in secrets() if secret in text]
    assert shown == []
    with client(46380, password("queue")) as queue:
        assert queue.ping()


# What is in the way, and what cannot be: hosts that are all this machine, each with a fault of its own.


@pytest.fixture(scope="module")
def common() -> dict[str, Any]:
    return {
        "redis_cache_become": os.getuid() != 0,
        "redis_cache_packages": [],
        "redis_cache_docker_packages": [],
        "redis_cache_runtime": "docker",
        "redis_cache_image": IMAGE,
        "redis_cache_maxmemory": "64mb",
        "redis_cache_prove_restart": False,
        "redis_cache_start_timeout_seconds": 15,
        "redis_cache_state_dir": str(DIRECTORY / "state"),
        "redis_cache_report_dir": str(DIRECTORY / "reports"),
        "redis_cache_container": "molecule-redis-{{ inventory_hostname }}",
        "redis_cache_config_dir": str(DIRECTORY / "own" / "{{ inventory_hostname }}"),
    }


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "leftover": (
        {"redis_cache_container": "molecule-redis-somebodys", "redis_cache_port": 46390},
        "has a container molecule-redis-somebodys already, and it is not this role's cache",
    ),
    "other_instance": (
        {
            "redis_cache_instance": "queue",
            "redis_cache_maxmemory_policy": "noeviction",
            "redis_cache_container": CACHE,
            "redis_cache_port": 46390,
        },
        f"has a container {CACHE} already, and it is not this role's queue",
    ),
    "port_of_a_container": ({"redis_cache_port": 46379}, f"is taken by container {CACHE}, so the cache cannot have it"),
    # The tests themselves hold it, by whatever name the kernel knows them.
    "port_of_a_program": ({"redis_cache_port": 46391}, f"is taken by {Path('/proc/self/comm').read_text().strip()} "),
    "volume": (
        {"redis_cache_volume": CACHE, "redis_cache_port": 46390},
        f"The volume {CACHE} is used by container {CACHE}",
    ),
    "memory": (
        {"redis_cache_maxmemory": "2048gb", "redis_cache_port": 46390},
        "where at most 75 %",
    ),
    "no_headroom": (
        {"redis_cache_container_memory": "100mb", "redis_cache_port": 46390},
        "leaves no head-room above maxmemory 64mb",
    ),
    "queue_that_evicts": ({"redis_cache_instance": "queue"}, "a queue that evicts loses jobs"),
    "both_in_one": (
        {"redis_cache_other_connection": {"login_host": "localhost", "login_port": 46390}, "redis_cache_port": 46390},
        "127.0.0.1:46390 would be cache and queue in one",
    ),
    "no_docker": (
        {"role_environment": {"DOCKER_HOST": "unix:///nowhere.sock"}, "redis_cache_port": 46390},
        "Docker does not answer on no_docker; nothing was changed",
    ),
}


def docker_has() -> list[str]:
    """Containers and volumes of this scenario."""
    name = ("--filter", "name=molecule-redis-")
    return sorted([*docker("ps", "--all", "--quiet", *name).split(), *docker("volume", "ls", "--quiet", *name).split()])


@pytest.fixture(scope="module")
def refused(common: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    directory = tmp_path_factory.mktemp("refused")
    docker("create", "--name", "molecule-redis-somebodys", IMAGE)
    try:
        before = docker_has()
        with socket.create_server(("127.0.0.1", 46391)):
            hosts = hosts_file(
                directory, {name: variables for name, (variables, _message) in REFUSED.items()}, **common
            )
            done = role(directory, hosts, "--forks", "10")
        assert docker_has() == before
        yield done
    finally:
        docker("rm", "--volumes", "molecule-redis-somebodys")


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_in_the_way_is_refused_before_anything_is_touched(refused: Run, fault: str) -> None:
    message = refused.message(fault)
    assert REFUSED[fault][1] in message
    assert "To mend it: " in message
    assert not (DIRECTORY / "own" / fault).exists()


# Changes, each to a server of its own.

SERVERS = {"live": 46401, "start": 46402, "broken": 46403, "rotated": 46404}


@pytest.fixture(scope="module")
def changed(
    common: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Run, dict[str, str], str]]:
    """The run that changes something, when each server was started before it, and a password that was replaced."""
    directory = tmp_path_factory.mktemp("changed")
    servers: dict[str, dict[str, Any]] = {name: {"redis_cache_port": port} for name, port in SERVERS.items()}
    done = role(directory, hosts_file(directory, servers, **common), "--forks", "4")
    assert done.returncode == 0, done.output
    before = {name: started_at(f"molecule-redis-{name}") for name in SERVERS}
    for name, port in SERVERS.items():
        with client(port, own_password(name)) as found:
            found.set("kept", "yes")
    servers["live"]["redis_cache_settings"] = {"timeout": 300}
    servers["start"]["redis_cache_settings"] = {"io-threads": 2}
    servers["broken"]["redis_cache_settings"] = {"io-threads": 999}
    servers["digest"] = {"redis_cache_port": 46405, "redis_cache_image_digest": f"sha256:{'0' * 64}"}
    old = own_password("rotated")
    (DIRECTORY / "own/rotated/cache.password").write_text("another-one\n")
    run = role(directory, hosts_file(directory, servers, **common), "--forks", "5")
    yield run, before, old
    second = role(directory, hosts_file(directory, {"start": servers["start"]}, **common))
    assert second.recap("start", "changed") == 0, second.output


def own_password(name: str) -> str:
    return (DIRECTORY / "own" / name / "cache.password").read_text().strip()


def setting(name: str, wanted: str) -> str:
    with client(SERVERS[name], own_password(name)) as found:
        assert found.get("kept") == "yes"
        return found.config_get(wanted)[wanted]


def test_what_redis_takes_live_restarts_nothing(changed: tuple[Run, dict[str, str], str]) -> None:
    run, before, _old = changed
    assert run.recap("live", "failed") == 0
    assert started_at("molecule-redis-live") == before["live"]
    assert setting("live", "timeout") == "300"
    assert "timeout 300" in (DIRECTORY / "own/live/cache/redis.conf").read_text()


def test_what_redis_reads_at_its_start_restarts_it(changed: tuple[Run, dict[str, str], str]) -> None:
    run, before, _old = changed
    assert run.recap("start", "failed") == 0
    assert "Redis is restarted because of io-threads" in run.text
    assert started_at("molecule-redis-start") != before["start"]
    assert setting("start", "io-threads") == "2"


def test_a_value_that_keeps_it_from_starting_is_taken_back(changed: tuple[Run, dict[str, str], str]) -> None:
    message = changed[0].message("broken")
    assert "Redis did not come back with io-threads as wanted, so the files of before were put back" in message
    assert "docker logs molecule-redis-broken" in message
    assert setting("broken", "io-threads") == "1"
    assert "io-threads" not in (DIRECTORY / "own/broken/cache/redis.conf").read_text()


def test_another_password_is_taken_and_the_old_one_is_not(changed: tuple[Run, dict[str, str], str]) -> None:
    run, _before, old = changed
    assert run.recap("rotated", "failed") == 0
    assert own_password("rotated") == "another-one"
    with client(SERVERS["rotated"], "another-one") as new:
        assert new.get("kept") == "yes"
    with client(SERVERS["rotated"], old) as former, pytest.raises(redis.AuthenticationError):
        former.ping()


def test_with_a_digest_the_image_is_that_one_or_none(changed: tuple[Run, dict[str, str], str]) -> None:
    # Ansible's module writes the digest like a tag.
    assert re.search(f"Error pulling image {IMAGE}[@:]sha256:{'0' * 64}", changed[0].message("digest"))
    assert docker("ps", "--all", "--quiet", "--filter", "name=molecule-redis-digest") == ""

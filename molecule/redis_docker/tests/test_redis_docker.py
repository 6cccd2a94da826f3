# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis in containers of role redis_cache: as it runs, when it is killed, and what the role refuses."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from role_runs import BEFORE_RESTART, Run, hosts_file, role

HERE = Path(__file__).parents[1]
DIRECTORY = Path(os.environ.get("MOLECULE_EPHEMERAL_DIRECTORY", "/nowhere"))
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

    But for the environment of redis-cli, which is how the health check hands over a password for a moment. What has run
    for long is looked at less often, so that looking leaves the CPU to what is watched.
    """

    YOUNG_ROUNDS, SELDOM, PAUSE_SECONDS = 100, 25, 0.01

    def __init__(self, secrets: Callable[[], list[str]]) -> None:
        super().__init__()
        self.secrets, self.rounds, self.done = secrets, 0, threading.Event()
        self.found: set[str] = set()
        self.looks: dict[Path, int] = {}

    def run(self) -> None:
        while not self.done.wait(self.PAUSE_SECONDS):
            self.rounds += 1
            wanted = [secret.encode() for secret in self.secrets()]
            processes = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
            self.looks = {process: self.looks.get(process, 0) + 1 for process in processes}
            for process, looks in self.looks.items():
                if looks <= self.YOUNG_ROUNDS or looks % self.SELDOM == 0:
                    self.look(process, wanted)

    def look(self, process: Path, wanted: list[bytes]) -> None:
        for name in ("cmdline", "environ"):
            try:
                text = (process / name).read_bytes()
                command = (process / "comm").read_text().strip()
            except OSError:
                continue
            if any(secret in text for secret in wanted) and (name, command) != ("environ", "redis-cli"):
                self.found.add(f"{name} of {command}")


def usable_bytes() -> int:
    """This machine's memory, or what its own container leaves of it."""
    limits = [Path("/sys/fs/cgroup", name) for name in ("memory.max", "memory/memory.limit_in_bytes")]
    texts = [path.read_text().strip() for path in limits if path.exists()]
    ram_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([ram_bytes, *(int(text) for text in texts if text.isdigit())])


# What is in the way, and what cannot be: hosts that are all this machine, each with a fault of its own.


COMMON: dict[str, Any] = {
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
    # On its own it would be borne.
    "sum": (
        {
            "redis_cache_instance": "queue",
            "redis_cache_maxmemory_policy": "noeviction",
            "redis_cache_maxmemory": str(usable_bytes() * 3 // 4 - 32 * MIB),
            "redis_cache_port": 46390,
            "redis_cache_other_connection": {
                "login_port": PORTS[CACHE],
                "login_password_file": str(CONFIG / "cache.password"),
            },
        },
        "and the 64 MiB of the other server on this host are ",
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
    "plain": (
        {
            "redis_cache_users_file": str(DIRECTORY / "plain.acl"),
            "redis_cache_port": 46390,
            "redis_cache_password_file": "/none",
        },
        f"redis_cache_users_file is {DIRECTORY}/plain.acl, and on plain that has passwords as they are (>…) in 1 lines",
    ),
    "no_users": (
        {"redis_cache_users_file": "/none.acl", "redis_cache_port": 46390, "redis_cache_password_file": "/none"},
        "redis_cache_users_file is /none.acl, and on no_users that cannot be read: grep: /none.acl: ",
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
def refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    directory = tmp_path_factory.mktemp("refused")
    docker("create", "--name", "molecule-redis-somebodys", IMAGE)
    (DIRECTORY / "plain.acl").write_text("user default on >of-somebody ~* &* +@all\n")
    try:
        before = docker_has()
        with socket.create_server(("127.0.0.1", 46391)):
            hosts = hosts_file(
                directory, {name: variables for name, (variables, _message) in REFUSED.items()}, **COMMON
            )
            done = role(directory, hosts, "--forks", str(len(REFUSED)))
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


# Servers of their own and the scenario's: made in one run, then changed in another, after one that is killed half-way.


def own_password(name: str) -> str:
    paths = {"cache": CONFIG / "cache.password", "queue": CONFIG / "queue.password"}
    return paths.get(name, DIRECTORY / "own" / name / "cache.password").read_text().strip()


def users(name: str, *others: str) -> dict[str, Any]:
    """A file of users: admin, whose password is the server's, and others, each with what it may do."""
    directory = DIRECTORY / "own" / name
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / "cache.password").write_text("of-the-admin\n")
    lines = ["user default off", f"user admin on {hashed('of-the-admin')} ~* &* +@all", *others]
    (directory / "wanted.acl").write_text("".join(f"{line}\n" for line in lines))
    return {
        "redis_cache_port": SERVERS[name],
        "redis_cache_connection": {"login_user": "admin"},
        "redis_cache_password_file": str(directory / "cache.password"),
        "redis_cache_users_file": str(directory / "wanted.acl"),
    }


def hashed(secret: str) -> str:
    return f"#{hashlib.sha256(secret.encode()).hexdigest()}"


APP = f"user app on {hashed('of-the-app')} ~app:* -@all +get +set"
READER = f"user reader on {hashed('of-the-reader')} ~app:* -@all +get"
SERVERS = {
    "cache": PORTS[CACHE],
    "queue": PORTS[QUEUE],
    "broken": 46403,
    "rotated": 46404,
    "users": 46406,
    "shrunk": 46407,
}
REPOSITORY = "127.0.0.1:46450/redis7"
LIMIT_PERCENT = 5


@pytest.fixture(scope="module")
def digest() -> Iterator[str]:
    """Of IMAGE in a registry, where its tag is another image's by now; and nowhere else."""
    follow = ["docker", "logs", "--follow", "redis_docker-registry"]
    with subprocess.Popen(follow, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as logs:
        assert logs.stdout is not None
        said = []
        for line in logs.stdout:
            said.append(line)
            if "listening on" in line:
                break
        else:
            pytest.fail("the registry ended: " + "".join(said[-20:]))
        logs.kill()
    docker("tag", IMAGE, REPOSITORY)
    docker("push", "--quiet", REPOSITORY)
    known = json.loads(docker("image", "inspect", REPOSITORY))[0]["RepoDigests"]
    (reference,) = (name for name in known if name.startswith(REPOSITORY))
    build = ["docker", "build", "--quiet", "--tag", REPOSITORY, "-"]
    subprocess.run(build, input=f"FROM {IMAGE}\nLABEL other=yes\n", text=True, check=True, capture_output=True)
    docker("push", "--quiet", REPOSITORY)
    docker("rmi", REPOSITORY, reference)
    yield reference.partition("@")[2]
    docker("rmi", reference)


@pytest.fixture(scope="module")
def servers(digest: str) -> dict[str, dict[str, Any]]:
    return {
        "cache": scenarios("cache", "queue"),
        "queue": scenarios("queue", "cache"),
        "broken": {"redis_cache_port": SERVERS["broken"], "redis_cache_start_timeout_seconds": 5},
        "rotated": {
            "redis_cache_port": SERVERS["rotated"],
            "redis_cache_image": f"{REPOSITORY}:latest",
            "redis_cache_image_digest": digest,
            "redis_cache_maxmemory": "auto",
            "redis_cache_maxmemory_limit_percent": LIMIT_PERCENT,
        },
        "users": users("users", APP),
        "shrunk": {"redis_cache_port": SERVERS["shrunk"], "redis_cache_maxmemory": "256mb"},
    }


def scenarios(instance: str, other: str) -> dict[str, Any]:
    """The scenario's own server, as its inventory has it."""
    return {
        "redis_cache_instance": instance,
        "redis_cache_port": SERVERS[instance],
        "redis_cache_other_connection": {"login_port": SERVERS[other]},
        "redis_cache_maxmemory_policy": {"cache": "allkeys-lfu", "queue": "noeviction"}[instance],
        "redis_cache_config_dir": str(CONFIG),
        "redis_cache_start_timeout_seconds": 300,
        "redis_cache_prove_restart": True,
    }


def secrets() -> list[str]:
    paths = [*CONFIG.glob("*.password"), *(DIRECTORY / "own").glob("*/*.password")]
    return [path.read_text().strip() for path in paths if path.stat().st_size]


@pytest.fixture(scope="module")
def made(servers: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Watch]:
    """The run that makes them. The scenario's own have a volume still, and no container; and the queue no password."""
    directory = tmp_path_factory.mktemp("made")
    with logged_in("cache") as found:
        found.set("kept", "in the volume")
    docker("rm", "--force", CACHE, QUEUE)
    (CONFIG / "queue.password").unlink()
    watch = Watch(secrets)
    watch.start()
    try:
        done = role(directory, hosts_file(directory, servers, **COMMON), "--diff", "-vvv")
    finally:
        watch.done.set()
        watch.join()
    assert done.returncode == 0, done.output
    for name in SERVERS:
        with logged_in(name) as found:
            found.set("kept", found.get("kept") or "yes")
    return done, watch


def logged_in(name: str, user: str | None = None, secret: str = "") -> redis.Redis:
    user = user or ("admin" if name == "users" else None)
    return redis.Redis(
        port=SERVERS[name],
        username=user,
        password=secret or own_password(name),
        decode_responses=True,
        socket_timeout=10,
        protocol=2,
    )


def setting(name: str, wanted: str) -> str:
    with logged_in(name) as found:
        assert found.get("kept") == ("in the volume" if name == "cache" else "yes")
        return found.config_get(wanted)[wanted]


def test_the_volume_survives_its_container(made: tuple[Run, Watch], cache: redis.Redis) -> None:
    assert made[0].recap("cache", "failed") == 0
    assert cache.get("kept") == "in the volume"
    with client(PORTS[QUEUE], password("queue")) as queue:
        assert queue.ping()


def test_no_secret_shows_while_containers_are_made(made: tuple[Run, Watch]) -> None:
    done, watch = made
    assert watch.rounds > 20
    assert watch.found == set()
    containers = [f"molecule-redis-{name}" for name in SERVERS]
    places = {
        "the output": done.output,
        "docker inspect": docker("inspect", *containers),
        "the logs": "".join(docker("logs", container) for container in containers),
        "documents": "".join(path.read_text() for path in (DIRECTORY / "state").rglob("*") if path.is_file()),
    }
    assert len(secrets()) == len(containers)
    assert [(place, secret) for place, text in places.items() for secret in secrets() if secret in text] == []


@pytest.mark.usefixtures("made")
def test_auto_is_what_the_host_bears_and_its_container_has_head_room() -> None:
    wanted_bytes = usable_bytes() * LIMIT_PERCENT // 100 // MIB * MIB
    assert wanted_bytes < 10 << 30
    assert int(setting("rotated", "maxmemory")) == wanted_bytes
    limit_bytes = inspect("molecule-redis-rotated")["HostConfig"]["Memory"]
    assert max(wanted_bytes / 0.75, wanted_bytes + 128 * MIB) <= limit_bytes < wanted_bytes / 0.75 + 129 * MIB


@pytest.mark.usefixtures("made")
def test_with_a_digest_the_image_is_that_one_whatever_its_tag_is_now(digest: str) -> None:
    found = inspect("molecule-redis-rotated")
    assert found["Config"]["Image"] == f"{REPOSITORY}@{digest}"
    assert found["Image"] == json.loads(docker("image", "inspect", IMAGE))[0]["Id"]


@pytest.mark.usefixtures("made")
def test_users_of_a_file_are_in_and_may_do_what_it_says() -> None:
    with logged_in("users", "app", "of-the-app") as app:
        assert app.set("app:1", "x") and app.get("app:1") == "x"
        for forbidden in (lambda: app.set("other", "x"), lambda: app.delete("app:1"), app.config_get):
            with pytest.raises(redis.exceptions.NoPermissionError):
                forbidden()
    with client(SERVERS["users"], None) as nobody, pytest.raises(redis.AuthenticationError):
        nobody.ping()
    with logged_in("users") as admin:
        assert admin.acl_users() == ["admin", "app", "default"]
        assert admin.acl_getuser("app")["passwords"] == [hashed("of-the-app")[1:]]
    assert healthy("molecule-redis-users")
    written = DIRECTORY / "own/users/cache/users.acl"
    assert (written.stat().st_uid, written.stat().st_mode & 0o777) == (999, 0o600)


@dataclass
class Killed:
    """A run that was killed, and what there was right after it."""

    run: Run
    started: dict[str, str]
    io_threads: str
    users: list[str]


@pytest.fixture(scope="module")
def killed(
    made: tuple[Run, Watch],
    servers: dict[str, dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Killed:
    directory = tmp_path_factory.mktemp("killed")
    servers["cache"]["redis_cache_settings"] = {"io-threads": 2}
    servers["users"] = users("users", READER)
    before = {name: started_at(f"molecule-redis-{name}") for name in SERVERS}
    hosts = {name: servers[name] for name in ("cache", "users")}
    run = role(directory, hosts_file(directory, hosts, **COMMON), killed_at=BEFORE_RESTART)
    with logged_in("users") as admin:
        return Killed(run, before, setting("cache", "io-threads"), admin.acl_users())


@pytest.fixture(scope="module")
def changed(
    killed: Killed,
    servers: dict[str, dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Run, str]:
    """The run that changes something of each, and finishes what was killed; and a password that was replaced."""
    directory = tmp_path_factory.mktemp("changed")
    servers["queue"]["redis_cache_settings"] = {"timeout": 300}
    servers["broken"]["redis_cache_settings"] = {"io-threads": 999}
    servers["digest"] = {
        "redis_cache_port": 46405,
        "redis_cache_image": REPOSITORY,
        "redis_cache_image_digest": f"sha256:{'0' * 64}",
    }
    with logged_in("shrunk") as full:
        for number in range(200):
            full.set(f"key:{number}", "x" * MIB)
    servers["shrunk"]["redis_cache_maxmemory"] = "32mb"
    old = own_password("rotated")
    (DIRECTORY / "own/rotated/cache.password").write_text("another-one\n")
    return role(directory, hosts_file(directory, servers, **COMMON), "--forks", "6"), old


def test_a_run_that_is_killed_before_its_restart_is_finished_by_the_next(
    killed: Killed, changed: tuple[Run, str]
) -> None:
    assert killed.run.killed
    assert (killed.io_threads, killed.users) == ("1", ["admin", "app", "default"])
    run = changed[0]
    assert [run.recap(name, "failed") for name in ("cache", "users")] == [0, 0], run.output
    assert setting("cache", "io-threads") == "2"
    with logged_in("users") as admin:
        assert admin.acl_users() == ["admin", "default", "reader"]
    for name in ("cache", "users"):
        assert started_at(f"molecule-redis-{name}") != killed.started[name]


@pytest.mark.usefixtures("changed")
def test_a_users_file_that_changed_is_taken() -> None:
    with logged_in("users", "reader", "of-the-reader") as reader:
        assert reader.get("app:1") == "x"
        with pytest.raises(redis.exceptions.NoPermissionError):
            reader.set("app:1", "y")
    with logged_in("users", "app", "of-the-app") as former, pytest.raises(redis.AuthenticationError):
        former.ping()


def test_what_redis_takes_live_restarts_nothing(killed: Killed, changed: tuple[Run, str]) -> None:
    assert changed[0].recap("queue", "failed") == 0
    assert started_at(QUEUE) == killed.started["queue"]
    assert setting("queue", "timeout") == "300"
    assert "timeout 300" in (CONFIG / "queue/redis.conf").read_text()


def test_what_redis_reads_at_its_start_restarts_it(changed: tuple[Run, str]) -> None:
    assert "Redis is restarted because of io-threads" in changed[0].text
    assert "Redis is restarted because of users" in changed[0].text


def test_a_value_that_keeps_it_from_starting_is_taken_back(changed: tuple[Run, str]) -> None:
    message = changed[0].message("broken")
    assert "Redis did not come back with io-threads as wanted, so the files of before were put back" in message
    assert "docker logs molecule-redis-broken" in message
    assert setting("broken", "io-threads") == "1"
    assert "io-threads" not in (DIRECTORY / "own/broken/cache/redis.conf").read_text()


def test_another_password_is_taken_and_the_old_one_is_not(changed: tuple[Run, str]) -> None:
    run, old = changed
    assert run.recap("rotated", "failed") == 0
    assert own_password("rotated") == "another-one"
    assert setting("rotated", "appendonly") == "yes"
    with logged_in("rotated", secret=old) as former, pytest.raises(redis.AuthenticationError):
        former.ping()


def test_one_that_holds_more_than_its_container_shall_have_is_made_smaller(
    killed: Killed, changed: tuple[Run, str]
) -> None:
    assert changed[0].recap("shrunk", "failed") == 0, changed[0].message("shrunk")
    assert inspect("molecule-redis-shrunk")["HostConfig"]["Memory"] < 200 * MIB
    assert started_at("molecule-redis-shrunk") == killed.started["shrunk"]
    with logged_in("shrunk") as found:
        left = found.dbsize()
        assert 0 < left < 32
        assert found.config_get("maxmemory")["maxmemory"] == str(32 * MIB)
    # A start reads what is left, and finds room for it.
    docker("restart", "molecule-redis-shrunk")
    assert healthy("molecule-redis-shrunk")
    with logged_in("shrunk") as found:
        assert found.dbsize() == left
    assert inspect("molecule-redis-shrunk")["RestartCount"] == 0


def test_with_a_digest_that_is_not_there_no_image_is_taken(changed: tuple[Run, str]) -> None:
    # Ansible's module writes the digest like a tag.
    assert re.search(f"Error pulling image {REPOSITORY}[@:]sha256:{'0' * 64}", changed[0].message("digest"))
    assert docker("ps", "--all", "--quiet", "--filter", "name=molecule-redis-digest") == ""


@pytest.mark.usefixtures("changed")
def test_the_same_once_more_changes_nothing(
    servers: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("second")
    hosts = {name: servers[name] for name in ("cache", "rotated", "users", "shrunk")}
    run = role(directory, hosts_file(directory, hosts, **COMMON))
    assert {name: (run.recap(name, "changed"), run.recap(name, "failed")) for name in hosts} == dict.fromkeys(
        hosts, (0, 0)
    ), run.output

# SPDX-License-Identifier: GPL-3.0-or-later
"""Phase 1 on Debian hosts under systemd, one and four at once, and where its time goes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "midi-capacity/debian12"
MANY, ROUNDS = 4, 3
SLOWEST = 10
READY_SECONDS = 120
# As molecule/resources/create.yml gives systemd what it needs.
HOST = [
    "--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined", "--cgroupns=host",
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw", "--tmpfs=/run", "--tmpfs=/run/lock", "--tmpfs=/tmp", "--shm-size=256m",
]  # fmt: skip
READY = (
    "systemctl is-system-running | grep -Eq 'running|degraded' && pg_isready --quiet && redis-cli ping | grep -q PONG"
)
FILL = "CREATE TABLE files AS SELECT id, 'file ' || id AS filepath FROM generate_series(1, 1000) AS id"
VARIABLES = {
    "ansible_connection": "community.docker.docker",
    "ansible_user": "deploy",
    "capacity_postgres_connection": {"login_db": "midi_library"},
    "capacity_growth_table": "files",
    "postgres_tuning_settings": {
        "max_connections": 256,
        "max_worker_processes": 40,
        "max_parallel_workers": 32,
        "max_parallel_workers_per_gather": 16,
    },
    "postgres_tuning_profile": "mixed",
    "postgres_tuning_restart": "when_pending",
    "monitoring_cron_redis_connection": {"login_host": "127.0.0.1"},
    "redis_cache_maxmemory": "64mb",
}


class Run:
    """One run of the playbook: its wall time, that of each task, and how many CPUs of the machine it kept busy.

    All hosts must have come through.
    """

    def __init__(self, hosts: list[str], directory: Path) -> None:
        inventory = {"all": {"vars": {**VARIABLES, "capacity_report_dir": str(directory / "reports")}, "children": {}}}
        for group in ("postgres", "redis"):
            inventory["all"]["children"][group] = {"hosts": dict.fromkeys(hosts, {})}
        (directory / "inventory.yml").write_text(json.dumps(inventory))
        begun, busy = time.monotonic(), _busy_seconds()
        done = subprocess.run(
            [
                Path(sys.executable).parent / "ansible-playbook",
                "playbooks/phase1.yml",
                "-i",
                directory / "inventory.yml",
            ],
            env={**os.environ, "ANSIBLE_CONFIG": "ansible.cfg", "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        self.seconds = time.monotonic() - begun
        self.cpus_busy = (_busy_seconds() - busy) / self.seconds
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)
        document = json.loads(done.stdout)
        self.changed = sum(document["stats"][host]["changed"] for host in hosts)
        self.tasks: list[tuple[str, float]] = [_timed(task) for play in document["plays"] for task in play["tasks"]]


def run() -> str:
    """Wall time of playbooks/phase1.yml, first and second run, for one host and for four at once."""
    subprocess.run([ROOT / "molecule/images/build"], check=True, stdout=subprocess.DEVNULL)
    taken: dict[int, tuple[Run, list[Run]]] = {}
    for number in (1, MANY):
        with tempfile.TemporaryDirectory() as directory, _hosts(number) as hosts:
            first = Run(hosts, Path(directory))
            again = [Run(hosts, Path(directory)) for _round in range(ROUNDS)]
        changed = [done.changed for done in again]
        if first.changed == 0 or any(changed):
            raise RuntimeError(f"{number} hosts: the first run changed {first.changed}, and those after it {changed}")
        taken[number] = first, again
    lines = [f"{'':<14}{'one host':>10}{f'{MANY} hosts':>10}{'ratio':>8}"]
    for title, part in (
        ("first run", [taken[number][0].seconds for number in (1, MANY)]),
        ("second run", [median(done.seconds for done in taken[number][1]) for number in (1, MANY)]),
    ):
        lines.append(f"{title:<14}{part[0]:>8.1f} s{part[1]:>8.1f} s{part[1] / part[0]:>7.2f}x")
    busy = [median(done.cpus_busy for done in taken[number][1]) for number in (1, MANY)]
    lines.append(f"{'CPUs busy':<14}{busy[0]:>10.1f}{busy[1]:>10.1f}  of {os.cpu_count()}, in a second run")
    lines.append(f"{IMAGE} under systemd, over the connection docker; second run: median of {ROUNDS}")
    usual = sorted(taken[1][1], key=lambda done: done.seconds)[ROUNDS // 2]
    return "\n".join([*lines, "", *_where(usual)])


def _where(done: Run) -> list[str]:
    """The roles and the slowest tasks of one run."""
    total = sum(seconds for _name, seconds in done.tasks)
    roles: dict[str, list[float]] = {}
    for name, seconds in done.tasks:
        roles.setdefault(name.split(" : ")[0] if " : " in name else "playbook", []).append(seconds)
    lines = [
        f"where the {done.seconds:.1f} s of a second run on one host go: {len(done.tasks)} tasks take {total:.1f} s"
    ]
    lines += [f"  {sum(taken):>5.1f} s  {len(taken):>3} tasks  {role}" for role, taken in roles.items()]
    lines += ["the slowest"]
    slowest = sorted(done.tasks, key=lambda task: -task[1])[:SLOWEST]
    return [*lines, *(f"  {seconds:>5.2f} s  {name}" for name, seconds in slowest)]


def _busy_seconds() -> float:
    """CPU time of the whole machine since it was started: the containers are processes of it."""
    user, nice, system, _idle, _iowait, irq, softirq, *_rest = map(int, Path("/proc/stat").read_text().split()[1:11])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _timed(task: dict[str, Any]) -> tuple[str, float]:
    start, end = (datetime.fromisoformat(task["task"]["duration"][key]) for key in ("start", "end"))
    return task["task"]["name"].removeprefix("midi.capacity."), (end - start).total_seconds()


@contextlib.contextmanager
def _hosts(number: int) -> Iterator[list[str]]:
    """Fresh hosts that are up, each with a database that grows."""
    names = [f"midi-capacity-bench-{os.getpid()}-{index}" for index in range(number)]
    try:
        for name in names:
            _docker("run", "--detach", "--name", name, "--hostname", name, *HOST, IMAGE)
        for name in names:
            _until_ready(name)
            _docker("exec", "--user=postgres", name, "createdb", "midi_library")
            _docker("exec", "--user=postgres", name, "psql", "--quiet", "midi_library", "--command", FILL)
        yield names
    finally:
        _docker("rm", "--force", "--volumes", *names)


def _until_ready(name: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while subprocess.run(["docker", "exec", name, "sh", "-c", READY], capture_output=True, check=False).returncode != 0:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} is not up after {READY_SECONDS} s")
        time.sleep(0.2)


def _docker(*arguments: str) -> None:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"docker {arguments[0]}: {done.stderr.strip()}")

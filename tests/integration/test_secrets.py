# SPDX-License-Identifier: GPL-3.0-or-later
"""No password is to be seen of a run of phase 1: in processes, crontabs, logs, the facts' cache, reports, or diffs."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._monitor import scram

from demo.processes import until
from demo.servers import EmbeddedPostgres, EmbeddedRedis
from tests.integration.conftest import query
from tests.integration.playbook_runs import Phase1
from tests.integration.secret_hunt import CRONTABS, ProcessHunt, files_with

LONGEST_SECONDS = 30


@pytest.fixture
def postgres_secret() -> str:
    return f"pg{secrets.token_hex(16)}"


@pytest.fixture
def redis_secret() -> str:
    return f"re{secrets.token_hex(16)}"


@pytest.fixture
def phase1(tmp_path: Path, postgres_secret: str, redis_secret: str) -> Iterator[Phase1]:
    """Phase 1 for servers that want passwords; PostgreSQL logs every statement."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    postgres = EmbeddedPostgres(tmp_path / "pg", {"log_statement": "'all'"}, port=port)
    redis = EmbeddedRedis(tmp_path / "redis", {"requirepass": redis_secret})
    try:
        for server in (postgres, redis):
            server.create()
            server.start()
        given = scram.verifier(postgres_secret, secrets.token_bytes(scram.SALT_BYTES))
        query(postgres, f"ALTER ROLE postgres PASSWORD '{given}'", port=str(port))
        (postgres.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        subprocess.run(
            [*postgres.pg_ctl, "reload", "--pgdata", str(postgres.data)], cwd="/", check=True, stdout=subprocess.DEVNULL
        )
        found = Phase1(tmp_path, postgres, redis)
        found.variables["capacity_postgres_connection"] = {
            "login_host": "127.0.0.1",
            "login_port": port,
            "login_user": "postgres",
            "login_password": postgres_secret,
        }
        cache = {"login_unix_socket": str(redis.socket), "login_password": redis_secret}
        found.variables["capacity_redis_connection"] = cache
        found.variables["monitoring_cron_redis_connection"] = cache
        found.variables["postgres_tuning_restart"] = "when_pending"
        yield found
    finally:
        redis.stop()
        postgres.stop()


def test_the_hunt_finds_what_a_process_shows() -> None:
    for place in ("argv", "environ"):
        secret = secrets.token_hex(16)
        command = [sys.executable, "-c", "import sys; sys.stdin.read()", *([secret] if place == "argv" else [])]
        environment = {**os.environ, **({"PGPASSWORD": secret} if place == "environ" else {})}
        with ProcessHunt() as hunt, subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as planted:
            seen = any(hunt.shown(secret) for _attempt in until(LONGEST_SECONDS))
            planted.communicate()
        assert seen, place


def test_the_hunt_finds_what_a_file_has(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("log", "deep/facts", "own"):
        (tmp_path / name).write_text("password=correct-horse\n")
    found = files_with("correct-horse", [tmp_path], but=[tmp_path / "own"])
    assert found == [str(tmp_path / name) for name in ("deep/facts", "log")]


def test_no_password_is_to_be_seen(phase1: Phase1, postgres_secret: str, redis_secret: str) -> None:
    directory = phase1.directory
    places = {
        "ANSIBLE_HOME": directory / "home",
        "TMPDIR": directory / "tmp",
        "ANSIBLE_REMOTE_TMP": directory / "remote",
    }
    for path in places.values():
        path.mkdir()
    # Settings can hold passwords, too: one by its name, one because of what stands in it.
    conninfo_secret, command_secret = (secrets.token_hex(16) for _setting in range(2))
    phase1.variables["postgres_tuning_settings"] = {
        **phase1.variables["postgres_tuning_settings"],
        "primary_conninfo": f"host=nowhere password={conninfo_secret}",
        "archive_command": f"PGPASSWORD={command_secret} psql -c 'SELECT 1'",
    }
    log, cache = directory / "ansible.log", directory / "facts"
    environment = {
        **{name: str(path) for name, path in places.items()},
        "ANSIBLE_LOG_PATH": str(log),
        "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(cache),
    }
    with ProcessHunt() as hunt:
        checked = phase1.run("--check", "--diff", "-vvv", environment=environment)
        done = phase1.run("--diff", "-vvv", environment=environment)
    assert (checked.returncode, done.returncode) == (0, 0), done.output
    # It is the run that is meant: everything was done, with passwords, and logged.
    assert "login as midi_monitor with a password" in done.text
    assert "Nothing is left to do." in done.text
    assert "Sum up" in log.read_text()
    assert "ALTER SYSTEM SET" in phase1.postgres.log.read_text()

    pgpass, agent = phase1.state / "conf" / "pgpass", phase1.state / "conf" / "agent.json"
    assert agent.stat().st_mode & 0o777 == 0o600
    made_up = pgpass.read_text().strip().rsplit(":", 1)[1]
    # Where a secret is at home: what the operator wrote, the servers' own files, and the agent's.
    stored = phase1.postgres.data / "postgresql.auto.conf"
    settings_at = [directory / "inventory.yml", stored, phase1.postgres.log]
    homes = {
        conninfo_secret: settings_at,
        command_secret: settings_at,
        postgres_secret: [directory / "inventory.yml"],
        # The agent's configuration is for its account alone.
        redis_secret: [directory / "inventory.yml", directory / "redis" / "redis.conf", agent],
        made_up: [pgpass],
    }
    for secret, home in homes.items():
        assert all(secret in path.read_text() for path in home)
        assert hunt.shown(secret) == []
        assert secret not in checked.output + done.output
        assert files_with(secret, [directory, *CRONTABS], but=home) == []

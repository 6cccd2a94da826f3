# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as it is built and installed, far from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from demo.servers import EmbeddedPostgres, EmbeddedRedis
from tests.integration.playbook_runs import Phase1

ROOT = Path(__file__).resolve().parents[2]


def galaxy(*arguments: str, **environment: str) -> None:
    command = [str(Path(sys.executable).parent / "ansible-galaxy"), "collection", *arguments]
    settings = {**os.environ, **environment}
    # Not in the checkout, whose ansible.cfg says that the collection is installed already.
    done = subprocess.run(command, cwd="/", env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing to do" not in done.stdout


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `ansible-galaxy collection build` makes of a copy of the checkout."""
    directory = tmp_path_factory.mktemp("artifact")
    subprocess.run([str(ROOT / "tests" / "copy-collection"), str(directory)], check=True, capture_output=True)
    galaxy("build", str(directory / "ansible_collections" / "midi" / "capacity"), "--output-path", str(directory))
    (built,) = directory.glob("midi-capacity-*.tar.gz")
    return built


def test_it_holds_the_product_and_nothing_of_the_workshop(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        top = {name.split("/")[0] for name in archive.getnames()}
    assert {"README.md", "COPYING", "CHANGELOG.rst", "docs", "meta", "playbooks", "plugins", "roles"} <= top
    assert not top & {"demo", "molecule", "tests", "Makefile", ".venv", ".demo", ".ci", ".collections"}


def test_phase1_of_the_installed_collection(
    artifact: Path, tmp_path: Path, postgres: EmbeddedPostgres, redis_server: EmbeddedRedis
) -> None:
    (tmp_path / "ansible.cfg").touch()
    elsewhere = {
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"),
    }
    galaxy("install", str(artifact), "--collections-path", str(tmp_path / "collections"), "--no-deps", **elsewhere)
    phase1 = Phase1(tmp_path, postgres, redis_server)
    phase1.variables["postgres_tuning_restart"] = "when_pending"
    run = phase1.run("-v", playbook="midi.capacity.phase1", environment=elsewhere)
    assert run.returncode == 0, run.output
    assert str(tmp_path / "collections") in run.output
    assert (phase1.reports / "db" / "baseline-phase1.md").exists()
    again = phase1.run(playbook="midi.capacity.phase1", environment=elsewhere)
    assert (again.changed("db"), again.changed("cache")) == (0, 0)

# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/stress_test.yml against an embedded server: the built-in import, one's own, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import query
from tests.integration.stress_runs import FILES, Operator, load_library

LIBRARY = "midi_library"


@pytest.fixture
def operator(tmp_path: Path, postgres: EmbeddedPostgres) -> Operator:
    load_library(postgres)
    return Operator(tmp_path, postgres, LIBRARY)


def count(server: EmbeddedPostgres, table: str) -> int:
    return query(server, f"SELECT count(*) FROM {table}", dbname=LIBRARY)[0][0]


def test_the_built_in_import(postgres: EmbeddedPostgres, operator: Operator) -> None:
    before = {table: count(postgres, table) for table in ("files", "file_tags", "musical_metadata")}
    run = operator.succeeds(capacity_baseline_stress_files=600, capacity_baseline_stress_workers=3)
    print(run.output)
    print(operator.report())
    found = operator.document()
    assert found["rate"]["files"] == 600

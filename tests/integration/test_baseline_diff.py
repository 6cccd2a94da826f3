# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/baseline_diff.yml, as an operator runs it on baselines that were stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import query
from tests.integration.playbook_runs import ROOT, Phase1, Run
from tests.unit.baseline_example import CACHE, baseline, begun

PLAYBOOK = str(ROOT / "playbooks" / "baseline_diff.yml")


class Operator(Phase1):
    """Runs the playbook over baselines that are in the places where phase 1 stores them."""

    def store(self, directory: Path, name: str, **parts: Any) -> None:
        document = {**baseline(**parts), "label": name.removeprefix("baseline-"), "begin": begun(), "cache": CACHE}
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}.json").write_text(json.dumps({**document, "cache_reason": None}))

    def diff(self, *arguments: str, **extra: Any) -> Run:
        return self.run(*arguments, playbook=PLAYBOOK, **extra)

    def reported(self, name: str, ending: str = "json") -> str:
        return (self.reports / "db" / f"{name}.{ending}").read_text()


class NoServer:
    """What the playbook never asks for."""

    socket = Path("/nowhere")
    log = Path("/nowhere/log")
    pg_ctl: tuple[str, ...] = ()


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Baselines one and two on the host, three on the controller, and one of another host there."""
    made = Operator(tmp_path, NoServer())  # type: ignore[arg-type]
    busy = {"host": json.loads(json.dumps(baseline()["snapshot"]["host"]))}
    busy["host"]["cpu"]["busy_percent"] = 99.0
    made.store(made.state / "baselines", "one")
    made.store(made.state / "baselines", "two", **busy)
    made.store(made.reports / "db", "baseline-three")
    made.store(made.reports / "db2", "baseline-one", **busy)
    return made


def files(operator: Operator) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in operator.directory.rglob("*") if path.is_file()}


def test_check_run_and_second_run(operator: Operator) -> None:
    operator.diff("--version")
    before = files(operator)
    checked = operator.diff("--check", "-e", "before=one", "-e", "after=two")
    assert checked.returncode == 0, checked.output
    assert "CPU busy" in checked.output
    # The inventory is the test's own.
    assert files(operator) == before

    first = operator.diff("-e", "before=one", "-e", "after=two")
    assert first.returncode == 0, first.output
    assert "## What got worse" in first.output and "What got better" not in first.output
    assert "| CPU busy | 12 % | 99 % | +86.7 points | measured over a second or so |" in first.text
    assert str(operator.reports / "db" / "diff-one-two.md, .html and .json") in first.text
    found = json.loads(operator.reported("diff-one-two"))
    assert [entry["name"] for entry in found["changes"] if entry["verdict"] == "worse"] == ["cpu_busy"]
    assert operator.reported("diff-one-two", "md").startswith("# Baselines `one` and `two`")
    assert "<title>Baselines one and two</title>" in operator.reported("diff-one-two", "html")

    after = files(operator)
    second = operator.diff("-e", "before=one", "-e", "after=two")
    assert (second.returncode, second.changed("db")) == (0, 0)
    assert files(operator) == after


def test_one_of_the_controller_and_one_of_another_host(operator: Operator) -> None:
    done = operator.diff("-e", "before=three", "-e", "after=db2/one")
    assert done.returncode == 0, done.output
    found = json.loads(operator.reported("diff-three-db2-one"))
    assert (found["before"]["label"], found["after"]["label"]) == ("three", "one")
    assert [entry["name"] for entry in found["changes"] if entry["verdict"] == "worse"] == ["cpu_busy"]


def test_a_host_that_is_away_leaves_what_the_controller_has(operator: Operator) -> None:
    operator.store(operator.reports / "db", "baseline-one")
    operator.hosts["db"] = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    done = operator.diff("-e", "before=one", "-e", "after=three")
    assert "0 worse, 0 better" in done.text
    assert json.loads(operator.reported("diff-one-three"))["changes"]


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        ({"before": "one", "after": "tow"}, "There is no baseline tow, neither in"),
        ({"before": "none", "after": "two"}, "before has to be one of one, two, db2/one, three."),
        ({"before": "one"}, "after must be the label of a baseline, or HOST/LABEL for one of another host in the"),
        ({"before": "one", "after": "../two"}, "There is no baseline ../two"),
        ({"before": "a/b/c", "after": "two"}, 'and not "a/b/c"'),
    ],
    ids=["mistyped", "listed", "left out", "upwards", "path"],
)
def test_a_label_that_is_none_is_told(operator: Operator, labels: dict[str, str], complaint: str) -> None:
    before = files(operator)
    done = operator.diff(**labels)
    assert done.returncode == 2
    assert complaint in done.text
    assert "To mend it: " in done.text
    assert {path: text for path, text in files(operator).items() if "inventory" not in path} == {
        path: text for path, text in before.items() if "inventory" not in path
    }


def test_without_any_baseline_it_says_how_to_take_one(tmp_path: Path) -> None:
    operator = Operator(tmp_path, NoServer())  # type: ignore[arg-type]
    done = operator.diff("-e", "before=one", "-e", "after=two")
    assert done.returncode == 2
    assert "take one first with playbooks/phase1.yml --tags capacity_baseline, because there is none yet" in done.text


def test_a_damaged_one_is_named(operator: Operator) -> None:
    path = operator.state / "baselines" / "two.json"
    path.write_text("{")
    done = operator.diff("-e", "before=one", "-e", "after=two")
    assert done.returncode == 2
    assert f"The stored baseline {path} cannot be used: it is damaged" in done.text
    assert "name another one as after" in done.text


def test_two_that_phase_1_took(tmp_path: Path, postgres: EmbeddedPostgres) -> None:
    operator = Operator(tmp_path, postgres)
    role = ("--tags", "capacity_baseline")
    operator.succeeds(*role)
    query(postgres, "CREATE TABLE grown AS SELECT generate_series(1, 100000) AS number")
    # A number is a label, too.
    operator.succeeds(*role, "-e", "capacity_baseline_label=2026")
    done = operator.diff("-e", "before=phase1", "-e", "after=2026")
    assert done.returncode == 0, done.output
    found = json.loads(operator.reported("diff-phase1-2026"))
    (grown,) = found["sizes"]
    assert (grown["name"], grown["before_bytes"]) == ("public.grown", None)
    assert grown["after_bytes"] > 3 * 2**20
    assert next(entry for entry in found["changes"] if entry["name"] == "tables")["change"] == 1
    assert found["between"]["database"]["xact_commit"] > 0

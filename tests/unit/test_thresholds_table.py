# SPDX-License-Identifier: GPL-3.0-or-later
"""_thresholds: the catalog, the defaults, and the user's table over them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._thresholds import table
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import AREAS, BY_NAME, METRICS
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.defaults import DEFAULTS
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.units import UNITS, base_text
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.collection import ROOT
from tests.unit.thresholds_example import threshold

CPU = "cpu_busy_percent"

# The figures of the checklist, once and for all: warn, critical.
PROMISED = {
    "connections_used_percent": (80, 94),
    "statement_mean_ms": (200, 500),
    "statement_p95_ms": (200, 500),
    CPU: (80, 85),
    "disk_used_percent": (50, 80),
    "cache_hit_ratio_percent": (80, None),
    "cache_evictions_percent": (1, None),
    "redis_memory_percent": (90, None),
    "snapshot_age_intervals": (None, 2),
    "postgres_down": (None, 0),
    "redis_down": (None, 0),
}
NAMES_IN_PROMETHEUS = {
    "postgres_down": "midi_capacity_postgres_down",
    "connections_used_percent": "midi_capacity_connections_used_ratio",
    "buffer_hit_ratio_percent": "midi_capacity_buffer_hit_ratio",
    "statement_mean_ms": "midi_capacity_statement_mean_seconds",
    "oldest_transaction_seconds": "midi_capacity_oldest_transaction_seconds",
    "slot_retained_bytes": "midi_capacity_slot_retained_bytes",
    "invalid_indexes": "midi_capacity_invalid_indexes",
}


def problems(*entries: Any) -> list[str]:
    return table.read(list(entries))[1]


def test_every_metric_has_one_default_that_is_right() -> None:
    assert [entry["metric"] for entry in DEFAULTS] == list(BY_NAME)
    found, wrong = table.read(DEFAULTS)
    assert wrong == []
    assert found == table.read()[0] == table.read(None)[0]
    assert [one.metric for one in found] == list(METRICS) and all(one.enabled for one in found)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_declared_whole(metric: Any) -> None:
    assert metric.name.endswith(metric.unit.suffix)
    # A name with another unit's ending would lie.
    assert not any(metric.name.endswith(unit.suffix) for unit in UNITS.values() if unit.suffix != metric.unit.suffix
                   and unit.suffix)  # fmt: skip
    assert metric.area in AREAS
    assert metric.needs is None or BY_NAME[metric.needs].unit_name == "flag"
    for text in (metric.title, metric.meaning, metric.remedy):
        assert text and not text.endswith(".") and "\n" not in text
    assert metric.remedy[0].islower(), "it follows `What to do:`"


def test_names_in_prometheus() -> None:
    assert {name: BY_NAME[name].prometheus for name in NAMES_IN_PROMETHEUS} == NAMES_IN_PROMETHEUS
    assert len({metric.prometheus for metric in METRICS}) == len(METRICS)
    assert BY_NAME[CPU].alert_name == "MidiCapacityCpuBusyPercent"


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [("percent", 94, "0.94"), ("percent", 100, "1"), ("ms", 200, "0.2"), ("bytes", 1024**3, "1073741824"),
     ("percent", 0.2, "0.002"), ("count", 0, "0"), ("seconds", 1.5, "1.5"), ("bytes", 1e22, "1e+22")],
)  # fmt: skip
def test_base_units(unit: str, value: float, text: str) -> None:
    assert base_text(UNITS[unit], value) == text
    assert float(text) == value / UNITS[unit].per_base


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [("percent", 91.0, "91 %"), ("percent", 0.25, "0.25 %"), ("ms", 512.5, "512 ms"), ("ms", 2500, "2.5 s"),
     ("seconds", 7500, "2 h 5 min"), ("bytes", 1024**3, "1 GiB"), ("count", 3.0, "3"), ("count", 2.5, "2.5"),
     ("flag", 1, "down"), ("flag", 0.0, "up")],
)  # fmt: skip
def test_values_for_people(unit: str, value: float, text: str) -> None:
    assert UNITS[unit].shown(value) == text


@pytest.mark.parametrize("name", PROMISED)
def test_the_figures_that_were_promised(name: str) -> None:
    found = threshold(name)
    assert (found.warn, found.critical) == PROMISED[name]


def test_sustained_takes_several_samples_and_windows_may_be_missing_once() -> None:
    assert threshold(CPU).samples == 3 and threshold(CPU).unknown_samples == 1
    assert threshold("statement_mean_ms").unknown_samples == 2


def test_an_entry_changes_only_what_it_says() -> None:
    before, after = threshold(CPU), threshold(CPU, warn=70)
    assert after == before._replace(warn=70.0)
    everything = threshold(
        CPU, warn=10, critical=5, direction="below", samples=2, unknown_for=4, hysteresis=1, unit="percent",
        remedy=" go\n away ", name="Idle", enabled=False,
    )  # fmt: skip
    assert everything == before._replace(
        warn=10.0, critical=5.0, direction="below", samples=2, unknown_samples=4, hysteresis=1.0, remedy="go away",
        title="Idle", enabled=False,
    )  # fmt: skip
    assert [one.metric.name for one in table.enabled([before, everything])] == [CPU]


def test_null_takes_a_limit_away_and_numbers_may_be_texts() -> None:
    found = threshold(CPU, critical=None, warn="82.5", samples="4", enabled="yes")
    assert (found.critical, found.warn, found.samples, found.enabled) == (None, 82.5, 4, True)
    assert threshold(CPU, warn=None, critical=None, enabled="off").enabled is False


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"metric": "cpu_busy"}, "entry 1: there is no metric cpu_busy: did you mean cpu_busy_percent?"),
        ({"metric": "conections_used_percent"}, "did you mean connections_used_percent"),
        ({"metric": "lag"}, "did you mean replication_lag_seconds or replication_lag_bytes?"),
        ({"metric": "zzz"}, "there is no metric zzz: there are postgres_down, "),
        ({"metric": ["x"]}, "there is no metric ['x']"),
        ({"warn": 3}, "entry 1: it has no metric: name one of postgres_down, "),
        ("cpu", "entry 1: it is no mapping"),
        ({"metric": CPU, "critcal": 90}, f"entry 1 ({CPU}): there is no field critcal: did you mean critical?"),
        ({"metric": CPU, 3: 90}, "there is no field 3"),
        ({"metric": CPU, "warn": 90}, "warn (90) does not come before critical (85), though above is worse"),
        ({"metric": CPU, "warn": 85}, "warn (85) does not come before critical (85)"),
        ({"metric": "cache_hit_ratio_percent", "critical": 90}, "though below is worse"),
        ({"metric": CPU, "direction": "below"}, "warn (80) does not come before critical (85), though below is worse"),
        ({"metric": CPU, "direction": "up"}, "direction is 'up': write \"above\" or \"below\""),
        ({"metric": CPU, "warn": math.nan}, "warn is not finite"),
        ({"metric": CPU, "warn": 10**400}, "warn is not finite"),
        ({"metric": CPU, "warn": True}, "warn is True, which is no number"),
        ({"metric": CPU, "warn": "80 %"}, "warn is '80 %', which is no number: write one without its unit"),
        ({"metric": CPU, "warn": [80]}, "warn is [80], which is no number"),
        ({"metric": CPU, "critical": "nan"}, "critical is 'nan', which is no number"),
        ({"metric": CPU, "hysteresis": -1}, "hysteresis is -1: write 0 or more"),
        ({"metric": CPU, "hysteresis": None}, "hysteresis is None, which is no number"),
        ({"metric": CPU, "warn": 4}, "hysteresis is 5 by default, so it would have to go back to -1 from warn (4)"),
        ({"metric": CPU, "hysteresis": 81}, "hysteresis is 81, so it would have to go back to -1 from warn (80)"),
        ({"metric": "cache_hit_ratio_percent", "hysteresis": 20.5}, "go back to 100.5 from warn (80), which no value"),
        ({"metric": "postgres_down", "hysteresis": 0.5}, "go back to -0.5 from critical (0)"),
        ({"metric": CPU, "for": 0}, "for is 0: write a whole number of samples from 1 to 1000"),
        ({"metric": CPU, "for": 1.5}, "for is 1.5"),
        ({"metric": CPU, "for": True}, "for is True"),
        ({"metric": CPU, "for": 1001}, "for is 1001"),
        ({"metric": CPU, "unknown_for": 0}, "unknown_for is 0"),
        ({"metric": CPU, "unit": "ms"}, "unit is 'ms', but cpu_busy_percent is in percent: convert the limits"),
        ({"metric": CPU, "warn": None, "critical": None}, "it has neither warn nor critical"),
        ({"metric": CPU, "critical": 100}, "critical is 100, and no value is above 100: write less"),
        ({"metric": CPU, "warn": -1}, "warn is -1, and every value is above that"),
        ({"metric": "cache_hit_ratio_percent", "warn": 0}, "warn is 0, and no value is below 0: write more"),
        ({"metric": "cache_hit_ratio_percent", "warn": 101, "hysteresis": 0}, "every value is below that: write 100"),
        ({"metric": CPU, "remedy": " "}, "remedy is ' ': write a text"),
        ({"metric": CPU, "remedy": "x" * 501}, "remedy has 501 characters: write 500 at most"),
        ({"metric": CPU, "name": 3}, "name is 3: write a text"),
        ({"metric": CPU, "enabled": "maybe"}, "enabled is 'maybe': write true or false"),
        ({"metric": CPU, "enabled": 1}, "enabled is 1: write true or false"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(entry: Any, told: str) -> None:
    found, wrong = table.read([entry])
    assert len(wrong) == 1 and told in wrong[0], wrong
    # Whoever goes on has the defaults.
    assert found == table.read()[0]


@pytest.mark.parametrize(
    "entry",
    [
        # Superusers have connections that others may not, and one command may evict many keys.
        {"metric": "connections_used_percent", "critical": 100},
        {"metric": "cache_evictions_percent", "critical": 100},
        {"metric": "cache_hit_ratio_percent", "warn": 100, "hysteresis": 0},
        {"metric": CPU, "hysteresis": 80},
        {"metric": "cache_hit_ratio_percent", "hysteresis": 20},
        {"metric": CPU, "warn": 0, "hysteresis": 0},
        {"metric": CPU, "for": 1000},
    ],
)
def test_what_is_just_right(entry: Any) -> None:
    assert problems(entry) == []


def test_all_problems_come_at_once() -> None:
    wrong = problems(
        {"metric": CPU, "warn": "x", "for": 0, "oops": 1}, 3, {"metric": "nix"}, {"metric": CPU, "warn": 70}
    )
    begun = [text.split(":", maxsplit=1)[0] for text in wrong]
    assert begun == [f"entry 1 ({CPU})"] * 3 + ["entry 2", "entry 3", "entry 4"]
    assert wrong[-1] == f"entry 4: {CPU} stands in entry 1 already: write both as one"


@pytest.mark.parametrize("entries", ["cpu", {"metric": CPU}, 3])
def test_what_is_no_list(entries: Any) -> None:
    found, wrong = table.read(entries)
    assert wrong == ["the thresholds are no list: write a list of mappings, each with a metric"]
    assert found == table.read()[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=5,
)
ENTRY = st.fixed_dictionaries(
    {}, optional={name: JSON | st.sampled_from([*BY_NAME]) for name in ("metric", *table.FIELDS)}
)


@given(st.lists(ENTRY | JSON, max_size=4) | JSON)
def test_nothing_breaks_it_and_what_it_gives_is_sound(entries: Any) -> None:
    found, wrong = table.read(entries)
    assert [one.metric for one in found] == list(METRICS)
    for one in found:
        assert one.samples >= 1 and one.hysteresis >= 0
        assert one.warn is not None or one.critical is not None or not one.enabled
    json.dumps([one._replace(metric=None) for one in found], allow_nan=False)
    assert all(isinstance(text, str) and text for text in wrong)


def test_the_guide_has_the_defaults() -> None:
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:g}" if value < 1e6 else str(int(value))

    rows = [line for line in (ROOT / "docs" / "agent.md").read_text().splitlines() if line.startswith("| `")]
    assert [row for row in rows if "capacity-agent" not in row] == [
        f"| `{found.metric.name}` | {found.metric.meaning} | {number(found.warn)} | {number(found.critical)}"
        f" | {found.samples} | {number(found.hysteresis)} |"
        for found in table.read([])[0]
    ]

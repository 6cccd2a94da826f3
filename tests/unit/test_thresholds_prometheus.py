# SPDX-License-Identifier: GPL-3.0-or-later
"""_thresholds: what Prometheus and Grafana get. promtool has its say in the integration tests."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
import yaml
from ansible_collections.midi.capacity.plugins.module_utils._thresholds import grafana, prometheus_rules, textfile
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import METRICS
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.exposition import escaped
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Reading, Threshold
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.thresholds_example import DEFAULTS, every_reading, only, threshold

AT = "2026-11-24T00:10:00.250Z"
EXPORTED = [metric for metric in METRICS if metric.exported]


def written(readings: Any, thresholds: Any = DEFAULTS, database: str = "midi_library") -> str:
    return textfile.text(thresholds, readings, AT, database)


SAMPLE = re.compile(r'([a-z0-9_:]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def unescaped(text: str) -> str:
    back = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
    return re.sub(r"\\.", lambda found: back[found[0]], text)


def parsed(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """By name the labels and values, of a file that keeps to the format."""
    assert text.endswith("\n")
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    head: list[str] = []
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            head = [line.split(" ")[2]]
            assert head[0] not in found, "the lines of a metric stand together"
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {head[0]} gauge"
            found[head[0]] = []
        else:
            match = SAMPLE.fullmatch(line)
            assert match and match[1] == head[0], line
            labels = {name: unescaped(value) for name, value in LABEL.findall(match[2])}
            assert labels not in [other for other, _value in found[head[0]]]
            found[head[0]].append((labels, float(match[3])))
    return found


def test_readings_in_base_units() -> None:
    readings = {
        **every_reading(),
        "statement_mean_ms": [Reading(250)],
        "disk_used_percent": [Reading(94, "/"), Reading(1, "/b")],
    }
    found = parsed(written(readings))
    here = {"database": "midi_library"}
    assert found["midi_capacity_last_snapshot_timestamp_seconds"] == [(here, 1795479000.25)]
    assert found["midi_capacity_statement_mean_seconds"] == [(here, 0.25)]
    assert found["midi_capacity_disk_used_ratio"] == [
        ({**here, "mountpoint": "/"}, 0.94),
        ({**here, "mountpoint": "/b"}, 0.01),
    ]
    assert set(found) == {metric.prometheus for metric in EXPORTED} | {
        "midi_capacity_last_snapshot_timestamp_seconds",
        "midi_capacity_reading_missing",
    }
    assert {labels["metric"] for labels, _value in found["midi_capacity_reading_missing"]} == {
        one.name for one in EXPORTED
    }
    assert {value for _labels, value in found["midi_capacity_reading_missing"]} == {0.0}


def missing(readings: Any, thresholds: Any = DEFAULTS) -> set[str]:
    found = parsed(written(readings, thresholds))["midi_capacity_reading_missing"]
    return {labels["metric"] for labels, value in found if value}


def test_what_is_missing_is_left_out_and_said() -> None:
    disks = [Reading(50, "/"), Reading(None, "/b"), Reading(math.nan, "/c")]
    readings = {**every_reading(), "disk_used_percent": disks, "xid_age_percent": [Reading(None)]}
    readings["invalid_indexes"] = []
    text = written(readings)
    assert "nan" not in text.lower() and "midi_capacity_xid_age_ratio" not in text and '"/b"' not in text
    assert missing(readings) == {"disk_used_percent", "xid_age_percent", "invalid_indexes"}


def test_what_does_not_apply_or_waits_or_is_off_is_not_missing() -> None:
    off = [one._replace(enabled=one.metric.name != "xid_age_percent") for one in DEFAULTS]
    readings = {**every_reading(), "redis_down": [Reading(1)], "redis_memory_percent": [Reading(None)]}
    readings["xid_age_percent"] = [Reading(None)]
    readings["replication_lag_bytes"] = [Reading(None, applicable=False)]
    assert missing(readings, off) == set()
    assert missing({**readings, "redis_down": [Reading(0)]}, off) == {"redis_memory_percent"}


def test_a_name_that_is_no_utf_8_can_be_written() -> None:
    written({**every_reading(), "disk_used_percent": [Reading(50, "/\udc80")]}).encode()


@given(st.text(), st.text())
def test_any_name_keeps_to_the_format(database: str, mountpoint: str) -> None:
    readings = {**every_reading(), "disk_used_percent": [Reading(50, mountpoint)]}
    found = parsed(written(readings, database=database))
    assert found["midi_capacity_disk_used_ratio"] == [({"database": database, "mountpoint": mountpoint}, 0.5)]


def rules(*thresholds: Threshold, interval: int = 3600, expected: Any = ()) -> list[dict[str, Any]]:
    document = prometheus_rules.document(only(*thresholds) if thresholds else DEFAULTS, interval, expected)
    # It may be written as JSON, and read as YAML.
    assert yaml.safe_load(json.dumps(document)) == document
    (group,) = document["groups"]
    return group["rules"]


def test_a_rule_for_each_limit() -> None:
    found = rules()
    limits = sum((one.warn is not None) + (one.critical is not None) for one in DEFAULTS)
    names = [rule["alert"] for rule in found]
    assert names.count("MidiCapacityReadingMissing") == 2 and names.count("MidiCapacitySnapshotAbsent") == 1
    assert len(found) == limits + 3
    # promtool takes two of one name and labels for a mistake.
    assert len({(rule["alert"], *rule["labels"].items()) for rule in found}) == len(found)
    for rule in found:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert set(rule["annotations"]) == {"summary", "description", "remedy"}
        assert re.fullmatch(r"\d+[hms]", rule["for"])
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_limits_in_base_units_and_the_direction() -> None:
    assert [rule["expr"] for rule in rules(threshold("invalid_indexes"))][0] == "midi_capacity_invalid_indexes > 0"
    mean = rules(threshold("statement_mean_ms", hysteresis=0))
    assert [rule["expr"] for rule in mean[:2]] == [
        "midi_capacity_statement_mean_seconds > 0.2",
        "midi_capacity_statement_mean_seconds > 0.5",
    ]
    ratio = rules(threshold("cache_hit_ratio_percent", hysteresis=0))
    assert ratio[0]["expr"] == "midi_capacity_cache_hit_ratio < 0.8"
    assert ratio[0]["labels"] == {"severity": "warning"}


def test_hysteresis_is_in_what_still_fires() -> None:
    (rule, _missing) = rules(threshold("cache_hit_ratio_percent"))
    assert rule["expr"] == (
        "midi_capacity_cache_hit_ratio < 0.8 or (midi_capacity_cache_hit_ratio < 0.85"
        " and ignoring (alertname, alertstate, severity)"
        ' ALERTS{alertname="MidiCapacityCacheHitRatioPercent",severity="warning",alertstate="firing"})'
    )


@pytest.mark.parametrize(
    ("samples", "interval", "lasting"),
    [(1, 3600, "0s"), (2, 3600, "66m"), (3, 3600, "126m"), (2, 300, "330s"), (11, 36000, "101h"), (2, 5, "6s")],
)
def test_samples_as_a_time(samples: int, interval: int, lasting: str) -> None:
    (rule, _missing) = rules(threshold("invalid_indexes", samples=samples), interval=interval)
    assert rule["for"] == lasting


def test_the_dead_man() -> None:
    old, absent = rules(threshold("snapshot_age_intervals"), interval=600)
    assert old["expr"] == "(time() - midi_capacity_last_snapshot_timestamp_seconds) / 600 > 2"
    assert (old["for"], old["labels"]) == ("0s", {"severity": "critical"})
    assert absent["expr"] == "absent(midi_capacity_last_snapshot_timestamp_seconds)"
    assert absent["for"] == "20m" and absent["labels"] == {"severity": "critical"}
    hosts = [{"instance": 'a"b'}, {"instance": "c", "database": "d"}]
    assert rules(threshold("snapshot_age_intervals"), expected=hosts)[1]["expr"] == (
        'absent(midi_capacity_last_snapshot_timestamp_seconds{instance="a\\"b"})'
        ' or absent(midi_capacity_last_snapshot_timestamp_seconds{instance="c",database="d"})'
    )
    # Whoever does not want it does not get it.
    assert "last_snapshot" not in json.dumps(rules(threshold("invalid_indexes")))


def test_what_cannot_be_read_alerts_by_its_patience() -> None:
    *_others, one, two = rules(threshold("statement_mean_ms"), threshold("cpu_busy_percent"))
    assert one["expr"] == 'midi_capacity_reading_missing{metric=~"cpu_busy_percent"} > 0' and one["for"] == "0s"
    assert two["expr"] == 'midi_capacity_reading_missing{metric=~"statement_mean_ms"} > 0' and two["for"] == "66m"


def test_texts_of_people_are_no_templates() -> None:
    rule = rules(threshold("disk_used_percent", remedy="see {{ wiki }}", name="Disk {{"))[0]
    assert rule["annotations"]["remedy"] == 'see {{ "{{" }} wiki }}'
    assert rule["annotations"]["summary"] == (
        'Disk {{ "{{" }}, {{ $labels.mountpoint }}: {{ $value | humanizePercentage }}, warning above 50 %'
        " ({{ $labels.database }} on {{ $labels.instance }})"
    )
    assert escaped('a\\b"c\nd') == 'a\\\\b\\"c\\nd'
    assert (
        "{{ $value | humanize1024 }}B, warning above 1 GiB"
        in rules(threshold("slot_retained_bytes"))[0]["annotations"]["summary"]
    )
    assert rules(threshold("redis_down"))[0]["annotations"]["summary"].startswith("Redis: down (")


def panels(*thresholds: Threshold) -> dict[str, dict[str, Any]]:
    document = grafana.document(only(*thresholds) if thresholds else DEFAULTS, 3600)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    return {panel["title"]: panel for panel in document["panels"]}


def test_the_dashboard_is_the_same_whenever_it_is_made() -> None:
    one, other = (grafana.document(DEFAULTS, 3600) for _time in range(2))
    assert one == other and one["uid"] == "midi-capacity" and one["schemaVersion"] == 39
    by_title = {title: panel["id"] for title, panel in panels(threshold("disk_used_percent")).items()}
    assert by_title == {title: panel["id"] for title, panel in panels().items()}


def test_the_panels_fill_a_grid_and_have_ids_of_their_own() -> None:
    document = grafana.document(DEFAULTS, 3600)
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        place = panel["gridPos"]
        assert place["w"] >= 6 or panel["type"] != "stat"
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not cells & taken and all(x < 24 for x, _y in cells), panel["title"]
        taken |= cells
    # No gap in the first column: every row begins right under the one before.
    assert {y for x, y in taken if x == 0} == set(range(max(y for _x, y in taken) + 1))
    assert len({panel["id"] for panel in document["panels"]}) == len(document["panels"])


def test_every_metric_has_a_panel_of_its_data_source() -> None:
    document = grafana.document(DEFAULTS, 3600)
    text = json.dumps(document)
    for metric in EXPORTED:
        assert f'"{metric.prometheus}{{' in text
    assert [variable["name"] for variable in document["templating"]["list"]] == ["datasource", "instance", "database"]
    for panel in document["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert '{instance=~"$instance",database=~"$database"}' in target["expr"]


def steps(panel: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(step["color"], step["value"]) for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]


def test_thresholds_are_colours() -> None:
    found = panels()
    disk = found["Disk used"]
    assert steps(disk) == [("green", None), ("yellow", 0.5), ("red", 0.8)]
    assert disk["fieldConfig"]["defaults"]["unit"] == "percentunit"
    assert disk["targets"][0]["legendFormat"] == "{{instance}} {{database}} {{mountpoint}}"
    assert (
        disk["description"].startswith("Space used of a file system")
        and "What to do: look at pg_wal" in disk["description"]
    )
    assert steps(found["Cache hit ratio"]) == [("yellow", None), ("green", 0.8)]
    assert steps(found["Blocks found in shared buffers"]) == [("red", None), ("yellow", 0.75), ("green", 0.9)]
    assert steps(found["Estimated P95 of all statements"]) == [("green", None), ("yellow", 0.2), ("red", 0.5)]
    assert steps(found["Since the last snapshot"]) == [("green", None), ("red", 7200)]


def test_what_is_up_is_green_and_down_is_red() -> None:
    first = grafana.document(DEFAULTS, 3600)["panels"][:4]
    assert [panel["title"] for panel in first] == [
        "PostgreSQL",
        "Redis",
        "Since the last snapshot",
        "Metrics that cannot be read",
    ]
    assert steps(first[0]) == [("green", None), ("red", 1.0)]
    options = first[0]["fieldConfig"]["defaults"]["mappings"][0]["options"]
    assert (options["0"]["text"], options["1"]["text"]) == ("up", "down")


def test_without_a_threshold_a_panel_has_no_colours() -> None:
    panel = panels(threshold("invalid_indexes"))["Disk used"]
    assert steps(panel) == [("green", None)]
    assert panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"] == {"mode": "off"}

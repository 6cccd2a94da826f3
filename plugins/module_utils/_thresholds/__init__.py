# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thresholds: what is measured, from where on it is bad, and what state it is in. Pure: no Ansible, no I/O.

catalog     METRICS, BY_NAME: Metric, each with its unit, the direction that is worse, its meaning, what to do about it,
            and its name in Prometheus. Units: percent, ms, seconds, bytes, count, flag (1 is down, 0 is up); the name
            of a metric ends in its unit.
defaults    the limits that hold, in the form of `capacity_thresholds`, each with its reason.

table.read(entries) -> (thresholds, problems)
    The user's table over the defaults, by metric. An entry: metric (has to be there), name (title for people), warn,
    critical (a number or null), direction (above, below), for (samples in a row, default 1), unknown_for (how many in a
    row may be missing: 1, or 2 for what needs two snapshots), hysteresis (in the unit, default 0), unit (only as a
    check), remedy, enabled. All problems at once, a sentence each; a threshold with one is as its default.
    A limit is not beyond itself: "above 80" begins after 80. So 0 is the limit of what there must be none of.
table.enabled(thresholds)

evaluate.evaluate(threshold, readings, previous=None) -> (evaluations, memory)
evaluate.evaluate_all(thresholds, {metric: readings}, {metric: memory}) -> (evaluations, {metric: memory})
    One sample. model.Reading: value or None with a reason; applicable=False for what there is nothing to read of.
    No readings at all is a reading without a value. States: ok, warning, critical, unknown, not applicable; how they
    follow each other stands in evaluate. The memory is JSON, goes into the next call, and is at rest when states are.
    Subjects (file systems, standbys) have states of their own. One that is not read any more is not applicable, once,
    and forgotten; but a reading without subject and value says that none could be read, and leaves all of them as
    they were. Of several readings of one subject the worst counts.
    evaluate_all leaves out what has no value because its server is down (or nobody knows): its states stay.

prometheus_rules.document(thresholds, interval_seconds, expected=()) -> dict
grafana.document(thresholds, interval_seconds, title="Capacity") -> dict
textfile.text(thresholds, {metric: readings}, taken_at, database) -> str
    Rules, a dashboard and the metrics they are over. JSON of the rules is YAML as well.
"""

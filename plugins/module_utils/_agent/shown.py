# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read: the history as a table, and where the agent stands. Short, aligned, and says what to do next."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._agent.window import LATE, STEP_SECONDS, STEP_SHARE
from ansible_collections.midi.capacity.plugins.module_utils._alerts.delivery import ONLY_LOGGED
from ansible_collections.midi.capacity.plugins.module_utils._alerts.headline import headline
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import BAD

Json = Mapping[str, Any]

CSV_COLUMNS = ("taken_at", "metric", "value", "subject", "reason")
NONE = "-"


def _percent(value: float) -> str:
    return f"{human.significant(value)}%"


# Heading, reading, how it is shown.
_COLUMNS: Tuple[Tuple[str, str, Callable[[float], str]], ...] = (
    ("rows", "growth_rows", human.count),
    ("database", "database_bytes", human.size),
    ("conn", "connections_used_percent", _percent),
    ("tx/s", "transactions_per_second", human.significant),
    ("hit", "buffer_hit_ratio_percent", _percent),
    ("P50", "statement_p50_ms", human.milliseconds),
    ("P95", "statement_p95_ms", human.milliseconds),
    ("cpu", "cpu_busy_percent", _percent),
    ("disk", "disk_used_percent", _percent),
    ("cache", "cache_hit_ratio_percent", _percent),
)
_WHY = {"locked": "another run held the lock", "failed": "the run failed", None: "the run was cut off"}


def csv_rows(found: Sequence[Json]) -> Iterator[List[Any]]:
    """A row for each reading."""
    for entry in found:
        for metric in sorted(entry["readings"]):
            reading = entry["readings"][metric]
            yield [entry["taken_at"], metric, reading["value"], reading["subject"], reading["reason"]]


def none_since(since: str, last: Json) -> str:
    """last: the head of the last snapshot, which is older."""
    return f"no snapshot since {human.moment(since)}; the last is of {human.moment(last['taken_at'])}\n"


def history(
    found: Sequence[Json], heads: Mapping[int, Json], runs: Sequence[Json], interval_seconds: float, command: str
) -> str:
    """found: of Store.readings; heads: by number; runs: of the snapshots, the newest first. command: of the agent."""
    if not found:
        return f"the history has no snapshot yet: run {command} snapshot\n"
    lines: List[Any] = [["taken (UTC)", *(heading for heading, _name, _shown in _COLUMNS)]]
    before: Optional[Json] = None
    for entry in found:
        head = heads[entry["id"]]
        gap = _gap(before, head, runs, interval_seconds)
        if gap:
            lines.append(gap)
        lines.append(_cells(entry))
        before = head
    widths = [max(len(line[column]) for line in lines if isinstance(line, list)) for column in range(len(lines[0]))]
    shown = [line if isinstance(line, str) else _aligned(line, widths) for line in lines]
    return "\n".join(shown) + "\n"


def _cells(entry: Json) -> List[str]:
    readings = entry["readings"]
    cells = [entry["taken_at"][:19].replace("T", " ")]
    for _heading, name, shown in _COLUMNS:
        value = (readings.get(name) or {}).get("value")
        cells.append(NONE if value is None else shown(value))
    down = (readings.get("postgres_down") or {}).get("value")
    return [*cells, "PostgreSQL down"] if down else cells


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    more = "".join(f"  {cell}" for cell in cells[len(widths) :])
    first, *others = (
        cell.ljust(width) if not at else cell.rjust(width) for at, (cell, width) in enumerate(zip(cells, widths))
    )
    return ("  ".join([first, *others]) + more).rstrip()


def _gap(before: Optional[Json], head: Json, runs: Sequence[Json], interval_seconds: float) -> Optional[str]:
    """One line about time without a snapshot, with what is known of it."""
    if before is None:
        return None
    rebooted = before["boot_id"] != head["boot_id"]
    seconds = head["monotonic_seconds"] - before["monotonic_seconds"]
    wall = _moments.elapsed(before["taken_at"], head["taken_at"])
    if rebooted or seconds <= 0:
        seconds = wall
    told = []
    if seconds > LATE * interval_seconds:
        told.append(f"{human.seconds(seconds)} without a snapshot")
    if rebooted:
        told.append("the host was started again")
    elif abs(wall - seconds) > max(STEP_SECONDS, STEP_SHARE * seconds):
        told.append(
            f"the clock was set {'forward' if wall > seconds else 'back'} by {human.seconds(abs(wall - seconds))}"
        )
    if not told:
        return None
    if seconds > LATE * interval_seconds:
        told += _why(before, head, runs, rebooted)
    return f"  ... {'; '.join(told)}"


def _why(before: Json, head: Json, runs: Sequence[Json], rebooted: bool) -> List[str]:
    """What became of the runs between the two."""
    between = [run for run in runs if before["taken_at"] < run["started_at"] < head["taken_at"]]
    bad = [run for run in between if run["outcome"] != "done"]
    if bad:
        why = _WHY.get(bad[0]["outcome"], bad[0]["outcome"])
        reason = f" ({bad[0]['reason']})" if bad[0]["reason"] else ""
        return [f"{human.plural(len(bad), 'run')} did not take one: {why}{reason}"]
    return [] if rebooted else ["no run was started: look at the schedule"]


def status(found: Json, command: str) -> str:
    """See _agent_look._status. command: of the agent."""
    lines = [f"{found['database']} on {found['host']}, {human.moment(found['at'])}", ""]
    lines += _pairs(_about(found, command))
    bad = [state for state in found["states"] if state["state"] in BAD]
    lines += ["", "Alerts" if bad else "Alerts: none"]
    for state in bad:
        lines.append(f"  {state['state'].upper()}: {headline(state)}")
        if state["detail"] or state["reason"]:
            lines.append(f"    {state['detail'] or state['reason']}")
        lines.append(f"    What to do: {state['remedy']}")
    for entry in found["silences"]:
        lines.append(
            f"  silenced until {human.moment(entry['until'])}: {entry['metric'] or 'everything'} ({entry['reason']})"
        )
    if found["probes"]:
        lines += ["", "Probes at the last snapshot", *(f"  {line}" for line in _pairs(_probes(found["probes"])))]
    if found["missing"]:
        lines += ["", "Not read at the last snapshot"]
        for entry in found["missing"]:
            remedy = f"; to mend it: {entry['remedy']}" if entry.get("remedy") else ""
            lines.append(f"  {entry['part']}: {entry['reason']}{remedy}")
    return "\n".join(lines) + "\n"


def _about(found: Json, command: str) -> List[Tuple[str, str]]:
    last, kept = found["last_snapshot"], found["history"]
    pairs = []
    if last:
        ago = human.seconds(max(0.0, _moments.elapsed(last["taken_at"], found["at"])))
        pairs.append(("Last snapshot", f"{human.moment(last['taken_at'])}, {ago} ago"))
        pairs += [("", f"{entry['part']}: {entry['reason']}") for entry in last["reasons"]]
    else:
        pairs.append(("Last snapshot", f"none: run {command} snapshot"))
    pairs.append(("One every", human.seconds(found["interval_seconds"])))
    since = f" since {human.moment(kept['first'])}" if kept["first"] else ""
    pairs.append(("History", f"{human.plural(kept['snapshots'], 'snapshot')}{since}, {human.size(kept['bytes'])}"))
    if found["failures_in_a_row"]:
        failed = human.plural(found["failures_in_a_row"], "run")
        pairs.append(("Failed", f"the last {failed} of snapshot: run {command} doctor"))
    told = found["delivery"]
    if told:
        pairs.append(("Last message", f"{human.moment(told['at'])}, {_arrived(told['outcomes'], command)}"))
    return pairs


def _arrived(outcomes: Mapping[str, Optional[str]], command: str) -> str:
    """outcomes: see _alerts.delivery."""
    if outcomes == ONLY_LOGGED:
        return "in the log only: no channel is set up"
    by = [channel for channel, error in outcomes.items() if error is None]
    failed = ", ".join(f"{channel}: {error}" for channel, error in outcomes.items() if error is not None)
    if not by:
        return f"arrived nowhere: not by {failed}; run {command} test-alert when that is mended"
    return f"arrived by {', '.join(by)}" + (f"; not by {failed}" if failed else "")


def _probes(probes: Sequence[Json]) -> List[Tuple[str, str]]:
    """Measured, each over its few runs; one that failed in the middle has both."""
    pairs = []
    for probe in probes:
        times = ", ".join(
            f"{name} {human.milliseconds(probe[figure])}"
            for name, figure in (("P50", "p50_ms"), ("P95", "p95_ms"), ("longest", "max_ms"))
            if probe[figure] is not None
        )
        told = [f"{times} of {human.plural(probe['runs'], 'run')}"] if times else []
        pairs.append((probe["name"], "; ".join([*told, *([probe["reason"]] if probe["reason"] else [])])))
    return pairs


def _pairs(pairs: Sequence[Tuple[str, str]]) -> List[str]:
    width = max(len(name) for name, _text in pairs)
    return [f"{name.ljust(width)}  {text}" for name, text in pairs]


def doctor(findings: Sequence[Json]) -> str:
    """findings: [{what, ok, text, remedy}]; ok None: it cannot be told."""
    marks: Dict[Optional[bool], str] = {True: "ok", False: "WRONG", None: "?"}
    width = max(len(entry["what"]) for entry in findings)
    lines = []
    for entry in findings:
        lines.append(f"{marks[entry['ok']].ljust(5)}  {entry['what'].ljust(width)}  {entry['text']}")
        if entry["ok"] is not True and entry["remedy"]:
            lines.append(f"{' ' * (width + 9)}to mend it: {entry['remedy']}")
    wrong = sum(entry["ok"] is False for entry in findings)
    lines += ["", "nothing is wrong" if not wrong else f"{human.plural(wrong, 'thing')} to mend"]
    return "\n".join(lines) + "\n"

# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where phase 1 stands on one host."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._summary.columns import columns

Json = Dict[str, Any]
# What a part of the phase says, and what is to be done after it.
Part = Tuple[List[str], List[str]]

_HEADINGS = ("setting", "wanted", "live", "source", "state")


def phase1(results: Mapping[str, Optional[Json]], check_mode: bool = False) -> str:
    """The summary, without a line break at its end.

    results: tuning, cache, snapshot and baseline, each the fact that the role of that name leaves, or None where the
    role did not run on this host.
    """
    parts = [
        _tuning(results.get("tuning"), check_mode),
        _cache(results.get("cache")),
        _files(results.get("snapshot"), results.get("baseline"), check_mode),
    ]
    lines = [line for said, _next in parts for line in said]
    steps = [step for _said, after in parts for step in after]
    if not lines:
        return "Nothing of phase 1 ran on this host."
    if check_mode:
        lines.insert(0, "Check mode: nothing was changed, and what stands below is what a run would bring.")
    if steps:
        lines += ["", "To do next:", *(f"  - {step}" for step in steps)]
    else:
        lines += ["", "Check mode found nothing in the way." if check_mode else "Nothing is left to do."]
    return "\n".join(lines)


def _tuning(tuning: Optional[Json], check_mode: bool) -> Part:
    if not tuning:
        return [], []
    settings = tuning["settings"]
    rows = [
        (name, found["wanted"], found["live"], _source(found), found["state"].replace("_", " "))
        for name, found in sorted(settings.items())
    ]
    lines = [f"PostgreSQL {tuning['server']['version']}: {_in_effect(settings)}{_restarted(tuning)}"]
    lines += _indented(columns([_HEADINGS, *rows])) if rows else []
    if tuning["extension"]:
        lines.append(f"  extension pg_stat_statements {tuning['extension']['version']}: {_proof(tuning)}")
    return lines, _after_tuning(tuning, check_mode)


def _in_effect(settings: Json) -> str:
    applied = sum(1 for found in settings.values() if found["state"] == "applied")
    return f"{applied} of {len(settings)} settings in effect"


def _restarted(tuning: Json) -> str:
    return ", restarted for it" if tuning["restarted"] else ""


def _source(found: Json) -> str:
    """A file is better known by its name and line than by its kind."""
    if found.get("sourcefile"):
        return f"{found['sourcefile'].rsplit('/', 1)[-1]} line {found['sourceline']}"
    return str(found["source"])


def _proof(tuning: Json) -> str:
    if tuning["statements"] is None:
        return "its view cannot be read yet"
    return f"its view can be read and has {human.count(tuning['statements'])} statements"


def _after_tuning(tuning: Json, check_mode: bool) -> List[str]:
    pending = [name for name, found in sorted(tuning["settings"].items()) if found["state"] == "pending_restart"]
    steps = []
    if pending:
        steps.append(f"{', '.join(pending)}: {_restart_advice(tuning, check_mode)}")
    steps += [
        f"{found['name']} is {found['value']} by {found['by']}: {found['remedy']}" for found in tuning["overridden"]
    ]
    steps += [
        f"{found['name']} = {found['value']} in {found['where']}: {found['consequence']}; {found['remedy']}"
        for found in tuning["dangers"]
    ]
    return steps


def _restart_advice(tuning: Json, check_mode: bool) -> str:
    if tuning["restart_method"] == "none":
        return "have PostgreSQL restarted, then run this again, which proves it"
    if tuning["restart"] == "when_pending":
        return "the run restarts PostgreSQL for it" if check_mode else "restart PostgreSQL"
    return (
        "PostgreSQL has to be restarted: in a maintenance window, run this with -e postgres_tuning_restart=when_pending"
    )


def _cache(cache: Optional[Json]) -> Part:
    if not cache:
        return [], []
    settings = cache["settings"]
    server = cache["server"]
    rows = [(found["name"], found["wanted"], found["live"], found["state"].replace("_", " ")) for found in settings]
    lines = [f"Redis {server['version']}: {len(settings)} of {len(settings)} settings in effect"]
    lines += _indented(columns([("setting", "wanted", "live", "state"), *rows]))
    if server.get("config_file"):
        lines.append(f"  kept in {server['config_file']}")
    forgotten = [found["name"] for found in settings if found["state"] == "live_only"]
    steps = [f"{', '.join(forgotten)}: a restart of Redis forgets this; start it with a configuration file"]
    return lines, steps if forgotten else []


def _files(snapshot: Optional[Json], baseline: Optional[Json], check_mode: bool) -> Part:
    rows: List[Tuple[str, str]] = []
    steps: List[str] = []
    if snapshot:
        number = human.count(snapshot["count"])
        rows.append(
            ("snapshot", f"{human.moment(snapshot['taken_at'])}, {number} in the history; newest: {snapshot['file']}")
        )
        steps = [] if check_mode else [_missing(entry) for entry in snapshot["missing"]]
    if baseline:
        rows.append(("baseline", f"{human.moment(baseline['taken_at'])}: {baseline['markdown']}"))
    return columns(rows), steps


def _missing(entry: Json) -> str:
    remedy = f": {entry['remedy']}" if entry["remedy"] else ""
    return f"the snapshot lacks {entry['part']}, because {entry['reason']}{remedy}"


def _indented(lines: List[str]) -> List[str]:
    return [f"  {line}" for line in lines]

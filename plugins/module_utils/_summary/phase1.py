# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where phase 1 stands on one host."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._baseline.steps import CACHE, RESTART, STATISTICS, gaps
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._summary.columns import columns

Json = Dict[str, Any]
# What a part of the phase says, and what is to be done after it.
Part = Tuple[List[str], List[str]]

_HEADINGS = ("setting", "wanted", "live", "source", "state")


def phase1(results: Mapping[str, Optional[Json]], check_mode: bool = False) -> str:
    """The summary, without a line break at its end.

    results: tuning, cache, queue, agent and baseline, each the fact that the role of that name leaves, or None
    where the role did not run on this host; baseline_cache is the cache's of the host whose cache is in the baseline.
    In check mode a role that would install packages first leaves {would_install} and nothing else, and one that would
    start a server {would_start}.
    """
    waiting = {name: found for name, found in results.items() if found and "would_install" in found}
    starting = {name: found for name, found in results.items() if found and "would_start" in found}
    found = {name: None if name in waiting or name in starting else found for name, found in results.items()}
    parts = [
        _waiting([result["would_install"] for name, result in waiting.items() if name != "baseline_cache" and result]),
        _tuning(found.get("tuning"), check_mode),
        _starting([result["would_start"] for name, result in starting.items() if name != "baseline_cache" and result]),
        _cache(found.get("cache")),
        _cache(found.get("queue"), " as queue"),
        _files(found, _seen_to(found, results.get("baseline_cache"), check_mode), check_mode),
    ]
    lines = [line for said, _next in parts for line in said]
    steps = [step for _said, after in parts for step in after]
    if not lines and not steps:
        return "Nothing of phase 1 ran on this host."
    if check_mode:
        lines.insert(0, "Check mode: nothing was changed, and what stands below is what a run would bring.")
    if steps:
        lines += [*([""] if lines else []), "To do next:", *(f"  - {step}" for step in steps)]
    else:
        lines += ["", "Check mode found nothing in the way." if check_mode else "Nothing is left to do."]
    return "\n".join(lines)


def _waiting(lists: List[List[str]]) -> Part:
    packages = sorted({package for names in lists for package in names})
    if not packages:
        return [], []
    said = f"would be installed first: {', '.join(packages)}"
    return [said], ["check mode can look no further without these packages: install them, then run the check again"]


def _starting(servers: List[str]) -> Part:
    if not servers:
        return [], []
    said = f"would be started: {', '.join(sorted(servers))}"
    return [said], ["check mode can look no further without a server: run this, then run the check again"]


def _tuning(tuning: Optional[Json], check_mode: bool) -> Part:
    if not tuning:
        return [], []
    settings = tuning["settings"]
    rows = [
        (name, _wanted(name, found, tuning), found["live"], _source(found), found["state"].replace("_", " "))
        for name, found in sorted(settings.items())
    ]
    lines = [f"PostgreSQL {tuning['server']['version']}: {_in_effect(settings)}{_restarted(tuning)}"]
    lines += _indented(columns([_HEADINGS, *rows])) if rows else []
    if tuning["restored"]:
        lines.append(f"  {_restored_words(tuning, check_mode)}")
    if tuning["budget"]["fits"] and tuning["budget"]["text"]:
        lines.append(f"  {tuning['budget']['text']}")
    if tuning["extension"]:
        lines.append(f"  extension pg_stat_statements {tuning['extension']['version']}: {_proof(tuning)}")
    return lines, _after_tuning(tuning, check_mode)


def _in_effect(settings: Json) -> str:
    applied = sum(1 for found in settings.values() if found["state"] == "applied")
    return f"{applied} of {len(settings)} settings in effect"


def _restarted(tuning: Json) -> str:
    if not tuning["restarted"]:
        return ""
    seconds, cut_off = tuning["interruption_seconds"], len(tuning["cut_off"])
    told = "" if seconds is None else f"; clients got no answer for {seconds:.1f} s"
    return f", restarted for it{told}" + (f", and {cut_off} were cut off at work" if cut_off else "")


def _restored_words(tuning: Json, check_mode: bool) -> str:
    verb = "would be taken back" if check_mode else "taken back"
    return f"{verb}, because ALTER SYSTEM had left it dangerous: {', '.join(tuning['restored'])}"


def _wanted(name: str, found: Json, tuning: Json) -> str:
    """What nobody gave is marked: the profile computed it."""
    return f"{found['wanted']} (profile)" if tuning["origins"].get(name) == "profile" else str(found["wanted"])


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
    if _comes_from_primary(tuning):
        steps.append(
            "extension pg_stat_statements: this server is a standby and takes no writes, so it comes with the run on"
            " its primary; then run this here again, which proves it"
        )
    if pending:
        steps.append(f"{', '.join(pending)}: {_restart_advice(tuning, check_mode)}")
    steps += [
        f"{found['name']} is {found['value']} by {found['by']}: {found['remedy']}" for found in tuning["overridden"]
    ]
    steps += [
        f"{found['name']} = {found['value']} in {found['where']}: {found['consequence']}; {found['remedy']}"
        for found in tuning["dangers"]
    ]
    return [*steps, *tuning["budget"]["problems"], *tuning["budget"]["warnings"]]


def _comes_from_primary(tuning: Json) -> bool:
    return bool(tuning["statement_statistics"] and not tuning["extension"] and tuning["server"]["in_recovery"])


def _restart_advice(tuning: Json, check_mode: bool) -> str:
    if tuning["restart_method"] == "none":
        return "have PostgreSQL restarted, then run this again, which proves it"
    if tuning["restart"] == "when_pending":
        if not tuning["window"]["open"]:
            return f"{tuning['window']['text']}: run this again then"
        return "the run restarts PostgreSQL for it" if check_mode else "restart PostgreSQL"
    return (
        "PostgreSQL has to be restarted: in a maintenance window, run this with -e postgres_tuning_restart=when_pending"
    )


def _cache(cache: Optional[Json], what: str = "") -> Part:
    if not cache:
        return [], []
    settings = cache["settings"]
    server = cache["server"]
    rows = [(found["name"], found["wanted"], found["live"], found["state"].replace("_", " ")) for found in settings]
    in_effect = sum(1 for found in settings if found["live"] == found["wanted"])
    lines = [f"Redis {server['version']}{what}: {in_effect} of {len(settings)} settings in effect{_started(cache)}"]
    lines += _indented(columns([("setting", "wanted", "live", "state"), *rows]))
    forgotten = [found["name"] for found in settings if found["state"] == "live_only"]
    differing = [found["name"] for found in settings if found["live"] != found["wanted"]]
    steps = []
    if differing:
        steps.append(f"{', '.join(differing)}: Redis runs with another value; look into its log, then run this again")
    if forgotten:
        remedy = (
            "set redis_cache_persist to always" if server.get("config_file") else "start it with a configuration file"
        )
        steps.append(f"{', '.join(forgotten)}: a restart of Redis forgets this; {remedy}")
    elif server.get("config_file"):
        lines.append(f"  kept in {server['config_file']}")
    return lines, steps


def _started(cache: Json) -> str:
    return ", started by this run" if cache.get("started") else ""


def _seen_to(found: Mapping[str, Optional[Json]], baseline_cache: Optional[Json], check_mode: bool) -> Set[str]:
    """What phase 1 sees to by itself, so that it is nothing to do for people, or tells of elsewhere in the summary."""
    tuning = found.get("tuning")
    seen_to = set()
    if tuning:
        # The settings were looked at just now, and tell what waits for a restart.
        seen_to.add(RESTART)
        if tuning["statement_statistics"] and (check_mode or _comes_from_primary(tuning)):
            seen_to.add(STATISTICS)
    if check_mode and baseline_cache:
        seen_to.add(CACHE)
    return seen_to


def _files(found: Mapping[str, Optional[Json]], seen_to: Set[str], check_mode: bool) -> Part:
    agent, baseline = found.get("agent"), found.get("baseline")
    rows: List[Tuple[str, str]] = []
    steps: List[str] = []
    lacking = []
    # A standby that has to wait for its role has none yet, and one that was removed leaves nothing to look at.
    if agent and "agent" in agent:
        rows += [("history", _history(agent["history"])), ("agent", _schedule(agent["agent"]))]
        lacking = gaps(agent["history"]["missing"])
        steps += [_gap("snapshot", step) for step in lacking if step["by"] not in seen_to]
    if agent and "removed" in agent:
        kept = ", ".join(agent["kept"])
        rows.append(("agent", f"removed{f'; what it wrote stays: {kept}' if kept else ''}"))
    if agent and "access" in agent:
        said, after = _access(agent["access"], check_mode)
        rows += said
        steps += after
    if agent and "agent" in agent:
        steps += _unattended(agent["agent"])
    if baseline:
        rows.append(("baseline", f"{human.moment(baseline['taken_at'])}: {baseline['markdown']}"))
        steps += _after_baseline(baseline, {step["part"] for step in lacking}, seen_to)
    return columns(rows), steps


def _history(history: Json) -> str:
    if not history["snapshots"]:
        return f"begins with the first snapshot: {history['path']}"
    number = human.plural(history["snapshots"], "snapshot")
    return f"{number}, the last of {human.moment(history['last'])}: {history['path']}"


def _schedule(agent: Json) -> str:
    """Who runs it how often, and how to look at it."""
    by = {"cron": "by cron", "timer": "by a timer of systemd"}.get(agent["schedule"])
    often = f"every {human.seconds(60 * agent['interval_minutes'])} {by}" if by else "without a schedule"
    return f"{often}; how it stands: {agent['command']} status"


def _unattended(agent: Json) -> List[str]:
    """Nobody is told of anything as long as nothing runs it, or there is no channel."""
    if agent["schedule"] == "none":
        if agent["schedule_wanted"] == "none":
            return []
        often = human.seconds(60 * agent["interval_minutes"])
        return [
            f"agent: nothing runs it, because the files of cron and systemd are root's: have {agent['command']}"
            f" snapshot run every {often} by something of this account, or let Ansible become root"
        ]
    if agent["channels"]:
        return []
    return [
        "alerts: no channel is set up, so nobody is told when a threshold is passed: set monitoring_cron_channels, and"
        f" prove it with {agent['command']} test-alert"
    ]


def _access(access: Json, check_mode: bool) -> Tuple[List[Tuple[str, str]], List[str]]:
    """How the agent logs in: a row, and what is to be done about it."""
    if not access:
        return [], []
    if access["logs_in"]:
        how = "with a password" if access["password_file"] else "without a password"
        return [("login", f"as {access['role']} {how}: {access['service_file']}")], []
    if access["standby"]:
        step = (
            f"role {access['role']}: this server is a standby and takes no writes, so it comes with the run on its"
            " primary; then run this here again, which lets the agent log in"
        )
        return [], [step]
    return [("login", f"would be as {access['role']}, a role that it would get")] if check_mode else [], []


def _after_baseline(baseline: Json, told: Set[str], seen_to: Set[str]) -> List[str]:
    """told: parts that the snapshot lacks as well."""
    steps = []
    for step in baseline["steps"]:
        if step["optional"] or step["by"] in seen_to or (step["gap"] and step["part"] in told):
            continue
        steps.append(_gap("baseline", step) if step["gap"] else _finding(baseline, step))
    return steps


def _gap(where: str, step: Json) -> str:
    return f"the {where} lacks {step['part']}, because {step['what'].rstrip('.')}{_remedy(step)}"


def _finding(baseline: Json, step: Json) -> str:
    """A baseline that is kept tells of then; only another one can tell that it was mended."""
    if not baseline["kept"]:
        return f"{step['part']}: {step['what']}{_remedy(step)}"
    again = "if that was done, take the baseline again with -e capacity_baseline_retake=true"
    return f"{step['part']}, when the baseline was taken: {step['what']}{_remedy(step)}; {again}"


def _remedy(step: Json) -> str:
    return f": {step['remedy']}" if step["remedy"] else ""


def _indented(lines: List[str]) -> List[str]:
    return [f"  {line}" for line in lines]

# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of module pg_settings: read -> plan -> compare -> apply -> read back, with and without check mode."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._postgres import NotPermitted, Server
from ansible_collections.midi.capacity.plugins.module_utils._settings import overrides, safety, values
from ansible_collections.midi.capacity.plugins.module_utils._settings.plan import (
    OVERRIDDEN,
    PENDING_RESTART,
    Facts,
    SettingPlan,
    facts_after,
    file_problems,
    plan_absent,
    plan_present,
    predicted,
    state,
)
from ansible_collections.midi.capacity.plugins.module_utils._settings.restore import plan_restored
from ansible_collections.midi.capacity.plugins.module_utils._settings_server import (
    absent_libraries,
    apply,
    identity,
    missing_grants,
    read_facts,
    reload,
)


def converge(options: dict, check_mode: bool) -> dict:
    """Bring a server's settings to what the options of module pg_settings say; gives the module's result."""
    server = Server.connect(options)
    try:
        facts = read_facts(server)
        plans, restored = planned(options, facts, server)
        plans += restored
        stored = {plan.name: _stored(plan, facts) for plan in plans if plan.action != "none"}
        _refuse_forbidden(plans, facts, server)
        _refuse_overridden(plans, options, server)
        _refuse_unprivileged(plans, server)
        _refuse_dangerous(safety.dangers(facts_after(facts, plans)), options, server)
        executed: list = []
        after = {plan.name: predicted(plan) for plan in plans}
        if not check_mode:
            executed = apply(server, plans, facts)
            if executed or any(plan.unread for plan in plans):
                reload(server)
            if _shown_to_new_sessions_only(plans):
                server.close()
                server = Server.connect(options)
            facts = read_facts(server)
            after = {plan.name: facts.definitions[plan.name] for plan in plans}
        else:
            facts = facts_after(facts, plans)
        result = _result(plans, after, facts, server, executed)
        return {**result, "stored": stored, "restored": _changing(restored)}
    finally:
        server.close()


def planned(options: dict, facts: Facts, server: Server) -> tuple:
    """What the options come to on this server: plans for what is wanted, and for what is restored beside it.

    Raises OperatorError with everything that is wrong with them.
    """
    broken = file_problems(facts)
    if broken:
        raise OperatorError(
            "the server's configuration files have lines that it cannot use; nothing was changed",
            server.where,
            "correct or remove these lines, then run again",
            {"file_problems": broken},
            broken,
        )
    if options["state"] == "absent":
        plans, problems = plan_absent(list(options["settings"]), facts)
    else:
        plans, problems = plan_present(options["settings"], facts, options["lists"] == "merge")
        problems += absent_libraries(server, plans)
        also, more = plan_absent(options.get("reset") or [], facts)
        twice = sorted({plan.name for plan in plans} & {plan.name for plan in also})
        plans, problems = plans + also, problems + more + [f"{name} is both wanted and to be reset" for name in twice]
    restored = plan_restored(facts, plans) if options["restore_safety"] else []
    problems += absent_libraries(server, restored)
    if problems:
        raise OperatorError(
            f"{_count(len(problems), 'setting')} cannot be taken; nothing was changed",
            server.where,
            "correct the values and run again",
            {"problems": problems},
            problems,
        )
    return plans, restored


def _refuse_forbidden(plans: list, facts, server: Server) -> None:
    """From 17 on ALTER SYSTEM can be switched off, by whoever manages the configuration in another way."""
    switch = facts.definitions.get("allow_alter_system")
    if switch is None or switch.setting == "on" or all(plan.action == "none" for plan in plans):
        return
    place = f"{switch.sourcefile} line {switch.sourceline}" if switch.sourcefile else f"the {switch.source}"
    raise OperatorError(
        f"ALTER SYSTEM is switched off by allow_alter_system = off in {place}; nothing was changed",
        server.where,
        "set allow_alter_system = on there, or change the settings where they are managed",
    )


def _refuse_overridden(plans: list, options: dict, server: Server) -> None:
    found = _overrides(plans)
    # Whoever takes a value away wants nothing that could be overridden.
    if not found or options["on_override"] != "fail" or options["state"] == "absent":
        return
    raise OperatorError(
        f"{_count(len({override.name for override in found}), 'setting')} would not take effect because something"
        f" overrides the files; nothing was changed",
        server.where,
        "do what stands beside each, or set on_override=warn to store the values all the same",
        {"overridden": [override.as_dict() for override in found]},
        [str(override) for override in found],
    )


def _refuse_unprivileged(plans: list, server: Server) -> None:
    due = [plan for plan in plans if plan.action != "none"]
    grants = missing_grants(server, [plan.name for plan in due], due or any(plan.unread for plan in plans))
    if grants:
        raise NotPermitted(
            f'role "{server.user}" lacks privileges for this; nothing was changed',
            server.where,
            f"connect as a superuser, or let a superuser run: {'; '.join(grants)}",
        )


def _refuse_dangerous(dangers: list, options: dict, server: Server) -> None:
    if not dangers or options["on_danger"] != "fail":
        return
    raise OperatorError(
        f"{_count(len(dangers), 'dangerous setting')} would be in effect, now or from the next start on;"
        f" nothing was changed",
        server.where,
        f"do what stands beside each{_offer(dangers, options)}, or set on_danger=warn to go on all the same",
        {"dangers": [danger.as_dict() for danger in dangers]},
        [str(danger) for danger in dangers],
    )


def _offer(dangers: list, options: dict) -> str:
    """What is left although restore_safety is set is nothing that it could mend."""
    wanted = {name.lower() for name in options["settings"]}
    if options["restore_safety"] or not any(danger.by_alter_system and danger.name not in wanted for danger in dangers):
        return ""
    return " (restore_safety=true does it for ALTER SYSTEM)"


def _changing(plans: list) -> list:
    return sorted(plan.name for plan in plans if plan.changes)


def _result(plans: list, after: dict, facts, server: Server, executed: list) -> dict:
    change = Change(f"settings of {server.where}")
    settings, found = {}, _overrides(plans)
    for plan in plans:
        now = after[plan.name]
        status = state(plan, now)
        if status == OVERRIDDEN and not plan.overrides:
            found.append(overrides.unexplained(now, plan.desired))
        settings[plan.name] = _setting(plan, now, status)
        change.add(plan.name, *_sides(plan))
    dangers = safety.dangers(facts)
    return {
        "changed": change.changed,
        "diff": change.diff(),
        "settings": settings,
        "restart_required": any(setting["state"] == PENDING_RESTART for setting in settings.values()),
        "overridden": [override.as_dict() for override in found],
        "dangers": [danger.as_dict() for danger in dangers],
        "executed_queries": executed,
        "warnings": [str(cause) for cause in (*found, *dangers)],
        "server": identity(server, facts),
    }


def _setting(plan: SettingPlan, now, status: str) -> dict:
    return {
        "wanted": values.shown(plan.definition, plan.desired),
        "before": values.shown(plan.definition, plan.configured),
        "live": values.shown(plan.definition, now.setting),
        "source": now.source,
        "sourcefile": now.sourcefile,
        "sourceline": now.sourceline,
        "context": now.context,
        "state": status,
        "action": plan.action,
    }


def _stored(plan: SettingPlan, facts: Facts) -> dict:
    """What ALTER SYSTEM has stored before and after, as the file has it; None for nothing."""
    entry = facts.by_alter_system(plan.name)
    after = values.written(plan.definition, plan.desired) if plan.action == "set" else None
    sides = {"before": entry.value if entry else None, "after": after}
    return {
        side: values.HIDDEN if value and values.is_secret(plan.name, value) else value for side, value in sides.items()
    }


def _sides(plan: SettingPlan) -> tuple:
    """Before and after in the diff; they differ if and only if something changes."""
    after = values.shown(plan.definition, plan.desired)
    if not plan.changes:
        return after, after
    before = values.shown(plan.definition, plan.definition.setting if plan.unread else plan.configured)
    if before != after:
        return before, after
    # The same value from another place, or one that is not shown.
    return before, f"{after}, {'without ALTER SYSTEM' if plan.action == 'reset' else 'another one'}"


def _overrides(plans: list) -> list:
    return [override for plan in plans for override in plan.overrides]


def _shown_to_new_sessions_only(plans: list) -> bool:
    return any(plan.changes and plan.definition.context in ("backend", "superuser-backend") for plan in plans)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

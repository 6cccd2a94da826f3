# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that a server reads from its file when it starts: which of them it takes live, and which restart it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import catalog, conf, values
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import Facts


@dataclass(frozen=True)
class StartPlan:
    """A setting of the file. running: what the server that runs has, or None without one. live: whether it takes it."""

    name: str
    filed: Optional[str]
    running: Optional[str]
    desired: str
    live: bool

    @property
    def differs(self) -> bool:
        """Whether the server runs with another value."""
        return self.running is not None and not values.same(self.name, self.running, self.desired)

    @property
    def written(self) -> bool:
        """Whether it needs its line. CONFIG REWRITE takes away the line of a value that is the server's default, and
        writes one for every other value that the server runs with."""
        return self.filed is not None or self.running is None or self.differs

    @property
    def before(self) -> Optional[str]:
        """What counted until now, for people."""
        return self.running if self.differs or not self.written else self.filed


@dataclass(frozen=True)
class FilePlan:
    """The file as it shall be, and what that means for the server that runs."""

    text: str
    settings: Sequence[StartPlan]

    @property
    def live(self) -> Dict[str, str]:
        """What CONFIG SET changes; the port last, for the connection's sake."""
        found = [plan for plan in self.settings if plan.differs and plan.live]
        return {plan.name: plan.desired for plan in sorted(found, key=lambda plan: plan.name == "port")}

    @property
    def restart(self) -> List[str]:
        """The settings that only a restart changes."""
        return [plan.name for plan in self.settings if plan.differs and not plan.live]


def plan_file(
    text: Optional[str], settings: Mapping[str, Any], initial: Mapping[str, Any], facts: Optional[Facts]
) -> Tuple[Optional[FilePlan], List[str]]:
    """The plan, or None and everything that is wrong, a sentence each.

    text: the file's, or None where there is no file, which then gets `initial`, too. facts: of the server that runs.
    """
    known = facts.config if facts else {}
    wanted = {str(name).lower(): value for name, value in {**({} if text else initial), **settings}.items()}
    desired: Dict[str, str] = {}
    problems: List[str] = []
    for name, value in wanted.items():
        problem = _name_problem(name, facts)
        if problem is None:
            try:
                desired.update(conf.canonical({name: value}, known))
            except values.InvalidValue as error:
                problem = str(error)
        if problem is not None:
            problems.append(f"{name} {problem}")
    if desired.get("aclfile") and conf.has_users(text or ""):
        problems.append("aclfile cannot be set, because the file has lines `user …`: move them into the ACL file")
    if problems:
        return None, problems
    plans = [
        StartPlan(name, conf.value_of(text or "", name), known.get(name), value, _is_live(name, facts))
        for name, value in desired.items()
    ]
    lines = {plan.name: plan.desired for plan in plans if plan.written}
    return FilePlan(conf.with_settings(text or "", lines), plans), []


def split(settings: Mapping[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Settings that some version reads only when it starts, and the others."""
    start = {name: value for name, value in settings.items() if catalog.is_for_start(str(name).lower())}
    return start, {name: value for name, value in settings.items() if name not in start}


def _is_live(name: str, facts: Optional[Facts]) -> bool:
    return facts is not None and catalog.why_fixed(name, facts.version, facts.config) is None


def _name_problem(name: str, facts: Optional[Facts]) -> Optional[str]:
    if name in catalog.SECRET:
        return "holds a secret, which a task would show: use an ACL file"
    if facts is None or name in facts.config:
        return None
    close = difflib.get_close_matches(name.replace("_", "-"), list(facts.config), n=1)
    return "is not a setting of this server" + (f": did you mean {close[0]}?" if close else "")

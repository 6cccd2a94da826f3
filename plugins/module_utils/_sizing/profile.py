# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings computed from a machine. "Manual" is PostgreSQL's, "pgtune" its published algorithm: see the package."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._sizing import memory, parallel, storage
from ansible_collections.midi.capacity.plugins.module_utils._sizing.budget import USUAL, Assumptions
from ansible_collections.midi.capacity.plugins.module_utils._sizing.draft import Draft
from ansible_collections.midi.capacity.plugins.module_utils._sizing.effective import rendered
from ansible_collections.midi.capacity.plugins.module_utils._sizing.errors import SizingError
from ansible_collections.midi.capacity.plugins.module_utils._sizing.machine import Machine

NONE = "none"
PROFILES = ("web", "oltp", "mixed", "analytics", NONE)


def profile(
    name: str,
    machine: Machine,
    given: Mapping[str, Any],
    live: Optional[Mapping[str, Any]] = None,
    standby: bool = False,
    assumptions: Assumptions = USUAL,
) -> Dict[str, str]:
    """The settings of a profile that are not given, by name, as texts for pg_settings; none for the profile `none`.

    given: what the operator wants. It wins, and the rest is computed from it.
    live: what the server has. It counts for what is neither given nor computed, max_connections for example.
    standby: whether the server is one; then nothing is lowered that has to be as high as on its primary.
    Raises SizingError for an unknown profile or a value that a setting cannot take. Whether it fits, budget() says.
    """
    if name not in PROFILES:
        raise SizingError(f"a profile is one of {', '.join(PROFILES)}, not {name!r}")
    draft = Draft(given, live or {}, standby, assumptions)
    for step in _STEPS if name != NONE else ():
        draft.settle(step(name, machine, draft))
    return draft.computed


def _jit(name: str, _machine: Machine, _draft: Draft) -> Dict[str, str]:
    """On for analytics alone: it pays for long queries bound by the CPU (manual, "When to JIT?"); pgtune the same."""
    return {"jit": rendered("jit", name == "analytics")}


# In this order, for each reads what those before it settled.
_STEPS: Tuple[Callable[[str, Machine, Draft], Dict[str, str]], ...] = (
    parallel.workers,
    memory.caches,
    memory.maintenance,
    memory.work_mem,
    storage.disk,
    storage.wal,
    storage.asynchronous,
    _jit,
)

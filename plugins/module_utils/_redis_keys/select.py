# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which patterns an invalidation is about."""

from __future__ import annotations

import difflib
from typing import List, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.model import KeyPattern, Strategy


def select(
    strategy: Strategy, event: Optional[str], names: Optional[Sequence[str]]
) -> Tuple[List[KeyPattern], List[str]]:
    """The patterns that an event invalidates, or those of these names; and everything that is wrong, a sentence each.

    Exactly one of both is to be given. An event that is declared and invalidates nothing selects nothing.
    """
    if event and names:
        return [], ["both an event and patterns are given: give one of them"]
    if event:
        if event not in strategy.events:
            return [], [f"there is no event {event}: {_known('events', event, strategy.events)}"]
        return [found for found in strategy.patterns if event in found.invalidated_by], []
    known = [found.name for found in strategy.patterns]
    if names:
        unknown = [name for name in names if name not in known]
        problems = [f"there is no pattern {name}: {_known('patterns', name, known)}" for name in unknown]
        return ([], problems) if problems else ([found for found in strategy.patterns if found.name in names], [])
    return [], [f"neither an event nor a pattern is given: {_known('events', '', strategy.events)}"]


def _known(kind: str, wanted: str, known: Sequence[str]) -> str:
    if not known:
        return f"the keys declare no {kind}"
    close = difflib.get_close_matches(wanted, known, n=1)
    return f"known are {', '.join(known)}" + (f"; did you mean {close[0]}?" if close else "")

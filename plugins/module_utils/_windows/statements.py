# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counters of pg_stat_statements between two snapshots, statement by statement."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN
from ansible_collections.midi.capacity.plugins.module_utils._report.human import moment, times
from ansible_collections.midi.capacity.plugins.module_utils._windows.reset import UnknownReset, begin

Json = Dict[str, Any]
Key = Tuple[int, int, str, bool]

# As a snapshot calls them, and as a window does: names carry their units.
FIGURES = {
    "calls": "calls",
    "rows": "rows",
    "total_exec_time": "total_exec_time_ms",
    "shared_blks_hit": "shared_blks_hit",
    "shared_blks_read": "shared_blks_read",
    "shared_blks_dirtied": "shared_blks_dirtied",
    "shared_blks_written": "shared_blks_written",
    "temp_blks_read": "temp_blks_read",
    "temp_blks_written": "temp_blks_written",
    "shared_blk_read_time": "shared_blk_read_time_ms",
    "shared_blk_write_time": "shared_blk_write_time_ms",
    "wal_bytes": "wal_bytes",
}
_IDENTITY = ("userid", "dbid", "queryid", "toplevel", "user", "database", "query")
_NOTHING = dict.fromkeys(FIGURES, 0)
# Sums of the same times in another order differ by less than this part of them.
_ROUNDING = 1e-9


def difference(earlier: Json, later: Json) -> Tuple[Json, List[str]]:
    """The part `statements` of a window, and what is to be said about it. Raises UnknownReset."""
    return _Difference(earlier, later).found()


def key(row: Json) -> Key:
    return row["userid"], row["dbid"], row["queryid"], row["toplevel"]


class _Difference:
    def __init__(self, earlier: Json, later: Json) -> None:
        self.before, self.after = earlier["statements"], later["statements"]
        reset = begin(self.before["stats_reset"], self.after["stats_reset"], earlier["taken_at"], later["taken_at"])
        self.reset = reset
        self.taken_at = earlier["taken_at"]
        self.start: str = reset or earlier["taken_at"]
        self.end: str = later["taken_at"]
        # After a reset nothing of before counts.
        self.old: Dict[Key, Json] = {} if reset else {key(row): row for row in self.before["rows"]}
        self.whole_before = bool(reset) or not self.before["rest"]["statements"]
        # Known to have had no entry then, though not all that had one have a row.
        self.absent = {key(entry) for entry in self.before.get("absent", ())}
        self.whole_after = not self.after["rest"]["statements"]
        self.evictions = self.after["dealloc"] - (0 if reset else self.before["dealloc"])
        if self.evictions < 0:
            raise UnknownReset("its counters began anew at an unknown time: fewer evictions are counted than before")
        # Whose counters are gone, with a row or without one; only the history knows it.
        self.lost = 0 if reset else self.after.get("lost", 0)
        self.rows: List[Json] = []
        self.undetermined: List[Json] = []

    def found(self) -> Tuple[Json, List[str]]:
        for row in self.after["rows"]:
            self._compare(row)
        self.rows.sort(key=lambda row: (-row["total_exec_time_ms"], *map(str, key(row))))
        gone = len(set(self.old) - {key(row) for row in self.after["rows"]})
        listed = _sum(self.rows, FIGURES.values())
        incomplete = self._incomplete(gone, listed)
        total = listed if incomplete else self._total()
        found = {
            "from": self.start,
            "to": self.end,
            "seconds": _moments.elapsed(self.start, self.end),
            "rows": self.rows,
            "total": _with_mean(total),
            "rest": None if incomplete else _with_mean({name: max(0, total[name] - listed[name]) for name in total}),
            "incomplete": incomplete,
            "undetermined": self.undetermined,
            "gone": gone,
            "evictions": self.evictions,
        }
        return found, self._reasons(gone)

    def _compare(self, row: Json) -> None:
        old = self.old.get(key(row))
        since = row["stats_since"]
        # An entry that counts since another moment than before was dropped or reset, and came back. One that had no row
        # is new if that was in the window; a moment after its end says only that the clock was set.
        before = old and old["stats_since"]
        anew = since is not None and since != before and (before is not None or self.taken_at < since <= self.end)
        known = self.whole_before or key(row) in self.absent
        if old is None and not anew and not known:
            self._undetermined(row, "the earlier snapshot may have had it among those without a row")
        elif old is None or anew:
            # One that was in no row before is new, unless some were dropped to make room and it may have come back.
            fresh = old is None and (known or not self.evictions)
            self._add(row, _NOTHING, since=None if fresh else since)
        elif _backwards(old, row):
            self._undetermined(row, "its counters began anew in the window, at an unknown time")
        else:
            self._add(row, old, since=None)

    def _add(self, row: Json, old: Json, since: Optional[str]) -> None:
        figures = {named: max(0, row[name] - old[name]) for name, named in FIGURES.items()}
        if any(figures.values()):
            self.rows.append({**_identity(row), "since": since, **_with_mean(figures)})

    def _undetermined(self, row: Json, reason: str) -> None:
        self.undetermined.append({**_identity(row), "reason": reason})

    def _total(self) -> Json:
        before = dict(_NOTHING) if self.reset else _whole(self.before)
        after = _whole(self.after)
        return {named: max(0, after[name] - before[name]) for name, named in FIGURES.items()}

    def _incomplete(self, gone: int, listed: Json) -> Optional[str]:
        """Why the difference of all sums is not what happened: something that was in the first is not in the second."""
        if self.evictions:
            return f"statements were dropped {times(self.evictions)} to make room for others"
        if any(row["since"] for row in self.rows) or any(key(row) in self.old for row in self.undetermined):
            return "statements were reset one by one"
        if gone and self.whole_after:
            return f"{_statements(gone)} dropped out"
        if self.lost:
            return f"the counters of {_statements(self.lost)} were reset"
        least = {
            name: (0 if self.reset else _whole(self.before)[name]) + listed[named] for name, named in FIGURES.items()
        }
        if _backwards(least, _whole(self.after)):
            return "the sum of all statements grew by less than that of the rows"
        return None

    def _reasons(self, gone: int) -> List[str]:
        anew = sum(1 for row in self.rows if row["since"])
        unknown = len(self.undetermined)
        told = []
        if self.reset:
            told.append(f"its counters were reset at {moment(self.reset)} and count from then on")
        if self.evictions:
            told.append(
                f"statements were dropped {times(self.evictions)} to make room for others, with what they had done"
            )
        if anew:
            told.append(f"of {_statements(anew)} the counters began anew in the window and count from then on")
        if unknown:
            told.append(f"what {_statements(unknown)} did in the window cannot be known")
        if self.lost and not (self.evictions or anew or unknown or gone):
            told.append(f"the counters of {_statements(self.lost)} were reset, with what was done until then")
        if gone:
            where = "dropped" if self.whole_after else "dropped, or among those without a row"
            told.append(f"at the end there is nothing of {_statements(gone)} any more: {where}")
        return told


def _identity(row: Json) -> Json:
    return {**{name: row[name] for name in _IDENTITY}, "own": OWN in row["query"]}


def _with_mean(figures: Json) -> Json:
    calls = figures["calls"]
    return {**figures, "mean_exec_time_ms": figures["total_exec_time_ms"] / calls if calls else None}


def _sum(rows: Iterable[Json], names: Iterable[str]) -> Json:
    entries = list(rows)
    return {name: sum(entry[name] for entry in entries) for name in names}


def _whole(found: Json) -> Json:
    """The counters of all statements together."""
    return _sum([*found["rows"], found["rest"]], FIGURES)


def _backwards(before: Json, after: Json) -> bool:
    return any(after[name] < before[name] - _ROUNDING * abs(before[name]) for name in FIGURES)


def _statements(number: int) -> str:
    return "one statement" if number == 1 else f"{number} statements"

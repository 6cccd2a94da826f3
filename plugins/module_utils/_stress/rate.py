# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many files a second, and how that is known."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Union

Json = Dict[str, Any]
Growth = Optional[Mapping[str, Any]]


def rate(log: Mapping[str, Any], before: Growth, after: Growth, seconds: float) -> Json:
    """{files, files_per_second, method, reason}: the first three are None where nothing tells, and reason says why.

    log: as LogTally.result(). before, after: `growth` of two snapshots. What the command itself says comes first,
    because somebody has declared where it says so.
    """
    if log["files_per_second"] is not None:
        return _known(log["files"], log["files_per_second"], "the command's own figure, in its log")
    if log["files"] is not None:
        return _known(log["files"], _per_second(log["files"], seconds), "the command's count, in its log, by its time")
    reason = _unknown(before, after)
    if reason or not before or not after:
        return {"files": None, "files_per_second": None, "method": None, "reason": reason}
    files = after["rows"] - before["rows"]
    method = f"rows of {after['table']}, counted before and after, by the command's time"
    return _known(files, _per_second(files, seconds), method)


def _known(files: Optional[int], per_second: Optional[float], method: str) -> Json:
    return {"files": files, "files_per_second": per_second, "method": method, "reason": None}


def _per_second(files: Union[int, float], seconds: float) -> Optional[float]:
    return round(files / seconds, 2) if seconds > 0 else None


def _unknown(before: Growth, after: Growth) -> Optional[str]:
    if before is None or after is None:
        return "no pattern of the log has a number of files, and the rows of no growth table could be counted"
    for growth in (before, after):
        if growth["method"] != "exact":
            return f"the rows of {growth['table']} are an estimate: {growth['note'] or 'they were not counted'}"
    return None

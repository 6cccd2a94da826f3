# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Percentiles of the time that statements took in a window, out of pg_stat_statements. Pure: no Ansible, no I/O.

pg_stat_statements has no percentiles, but of each statement the calls, their time, its deviation, and the shortest and
the longest call. Readings of it every few minutes make cells: one statement in one stretch of time. What is likely is
kept apart from what is certain, and the latter alone decides whether a percentile is below a limit. All times are of
execution in the server: without planning, commit, network, and queues of clients.

A percentile is one of the calls: the shortest one that this percentage of all calls did not exceed (rank.py).

cells.difference(earlier, later)
    What a statement did between two readings of its entry, a Cell, or None if there was no call.
    An entry: calls; total_exec_time, stddev_exec_time, min_exec_time, max_exec_time in ms, unrounded; stats_since and
    minmax_stats_since, which are only compared, and None or not there before PostgreSQL 17. It may have more.
    earlier is None if there was no entry then; not if nobody read it, for then there is no window.
    An entry that began anew in between (another stats_since, or what never shrinks has shrunk) is counted from zero and
    marked. What it had counted before is lost.
    The shortest and the longest call are known to be the window's own if the entry began in it, if they exceed those of
    before, and if they were reset (minmax_only, PostgreSQL 17) with no call from then to the earlier reading. After
    a reset in the window they serve to estimate, but prove nothing, because nobody saw the calls before it. Whoever
    resets them had better read, reset, and read again, and hand over both cells: until the second reading, and from it.

cells.merge(cells, least=200)
    Consecutive cells of one statement, put together until each has so many calls. estimate() does so itself.

estimate.estimate({statement: its cells in order}, percentiles=(50, 95, 99), least=200)
    Of all calls of the statements together; those that functions run (toplevel is false) are in the time of others
    already, and best left out. Raises ValueError for what is no percentile.
    calls                   int
    percentiles             {p50: {estimate_ms, lower_ms, upper_ms}, ...}; None without a call. The percentile is not
                            below lower_ms and not above upper_ms, whatever the calls were.
    method                  how it is known, as a text
    confidence              usual or low
    reasons                 texts: why it is low
    restarted_share_percent which of the calls are of entries that began anew in the window; None without a call

estimate.below({lower_ms, upper_ms}, limit_ms)
    yes, no or undecidable: whether the percentile is below the limit, for certain.

How the bounds are found: of each cell, the least and the most calls that can have taken at most so long (bounds.py),
added up, and turned round (invert.py). One or two calls, and beside them the shortest and the longest, give
themselves away (known.py).

How the estimate is found: of each cell the shape that its longest call fits (fit.py), all of them mixed, and turned
round. A single shape for all, such as mean plus so many deviations, is off by a multiple for statements that wait for
locks, miss caches or change their plans. Those have two groups of calls. Where the longest call of the window is not
known, which is usual as long as nobody resets it, the one is taken that the entry's whole life lets expect of so many
calls; confidence is low then.
"""

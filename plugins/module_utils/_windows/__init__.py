# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows over cumulative counters: what happened between two moments. Pure: no Ansible, no I/O.

Counters are reset, evicted and lost; what is not known is never made up: it is None, or apart, with a reason.
A reset whose moment is known makes the window of that part shorter; one whose moment is not makes the part None.

snapshots.window(earlier, later)
    of two snapshots of module pg_snapshot_info, or of the agent. statements.absent of the earlier one, if it is there:
    keys of statements that had no entry then, for sure, where not all that had one have a row. statements.lost of the
    later one, if it is there: how many lost their counters since the earlier one, which has to be the one before it.
    Raises NotAWindow unless the later one was taken later.
    from, to            ISO 8601 in UTC, as taken_at is
    seconds             float
    server, statements, database    the three below; statements and database may be None
    reasons             [{part, reason}]: part is server, statements or database; whatever shortens, bars or weakens
                        the window of that part. Empty when all is exact.

  server                {restarted_at: the last start in the window or None, version: of both if it is one, or None}
  statements            from, to, seconds: its own window, shorter after a reset in it
    rows                what ran in the window, most time first. Each has userid, dbid, queryid, toplevel (the key),
                        user, database, query, own (a query of snapshots themselves), since (None, or from when on the
                        row counts because its entry began anew in the window), and the figures
    total               the figures of all statements, those without a row too
    rest                total less rows, for statements that the snapshots have no row of; None where incomplete
    incomplete          None, or why total is the sum of the rows only, and there may be more
    undetermined        rows with the key and query, and a reason, whose figures in the window cannot be known
    gone                number of rows that the later snapshot does not have any more
    evictions           how often statements were dropped to make room for others
    figures             calls, rows, total_exec_time_ms, mean_exec_time_ms (None without calls), shared_blks_hit,
                        shared_blks_read, shared_blks_dirtied, shared_blks_written, temp_blks_read, temp_blks_written,
                        shared_blk_read_time_ms, shared_blk_write_time_ms, wal_bytes. No deviation and no percentile:
                        counters do not have them for a window.
  database              from, to, seconds; the counters of pg_stat_database by their names, times with _ms;
                        hit_ratio_percent of shared buffers (None without a block)

caches.window(earlier, later)
    of two caches of module redis_cache_info. Raises NotAWindow. taken_at is in whole seconds there, so seconds may be
    off by one.
    from, to, seconds, hits, misses, evicted_keys, expired_keys, total_commands, hit_ratio_percent (None without a
    lookup), reasons [{part: cache, reason}]. A figure that cannot be known is None.

shares.percent(part, whole)
    part of whole in percent, None where there is no whole.
"""

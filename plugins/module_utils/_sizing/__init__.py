# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL's settings computed from a machine, and the one budget they have to fit. Pure: no Ansible, no I/O.

Profiles follow pgtune's published algorithm (https://pgtune.leopard.in.ua, le0pard/pgtune, 2026-07), whose type "dw"
is our `analytics`. tests/unit/test_sizing_pgtune.py holds both side by side. Where they differ, and why:

- Sizes are rounded down, by a 32nd at most: the kernel's own share of the RAM, and with it MemTotal, changes by some
  MB with an update, and that must not ask for a restart. `wal_buffers` is rounded down to whole blocks only.
- The machine is what the server may use, its own cgroup's limits included, and no RAM of a data sheet.
- `work_mem`: pgtune gives all of the RAM away but `shared_buffers`, and never less than 4 MB. Here it is also never
  more than the budget bears. pgtune reckons with max_worker_processes; here max_parallel_workers counts, because only
  parallel workers use work_mem.
- `max_worker_processes` is 8 above `max_parallel_workers` and not the same: with both alike other workers take places
  away, so that fewer than max_parallel_workers start (PostgreSQL manual 19.4, max_parallel_workers). On a standby it
  is never lowered, because a standby with less than its primary does not start.
- Machines with fewer than 4 CPUs get parallel settings too: PostgreSQL's defaults are for 8. One CPU gets no parallel
  query.
- `autovacuum_work_mem` is always set, so that all workers together have a 16th of the memory; up to PostgreSQL 16 at
  most 1 GB each, more than which VACUUM cannot use there (manual 19.4, autovacuum_work_mem). From 17 on 2 GB each, as
  with pgtune, which sets it only there.
- `autovacuum_max_workers`, `jit` and the settings for parallel query are always said; pgtune leaves out some defaults.
- `wal_buffers` is a 32nd of shared_buffers, as the server itself reckons (manual 19.5); pgtune takes 3 %.
- `max_wal_size` is at most an eighth of the data directory's file system, where its size is known.
- `huge_pages` is `try` whatever the size: with it the server starts with and without huge pages, and below 2 GB
  pgtune's `off` would be a restart for nothing.
- `io_method` is `worker`: `io_uring` needs a build with liburing, and Docker's default seccomp profile forbids its
  system calls (moby/moby#46762), in either case of which the server does not start. `io_workers` is pgtune's for
  `worker`.
- `max_connections` is an input here, given or live, and never computed: only the applications know it.
- Not computed, for they have nothing to do with the machine's size: default_statistics_target, wal_compression,
  wal_level.

Budget: what the settings can want at once, against the memory but for head-room; see budget.py for what counts and
what not.
"""

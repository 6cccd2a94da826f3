#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_snapshot_info
short_description: Take a snapshot of a PostgreSQL server for capacity work
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Reads sizes, raw counters, connections, settings and health of a PostgreSQL server, with the host that it runs
    on and, if wanted, its Redis cache.
  - Counters are cumulative and come with the time of their last reset. What happened in a span of time is the
    difference of two snapshots; the module never resets anything.
  - A part that cannot be read is V(null) and stands in RV(snapshot.missing) with the reason and what to do about
    it. It never keeps the other parts from being read. Only a server that cannot be reached is a failure.
  - Each part is read over one connection in a read-only transaction of its own that gives up after 30 seconds,
    or after 2 seconds of waiting for a lock. It takes no lock above C(ACCESS SHARE).
  - The module's own connection is not counted anywhere in the snapshot.
extends_documentation_fragment:
  - midi.capacity.postgres
options:
  growth_table:
    description:
      - The table whose rows tell how the database grows, as SQL writes its name, with or without a schema.
      - Empty counts no table.
    type: str
    default: ""
  growth_count:
    description:
      - V(exact) counts every row. When that takes longer than O(growth_timeout_seconds) or is not permitted, the
        estimate is given instead, and RV(snapshot.growth.note) says why.
      - V(estimate) takes the density that the last C(VACUUM) or C(ANALYZE) found, times the size of the table now.
    type: str
    choices: [exact, estimate]
    default: exact
  growth_timeout_seconds:
    description:
      - How long counting may take.
    type: int
    default: 30
  statements_limit:
    description:
      - How many statements of C(pg_stat_statements), those with the most total time first, get a row of their own.
        All others are summed up in one.
    type: int
    default: 100
  host:
    description:
      - Whether to read the host's CPU, memory and disk. Only done where PostgreSQL runs on the host that runs the
        module; otherwise the part is missing.
    type: bool
    default: true
  host_sample_seconds:
    description:
      - Over how many seconds CPU use is measured.
    type: float
    default: 1.0
  redis:
    description:
      - How to reach the Redis cache, as seen from the host that runs the module. The options are those of
        M(midi.capacity.redis_cache_info). Without it no cache is read.
    type: dict
    suboptions:
      login_host:
        description:
          - Host that Redis listens on.
        type: str
        default: 127.0.0.1
      login_port:
        description:
          - Port that Redis listens on.
        type: int
        default: 6379
      login_user:
        description:
          - ACL user to log in as. Without it Redis takes its user C(default).
        type: str
      login_password:
        description:
          - Password of O(redis.login_user).
        type: str
      login_password_file:
        description:
          - File on this host whose first line is the password, in place of O(redis.login_password).
        type: path
      login_unix_socket:
        description:
          - Path of the Unix socket. It takes precedence over O(redis.login_host) and O(redis.login_port).
        type: path
      tls:
        description:
          - Whether to talk TLS.
        type: bool
        default: false
      validate_certs:
        description:
          - Whether the server's certificate must be valid and be for O(redis.login_host).
        type: bool
        default: true
      ca_certs:
        description:
          - File with the certificate authorities to verify the server against. Without it the system's count.
        type: path
attributes:
  check_mode:
    description: Only reads, in check mode too.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
notes:
  - A role with the privileges of C(pg_monitor) reads everything except for the exact count, which needs C(SELECT)
    on O(growth_table).
  - Texts of statements carry no constants, except for some utility statements, where the module masks what looks
    like a password.
  - O(redis) needs the Python library redis (Debian package C(python3-redis)) on the host that runs the module.
seealso:
  - module: midi.capacity.pg_settings
  - module: midi.capacity.redis_cache_info
  - name: PostgreSQL's statistics
    description: The views that the counters come from, and what each of them means.
    link: https://www.postgresql.org/docs/current/monitoring-stats.html
"""

EXAMPLES = r"""
- name: Take a snapshot, with the exact number of rows of table files
  midi.capacity.pg_snapshot_info:
    login_db: midi_library
    growth_table: files
  become: true
  become_user: postgres
  register: taken

- name: Say what could not be read
  ansible.builtin.debug:
    msg: "{{ item.part }}: {{ item.reason }}"
  loop: "{{ taken.snapshot.missing }}"

- name: Take a snapshot with the figures of the cache beside PostgreSQL
  midi.capacity.pg_snapshot_info:
    login_db: midi_library
    redis:
      login_port: 6379
  become: true
  become_user: postgres
"""

RETURN = r"""
snapshot:
  description:
    - The snapshot. Names below C(database) and C(statements) are PostgreSQL's own; times there are milliseconds.
    - Moments are ISO 8601 in UTC with milliseconds. Everything can be stored as JSON.
  returned: success
  type: dict
  contains:
    schema_version:
      description: Version of this structure.
      type: int
      sample: 1
    taken_at:
      description: When, by the server's clock.
      type: str
      sample: "2026-11-24T00:29:41.236Z"
    server:
      description: Which server and database it was.
      type: dict
      contains:
        system_identifier:
          description: What tells this cluster from all others. A text, because many readers of JSON would round it.
          type: str
          sample: "7711527333102537146"
        database:
          description: The database.
          type: str
          sample: midi_library
        version:
          description: Version of the server.
          type: str
          sample: "16.4"
        version_num:
          description: The same as a number.
          type: int
          sample: 160004
        postmaster_start:
          description: When the server was started.
          type: str
        counters_since:
          description: When the counters of the cluster were lost or reset last, as by a crash or an immediate stop.
          type: str
        in_recovery:
          description: Whether it is a standby.
          type: bool
    settings:
      description: The settings that matter for capacity, by name; without those that this version does not have.
      type: dict
      contains:
        setting:
          description: The value, in RV(snapshot.settings.unit).
          type: str
          sample: "16384"
        unit:
          description: Unit of the value, or null.
          type: str
          sample: 8kB
        source:
          description: Where the value comes from.
          type: str
          sample: configuration file
        pending_restart:
          description: Whether the configuration files have another value that waits for a restart.
          type: bool
    connections:
      description: Connections of clients to all databases at that moment, without the module's own.
      type: dict
      contains:
        total:
          description: How many there are.
          type: int
        by_state:
          description: How many are in each state, as in C(pg_stat_activity).
          type: dict
          sample: {"active": 3, "idle": 9, "idle in transaction": 1, "idle in transaction (aborted)": 0}
        by_database:
          description: How many there are to each database.
          type: dict
          sample: {"midi_library": 13}
        usable_maximum:
          description: C(max_connections) without those that are reserved for superusers and privileged roles.
          type: int
          sample: 253
    database:
      description: The row of C(pg_stat_database) for the database.
      type: dict
    statements:
      description: The counters of C(pg_stat_statements), for all databases.
      type: dict
      contains:
        stats_reset:
          description: Since when they count.
          type: str
        dealloc:
          description: How often statements were dropped because there were more than C(pg_stat_statements.max).
          type: int
        rows:
          description:
            - The statements with the most total time, most first. A statement is known by C(userid), C(dbid),
              C(queryid) and C(toplevel); C(queryid) is a text, because many readers of JSON would round it.
            - C(query) has at most 2,000 characters. C(stats_since) is null before PostgreSQL 17.
            - The times of blocks are C(shared_blk_read_time) and C(shared_blk_write_time) in all versions.
          type: list
          elements: dict
        rest:
          description: The sums of all other statements, and in C(statements) how many these are.
          type: dict
    sizes:
      description: What takes space in the database.
      type: dict
      contains:
        database_bytes:
          description: All of the database.
          type: int
        tables:
          description:
            - Every table, partition and materialized view outside of the system schemas.
            - RV(snapshot.sizes.tables[].total_bytes) is the sum of the three sizes that follow it.
          type: list
          elements: dict
          contains:
            schema:
              description: Its schema.
              type: str
            name:
              description: Its name.
              type: str
            partition_of:
              description: For a partition, schema and name of the partitioned table at the root, otherwise null.
              type: str
            total_bytes:
              description: All of it.
              type: int
            table_bytes:
              description: The table itself, with its maps.
              type: int
            indexes_bytes:
              description: Its indexes.
              type: int
            toast_bytes:
              description: Its long values, with their index.
              type: int
            estimated_rows:
              description: As the last C(VACUUM) or C(ANALYZE) estimated it, or null if there was none.
              type: int
        indexes:
          description: Every index of these tables.
          type: list
          elements: dict
          contains:
            schema:
              description: Its schema.
              type: str
            table:
              description: Its table.
              type: str
            name:
              description: Its name.
              type: str
            bytes:
              description: Its size.
              type: int
            scans:
              description: How often it was scanned since the last reset.
              type: int
            valid:
              description: Whether queries may use it.
              type: bool
        counts:
          description: How many there are of each.
          type: dict
          contains:
            tables:
              description: Tables; a partitioned table counts as one.
              type: int
            indexes:
              description: Indexes; those of partitions count one by one.
              type: int
            partitions:
              description: Partitions.
              type: int
    growth:
      description: The rows of O(growth_table), or null if there is none.
      type: dict
      contains:
        table:
          description: Schema and name.
          type: str
          sample: public.files
        rows:
          description: Number of rows.
          type: int
          sample: 1720000
        method:
          description: V(exact) or V(estimate).
          type: str
          sample: exact
        seconds:
          description: How long it took to find out.
          type: float
        note:
          description: Why there is an estimate where an exact count was wanted, otherwise null.
          type: str
    health:
      description: What needs attention, if anything.
      type: dict
      contains:
        oldest_transaction_seconds:
          description: Age of the oldest transaction that is open or prepared; 0 when there is none.
          type: float
        oldest_xid_age:
          description: Transactions since the oldest row that is not frozen, over all databases.
          type: int
        replication:
          description: C(standbys) that replicate from here; on a standby C(receiver), how far it is behind.
          type: dict
        inactive_slots:
          description: Replication slots that nobody reads, with the WAL that they hold back.
          type: list
          elements: dict
        invalid_indexes:
          description: Indexes that queries cannot use. C(building) tells those that are being built.
          type: list
          elements: dict
    host:
      description: What the host has and uses; null without O(host).
      type: dict
    redis:
      description:
        - The figures of the cache, as RV(midi.capacity.redis_cache_info#module:cache) has them; null without O(redis).
        - What could not be read of them stands in RV(snapshot.missing).
      type: dict
    missing:
      description: The parts that could not be read.
      type: list
      elements: dict
      contains:
        part:
          description: Where it would stand in the snapshot.
          type: str
          sample: statements
        reason:
          description: Why it is missing.
          type: str
          sample: pg_stat_statements must be loaded via "shared_preload_libraries"
        remedy:
          description: What to do about it; may be empty.
          type: str
          sample: add pg_stat_statements to shared_preload_libraries and restart the server
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres, _redis_facts, _snapshot, _snapshot_host
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import REDIS_SPEC

SPEC = ArgumentSpec(
    {
        "growth_table": {"type": "str", "default": ""},
        "growth_count": {"type": "str", "choices": ["exact", "estimate"], "default": "exact"},
        "growth_timeout_seconds": {"type": "int", "default": 30},
        "statements_limit": {"type": "int", "default": 100},
        "host": {"type": "bool", "default": True},
        "host_sample_seconds": {"type": "float", "default": 1.0},
        "redis": {"type": "dict", "options": REDIS_SPEC.options},
    }
)


def snapshot(options):
    """A snapshot as the module's options say. Raises OperatorError for bad options, Unreachable."""
    # To PostgreSQL a limit of 0 seconds is no limit at all.
    if options["growth_timeout_seconds"] < 1:
        raise OperatorError("growth_timeout_seconds must be 1 or more")
    if options["statements_limit"] < 0:
        raise OperatorError("statements_limit must be 0 or more")

    def read_host(place):
        return _snapshot_host.read(place, options["login_host"], options["host_sample_seconds"])

    def read_redis():
        return _redis_facts.read(options["redis"])

    server = _postgres.Server.connect(options)
    try:
        return _snapshot.take(
            server,
            options,
            read_host if options["host"] else None,
            None if options["redis"] is None else read_redis,
        )
    finally:
        server.close()


def main():
    module = _postgres.POSTGRES_SPEC.merge(SPEC).create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    try:
        module.exit_json(changed=False, snapshot=snapshot(module.params))
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)


if __name__ == "__main__":
    main()

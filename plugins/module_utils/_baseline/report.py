# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a baseline."""

from __future__ import annotations

from typing import List

from ansible_collections.midi.capacity.plugins.module_utils._baseline.cache import cache, cache_steps
from ansible_collections.midi.capacity.plugins.module_utils._baseline.glance import glance
from ansible_collections.midi.capacity.plugins.module_utils._baseline.host import host
from ansible_collections.midi.capacity.plugins.module_utils._baseline.settings import settings
from ansible_collections.midi.capacity.plugins.module_utils._baseline.sizes import largest_indexes, largest_tables
from ansible_collections.midi.capacity.plugins.module_utils._baseline.statements import statements
from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import Json, View, section, sentence
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._report.markdown import code

SCHEMA_VERSION = 1


class UnknownSchema(ValueError):
    """The baseline is of a version that this report does not know."""


def markdown(baseline: Json) -> str:
    """The report, as Markdown that ends in a line break.

    baseline: {schema_version, label, taken_at, inventory_hostname, snapshot (of module pg_snapshot_info),
    cache (of module redis_cache_info, or None), cache_reason (why it is None)}. Raises UnknownSchema.
    """
    for document, found in (("baseline", baseline), ("snapshot", baseline["snapshot"])):
        if found["schema_version"] != SCHEMA_VERSION:
            raise UnknownSchema(f"the {document} has schema version {found['schema_version']}, not {SCHEMA_VERSION}")
    view = View(baseline)
    parts = [
        _heading(view),
        glance(view),
        largest_tables(view),
        largest_indexes(view),
        statements(view),
        cache(view),
        host(view),
        settings(view),
        _next_steps(view),
    ]
    return "\n\n".join(parts) + "\n"


def _heading(view: View) -> str:
    baseline, server = view.baseline, view.snapshot["server"]
    title = f"# Capacity baseline {code(baseline['label'])}"
    taken = f"Taken {human.moment(baseline['taken_at'])} on {code(baseline['inventory_hostname'])}"
    if server is None:
        return f"{title}\n\n{taken}. {sentence(view.how('server', ''))}"
    up = human.seconds(human.seconds_between(server["postmaster_start"], baseline["taken_at"]))
    what = f"database {code(server['database'])} of PostgreSQL {server['version']}"
    role = "a standby" if server["in_recovery"] else "a primary"
    return f"{title}\n\n{taken}: {what}, {role}, up for {up}. System identifier {server['system_identifier']}."


def _next_steps(view: View) -> str:
    steps: List[str] = []
    for entry in view.missing:
        remedy = f" To get it: {entry['remedy']}." if entry["remedy"] else ""
        steps.append(f"- **{entry['part']}**: {entry['reason']}.{remedy}")
    if view.snapshot["growth"] is None and view.reason("growth") is None:
        steps.append("- **growth**: no table was named. To get it: name the table whose rows tell of growth.")
    steps += cache_steps(view)
    invalid = [index for index in view.snapshot["health"]["invalid_indexes"] or [] if not index["building"]]
    for index in invalid:
        name = f"{index['schema']}.{index['name']}"
        steps.append(f"- **{name}** is invalid: it costs on every write and serves no query. Drop it, or rebuild it.")
    waiting = [name for name, row in (view.snapshot["settings"] or {}).items() if row["pending_restart"]]
    if waiting:
        steps.append(f"- **restart**: {', '.join(waiting)} will change when the server is started again.")
    return section("What to do next", "\n".join(steps) if steps else "Nothing is missing.")

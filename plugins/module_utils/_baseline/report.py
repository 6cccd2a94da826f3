# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a baseline."""

from __future__ import annotations

from typing import List, Tuple

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._baseline.cache import cache
from ansible_collections.midi.capacity.plugins.module_utils._baseline.glance import glance
from ansible_collections.midi.capacity.plugins.module_utils._baseline.host import host
from ansible_collections.midi.capacity.plugins.module_utils._baseline.settings import settings
from ansible_collections.midi.capacity.plugins.module_utils._baseline.sizes import largest_indexes, largest_tables
from ansible_collections.midi.capacity.plugins.module_utils._baseline.statements import statements
from ansible_collections.midi.capacity.plugins.module_utils._baseline.steps import steps
from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import Json, View, ended, sentence
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._report.document import (
    Code,
    Document,
    Inline,
    Section,
    Strong,
    items,
    section,
)
from ansible_collections.midi.capacity.plugins.module_utils._report.markdown import written

SCHEMA_VERSION = 1


class UnknownSchema(ValueError):
    """The baseline is of a version that this report does not know."""


def markdown(baseline: Json) -> str:
    """The report, as Markdown that ends in a line break.

    baseline: {schema_version, label, taken_at, inventory_hostname, snapshot (of module pg_snapshot_info),
    cache (of module redis_cache_info, or None), cache_reason (why it is None), begin ({snapshot, cache}: what they were
    when the window began, or None; baselines of before windows do not have it)}. Raises UnknownSchema.
    """
    return written(document(baseline))


def document(baseline: Json) -> Document:
    """The report as data; see markdown()."""
    view = checked(baseline)
    title, lead = _heading(view)
    sections = [
        glance(view),
        largest_tables(view),
        largest_indexes(view),
        statements(view),
        cache(view),
        host(view),
        settings(view),
        _next_steps(view),
    ]
    return Document(title, lead, sections)


def checked(baseline: Json) -> View:
    """The baseline, if it is of a version that is known here. Raises UnknownSchema."""
    # A newer baseline may have no snapshot, or another one, so its own version comes first.
    _check_version("baseline", baseline)
    _check_version("snapshot", baseline["snapshot"])
    return View(baseline)


def _heading(view: View) -> Tuple[List[Inline], List[Inline]]:
    baseline, server = view.baseline, view.snapshot["server"]
    title: List[Inline] = ["Capacity baseline ", Code(baseline["label"])]
    taken: List[Inline] = [f"Taken {human.moment(baseline['taken_at'])} on ", Code(baseline["inventory_hostname"])]
    if server is None:
        return title, [*taken, f". {sentence(view.how('server', ''))}"]
    up = human.seconds(_moments.elapsed(server["postmaster_start"], baseline["taken_at"]))
    role = "a standby" if server["in_recovery"] else "a primary"
    what = f" of PostgreSQL {server['version']}, {role}, up for {up}. System identifier {server['system_identifier']}."
    return title, [*taken, ": database ", Code(server["database"]), what]


def _check_version(document: str, found: Json) -> None:
    if found["schema_version"] != SCHEMA_VERSION:
        raise UnknownSchema(f"the {document} has schema version {found['schema_version']}, not {SCHEMA_VERSION}")


def _next_steps(view: View) -> Section:
    lines = [_line(step) for step in steps(view)]
    return section("What to do next", items(lines) or "Nothing is missing.")


def _line(step: Json) -> List[Inline]:
    purpose = "get" if step["gap"] else "mend"
    remedy = f" To {purpose} it: {ended(step['remedy'])}" if step["remedy"] else ""
    return [Strong(step["part"]), f": {ended(step['what'])}{remedy}"]

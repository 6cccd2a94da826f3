# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one thing that the agent may change in a server, and only if it is told to: shortest and longest calls."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils import _snapshot_sql as queries
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server, sql
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN
from ansible_collections.midi.capacity.plugins.module_utils._snapshot_parts import Unreadable, statements_extension

_RESET = f"SELECT {OWN} {{schema}}.pg_stat_statements_reset(0, 0, 0, true)"


def reset_extremes(server: Server) -> None:
    """Has the shortest and the longest call of every statement begin anew, and nothing else. Raises OperatorError."""
    schema, version, _info = statements_extension(server)
    if version < queries.FIRST_WITH_STATS_SINCE:
        raise Unreadable(
            "the shortest and longest calls cannot be reset alone before PostgreSQL 17", "set minmax_reset to false"
        )
    server.rows(sql.SQL(_RESET).format(schema=schema))

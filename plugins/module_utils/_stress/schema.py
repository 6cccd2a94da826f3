# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a database has the tables that the built-in importer fills."""

from __future__ import annotations

from typing import List, Mapping, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._library.model import Table
from ansible_collections.midi.capacity.plugins.module_utils._library.tables import FILE_TAGS, FILES, MUSICAL_METADATA

# In this order, in which no row refers to one of a later table.
FILLED: Tuple[Table, ...] = (FILES, FILE_TAGS, MUSICAL_METADATA)
# Read, and not written to.
READ = ("tags",)

# Whether a row has to give a value, by column.
Columns = Mapping[str, bool]


def problems(found: Mapping[str, Optional[Columns]]) -> List[str]:
    """A sentence for each thing that is in the way. found: the columns of each table, None where it is not there."""
    faults = [f"there is no table {name}" for name in READ if found.get(name) is None]
    for table in FILLED:
        columns = found.get(table.name)
        if columns is None:
            faults.append(f"there is no table {table.name}")
            continue
        missing = [name for name in table.columns if name not in columns]
        if missing:
            faults.append(f"{table.name} has no column {', '.join(missing)}")
        wanted = sorted(name for name, needed in columns.items() if needed and name not in table.columns)
        if wanted:
            faults.append(f"{table.name} wants a value for {', '.join(wanted)}, which the importer has not")
    return faults

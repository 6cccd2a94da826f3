# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and spelling that the textfile, the rules and the dashboard share."""

from __future__ import annotations

from typing import Mapping

from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import PREFIX

LAST_SNAPSHOT = PREFIX + "last_snapshot_timestamp_seconds"
MISSING = PREFIX + "reading_missing"
DATABASE = "database"


def escaped(text: str) -> str:
    """As a text in double quotes, in the text format and in PromQL alike. What is no UTF-8 becomes a question mark."""
    known = text.encode("utf-8", "replace").decode("utf-8")
    return known.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def selector(labels: Mapping[str, str]) -> str:
    """{a="b",c="d"}, or nothing without a label."""
    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items()) + "}" if labels else ""

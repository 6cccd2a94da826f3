# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that must not show, because their setting holds a secret, or somebody misspelt the name of one that does."""

from __future__ import annotations

import difflib
import re
from typing import Any, List, Mapping

from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import catalog

_LOOKS_SECRET = re.compile("pass|auth|secret|token|pwd")
_LEAST_LIKENESS = 0.9


def secrets(settings: Mapping[str, Any]) -> List[str]:
    """The values to mask; they are refused, but Ansible prints the arguments that it was given."""
    return [text for name, value in settings.items() if is_secret(str(name)) for text in _texts(value)]


def is_secret(name: str) -> bool:
    """Whether a name is that of a secret, as far as one can tell from how it looks."""
    plain = name.strip().lower().replace("_", "-")
    if plain in catalog.WORDS:
        return False
    return bool(_LOOKS_SECRET.search(plain)) or bool(
        difflib.get_close_matches(plain, catalog.SECRET, n=1, cutoff=_LEAST_LIKENESS)
    )


def _texts(value: Any) -> List[str]:
    if isinstance(value, Mapping):
        return [text for element in value.values() for text in _texts(element)]
    if isinstance(value, (list, tuple)):
        return [text for element in value for text in _texts(element)]
    # To mask yes and no would make everything else unreadable.
    return [] if value is None or isinstance(value, bool) or value == "" else [str(value)]

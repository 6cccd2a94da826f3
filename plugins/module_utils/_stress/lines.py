# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of a log as its lines, in bounded memory."""

from __future__ import annotations

import re
from typing import List

LONGEST_LINE = 2000
# A progress bar ends its lines with a carriage return.
_ENDS = re.compile(rb"\r\n|\r|\n")


class Lines:
    """Takes a log in pieces and gives it in lines; what a line has beyond LONGEST_LINE bytes is dropped."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> List[str]:
        """The lines that this piece ended; empty ones are left out."""
        # Of one that is too long only the beginning is kept. The end is looked for in the new piece alone.
        *whole, self._rest = _ENDS.split(self._rest[:LONGEST_LINE] + piece)
        return _texts(whole)

    def end(self) -> List[str]:
        """The last line, if nothing ended it."""
        rest, self._rest = self._rest, b""
        return _texts([rest])


def _texts(lines: List[bytes]) -> List[str]:
    texts = [line[:LONGEST_LINE].decode("utf-8", "replace").strip() for line in lines]
    return [text for text in texts if text]

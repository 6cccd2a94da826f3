# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that is started, waited for so long, and heard."""

from __future__ import annotations

import subprocess


def ended(command: list, timeout_seconds: float, **more) -> tuple:
    """(exit status, what it wrote to standard output, and to standard error). Nobody types anything for it.

    more: as subprocess.run takes it, such as env and cwd. Raises OSError, subprocess.SubprocessError.
    """
    done = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=timeout_seconds,
        **more,
    )
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

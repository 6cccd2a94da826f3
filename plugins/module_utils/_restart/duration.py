# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a restart takes at most, for the maintenance window and for the watch over the clients."""

from __future__ import annotations

from typing import Dict

# initdb, before the trial starts anything.
_TRIAL_SETUP_SECONDS = 10.0
# What Ansible takes between the parts.
_STEPS_SECONDS = 60.0


def seconds(drain: float, timeout: float, trial: bool, earlier: float = 0) -> Dict[str, float]:
    """{restart, own, whole}: from the checkpoint to the end of the way back, with what is done before, with the wait.

    timeout: what the role gives each of checkpoint, stop, start, answer, trial and replay. earlier: what hosts take
    that are restarted before this one.
    """
    stop_start_answer = 3 * timeout
    way_back = stop_start_answer
    restart = timeout + drain + stop_start_answer + way_back + _STEPS_SECONDS
    own = restart + (_TRIAL_SETUP_SECONDS + timeout if trial else 0)
    replay = timeout if earlier else 0
    return {"restart": restart, "own": own, "whole": earlier + replay + own}

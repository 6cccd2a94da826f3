# SPDX-License-Identifier: GPL-3.0-or-later
"""_restart.duration: how long a restart takes at most."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.midi.capacity.plugins.filter.restart_seconds import restart_seconds
from ansible_collections.midi.capacity.plugins.module_utils._restart.duration import seconds


@pytest.mark.parametrize(
    ("drain", "timeout", "trial", "earlier", "expected"),
    [
        # A checkpoint; stop, start and answer; the same for the way back; a minute for the steps.
        (30, 60, False, 0, {"restart": 510, "own": 510, "whole": 510}),
        (30, 60, True, 0, {"restart": 510, "own": 580, "whole": 580}),
        # Another host before, and the replay of what it wrote.
        (30, 60, True, 580, {"restart": 510, "own": 580, "whole": 1220}),
        (0, 1, False, 0, {"restart": 67, "own": 67, "whole": 67}),
    ],
)
def test_all_parts_are_counted(drain: float, timeout: float, trial: bool, earlier: float, expected: dict) -> None:
    assert seconds(drain, timeout, trial, earlier) == expected
    # As `-e` hands them over.
    assert restart_seconds(str(drain), str(timeout), str(trial), str(earlier)) == expected


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match=r"restart_seconds: .*soon"):
        restart_seconds(30, "soon", trial=True)

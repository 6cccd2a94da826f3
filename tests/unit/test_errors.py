# SPDX-License-Identifier: GPL-3.0-or-later
"""_errors: the sentences of an error end once."""

from __future__ import annotations

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OperatorError("it broke"), "it broke."),
        (OperatorError("it broke", "db1:5432", "mend it"), "it broke (db1:5432). To mend it: mend it."),
        (OperatorError("no metric cpu: did you mean cpu_busy?"), "no metric cpu: did you mean cpu_busy?"),
        (OperatorError("no cpu: did you mean x?", "line 1"), "no cpu: did you mean x? (line 1)."),
        (OperatorError("it broke", remedy="is it on?"), "it broke. To mend it: is it on?"),
        (OperatorError("it broke?", items=["one"]), "it broke?:\n  - one"),
    ],
)
def test_sentences_end_once(error: OperatorError, told: str) -> None:
    assert str(error) == told

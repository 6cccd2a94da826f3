# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments as texts."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _moments
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("moment", ["2026-11-24T00:10:00.250Z", "2026-11-24T00:10:00Z"])
def test_moments(moment: str) -> None:
    assert _moments.after(moment, -86400.25).startswith("2026-11-2")
    assert _moments.written(_moments.parsed(moment)) == (moment if "." in moment else moment[:-1] + ".000Z")
    assert _moments.elapsed(moment, _moments.after(moment, 61.5)) == 61.5


def test_seconds_between_two() -> None:
    assert _moments.elapsed("2026-11-24T00:29:41.236Z", "2026-11-25T00:29:41.736Z") == 86400.5


@pytest.mark.parametrize("text", ["2026-11-24T00:10:00", "2026-11-24 00:10:00Z", "2026-11-24T00:10:00+01:00", ""])
def test_what_is_no_moment_in_utc(text: str) -> None:
    with pytest.raises(ValueError, match="does not match"):
        _moments.parsed(text)


@pytest.mark.parametrize("text", ["2026-13-24T00:10:00.000Z", "2026-11-31T00:10:00.000Z", "2026-11-24T24:10:00.000Z"])
def test_what_is_no_moment_at_all(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        _moments.parsed(text)


@given(st.datetimes(timezones=st.just(datetime.UTC), min_value=datetime.datetime(1971, 1, 1)))
def test_what_is_written_is_read_to_the_millisecond(moment: datetime.datetime) -> None:
    text = _moments.written(moment)
    read = _moments.parsed(text)
    assert read == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    # With another number of digits it is read in another way, to the same end.
    assert read == _moments.parsed(f"{text[:-1]}000Z")


@given(st.lists(st.datetimes(timezones=st.timezones(), min_value=datetime.datetime(1971, 1, 1)), min_size=2))
def test_moments_sort_as_their_texts_do(moments: list[datetime.datetime]) -> None:
    texts = [_moments.written(moment) for moment in sorted(moments)]
    assert texts == sorted(texts)

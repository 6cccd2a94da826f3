# SPDX-License-Identifier: GPL-3.0-or-later
"""_restart.window: when maintenance is allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.midi.capacity.plugins.filter.maintenance_window import maintenance_window
from ansible_collections.midi.capacity.plugins.module_utils._restart.window import WindowError, parse, state
from hypothesis import given
from hypothesis import strategies as st

WEEKEND = "Sat,Sun 02:00-05:00 Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# 2026-11-28 is a Saturday; Berlin is an hour ahead of UTC in winter and two in summer.
@pytest.mark.parametrize(
    ("text", "now", "is_open", "closes_at", "opens_at"),
    [
        ("", "2026-11-28T00:00", True, None, None),
        (" ; ", "2026-11-28T00:00", True, None, None),
        (WEEKEND, "2026-11-28T00:59", False, None, "2026-11-28T01:00:00Z"),
        (WEEKEND, "2026-11-28T01:00", True, "2026-11-28T04:00:00Z", "2026-11-29T01:00:00Z"),
        (WEEKEND, "2026-11-28T04:00", False, None, "2026-11-29T01:00:00Z"),
        (WEEKEND, "2026-07-04T00:30", True, "2026-07-04T03:00:00Z", "2026-07-05T00:00:00Z"),
        # On the Sunday of the change to summer time 02:00 is no moment: the window is an hour shorter.
        ("Sun 01:00-05:00 Europe/Berlin", "2026-03-29T01:30", True, "2026-03-29T03:00:00Z", "2026-04-04T23:00:00Z"),
        ("Fri 22:00-02:00", "2026-11-28T01:30", True, "2026-11-28T02:00:00Z", "2026-12-04T22:00:00Z"),
        ("Fri 22:00-02:00", "2026-11-28T22:30", False, None, "2026-12-04T22:00:00Z"),
        ("Fri-Mon 00:00-24:00 UTC", "2026-11-29T12:00", True, "2026-12-01T00:00:00Z", "2026-12-04T00:00:00Z"),
        ("daily 03:00-04:00", "2026-11-28T05:00", False, None, "2026-11-29T03:00:00Z"),
        ("Wed 03:00-04:00; Sat 03:00-04:00", "2026-11-28T05:00", False, None, "2026-12-02T03:00:00Z"),
        # Two that touch are one.
        ("Sat 01:00-02:00; Sat 02:00-03:00", "2026-11-28T01:30", True, "2026-11-28T03:00:00Z", "2026-12-05T01:00:00Z"),
        ("saturday 1:00-2:00 utc", "2026-11-28T01:30", True, "2026-11-28T02:00:00Z", "2026-12-05T01:00:00Z"),
    ],
)
def test_a_window(text: str, now: str, is_open: bool, closes_at: str | None, opens_at: str | None) -> None:
    found = state(text, at(now))
    assert (found["open"], found["closes_at"], found["opens_at"]) == (is_open, closes_at, opens_at)


def test_a_window_has_to_stay_open_long_enough() -> None:
    assert state(WEEKEND, at("2026-11-28T03:58"), 90)["open"]
    late = state(WEEKEND, at("2026-11-28T03:59"), 90)
    assert not late["open"]
    assert "closes in 1 min, and a restart may need 90 s; it opens at Sun 2026-11-29 01:00 UTC" in late["text"]
    never = state(WEEKEND, at("2026-11-28T03:59"), 3 * 3600 + 1)
    assert never["text"].endswith("no opening is as long as 10801 s")


def test_people_are_told() -> None:
    assert state(WEEKEND, at("2026-11-28T02:00"))["text"] == (
        f"the maintenance window {WEEKEND} is open until Sat 2026-11-28 04:00 UTC"
    )
    assert state(WEEKEND, at("2026-11-30T02:00"))["text"] == (
        f"the maintenance window {WEEKEND} is closed; it opens at Sat 2026-12-05 01:00 UTC"
    )
    assert state("", at("2026-11-30T02:00"))["text"] == "no maintenance window is set"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("tonight", '"tonight" is no maintenance window: write, for example, "Sat,Sun 02:00-05:00 Europe/Berlin"'),
        ("Sat 02:00", "is no maintenance window"),
        ("Sxt 02:00-03:00", '"Sxt" is no day: take Mon to Sun, or daily'),
        ("S 02:00-03:00", '"S" is no day'),
        ("Sat 25:00-03:00", "25:00 is no time of the day: take 00:00 to 24:00"),
        ("Sat 02:00-03:60", "03:60 is no time of the day"),
        ("Mon-Wed-Fri 02:00-03:00", '"Mon-Wed-Fri" is no range of days'),
        ("Sat 02:00-03:00 Europe/Bärlin", 'the controller knows no time zone "Europe/Bärlin"'),
        ("Sat 02:00-03:00 ../etc", "knows no time zone"),
    ],
)
def test_what_is_no_window_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(WindowError, match=r".") as caught:
        parse(text)
    assert complaint in str(caught.value)


def test_the_filter_looks_at_the_clock() -> None:
    assert maintenance_window("daily 00:00-24:00")["open"]
    assert not maintenance_window("Sat 01:00-02:00", now="2026-11-27T12:00:00+00:00")["open"]


@given(
    st.sets(st.sampled_from(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]), min_size=1),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
)
def test_it_opens_when_it_says_so(days: set[str], begin: int, end: int, zone: str, now: datetime) -> None:
    text = f"{','.join(sorted(days))} {begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02} {zone}"
    found = state(text, now.replace(tzinfo=UTC))
    if found["opens_at"] is None:
        assert found["open"]
        return
    opens = datetime.fromisoformat(found["opens_at"])
    assert opens > now.replace(tzinfo=UTC)
    assert state(text, opens)["open"]
    if not found["open"]:
        assert not state(text, opens - timedelta(seconds=1))["open"]

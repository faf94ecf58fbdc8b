"""Offsets and their changes, as zoneinfo has them."""

from datetime import date, timedelta

import pytest

from meetings.itip.zones.offsets import gap, is_skipped, transitions


def test_transitions_include_the_shortest_summers() -> None:
    # A week in Recife; the month of Ramadan in Casablanca.
    assert [change.utc.date() for change in transitions("America/Recife", 2000, 2000)] == [
        date(2000, 2, 27),
        date(2000, 10, 8),
        date(2000, 10, 15),
    ]
    assert len(transitions("Africa/Casablanca", 2012, 2012)) == 4


@pytest.mark.parametrize(
    "tzid", ["America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo"]
)
def test_is_skipped_agrees_with_gap(tzid: str) -> None:
    quarters = [timedelta(minutes=15 * number) for number in range(-8, 9)]
    for year in (2011, 2026):
        for change in transitions(tzid, year, year):
            around = [change.utc + change.before + quarter for quarter in quarters]
            skipped = [is_skipped(moment, tzid) for moment in around]
            assert skipped == [bool(gap(moment, tzid)) for moment in around]

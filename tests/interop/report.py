"""Writes what a run found: the table, the differences with their reasons, the refusals."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

from tests.interop.compare import Reason
from tests.interop.runner import Example, Results
from tests.interop.truth import Moment

_HEAD = """# The same meeting at the same moment in other programs

Written by `make interop`; do not edit. For every zone of the installed tzdata and for rules that people use, the
calendar that this server mails is expanded by programs that share no code with it. Each start and each end is compared,
as an instant, with what dateutil (wall clock) and zoneinfo (offset) say the meeting is.

A program that knows zones by name is given a copy whose TZID no database knows, so that it must evaluate the VTIMEZONE
of the message; calendars that differ in nothing else are read once and compared for each zone. Where a program reads
no VTIMEZONE at all, it gets the calendar as it is mailed.

"""

ANALYSES: Mapping[Reason, str] = {
    Reason.SECOND_PASS: """The start or end lies in the hour that comes twice when the clocks go back. RFC 5545 §3.3.5:
such a local time "refers to the first occurrence of the referenced time"; the reader takes the second one and shows the
meeting late by the length of the change, on that one night. DATE-TIME with a TZID has no way to say more, and a series
in UTC would be wrong all summer (interop R9). It concerns meetings in the middle of one night a year. A fault of the
reader.""",
    Reason.EXACT_LENGTH: """The occurrence lasts over a change of the clocks. RFC 5545 §3.8.5.3 gives every occurrence
of a DTEND the "same exact duration" in seconds, and this reader does so, while ical.js, sabre/vobject,
recurring-ical-events and Outlook, which stores minutes of the day, end the meeting at the same time of the clock each
day. Here the end is a time of the clock too: people who meet "from 20:00 to 08:00" mean it every night. Not a fault of
the reader: two readings of DTEND, an hour apart on the night of the change only, and never in a start.""",
    Reason.SHORT_MONTH: """A monthly or yearly series on the 29th, 30th or 31st. RFC 5545 §3.3.10: a date that does not
exist "MUST be ignored"; MS-OXCICAL 2.1.3.2.2.3 stores the day, and Outlook moves it to the last day of a shorter month.
The answer to `send` warns of it (interop R8); `BYMONTHDAY=-1` means the last day everywhere. Outlook is known for it;
its model repeats it so that the number is seen.""",
    Reason.AFTER_A_GAP: """An occurrence at a time that the clocks skip was excluded with EXDATE, as the refusal of that
time proposes. sabre/vobject 2.1 steps from occurrence to occurrence with PHP's date arithmetic, lands behind the gap on
that day, and keeps the later time for all days after it, although RFC 5545 §3.3.10 takes the time of each occurrence
from DTSTART. A fault of the reader; who must be safe from it chooses another time of day.""",
    Reason.OTHER_LAW: """The law of the zone is another one in the zone database of the reader's system than in the one
that this run takes for the truth (`tzdata` above), and the reader trusts its own. The message is right: its VTIMEZONE
says the newer law. Nothing but an update of that system helps.""",
    Reason.SAME_AS_UTC: """vobject does not keep a VTIMEZONE that is the same as UTC (its `pickTzid` answers None), and
then gives a time without a zone for the renamed TZID. RFC 5545 §3.2.19 lets any VTIMEZONE be named. With the real name
it asks pytz, and was right where that was tried (Africa/Abidjan, America/Danmarkshavn). A fault of the reader that the
renamed copy brings to light; counted once a calendar, whose further occurrences say nothing.""",
    Reason.UNEXPLAINED: "Not explained: until it is, it counts as a fault of ours, and the run fails.",
}


def report(
    results: Results,
    *,
    versions: Mapping[str, str],
    missing: Mapping[str, str],
    tzdata: str,
    command: str,
) -> str:
    """Return the whole document."""
    parts = chain(
        [_HEAD, f"- Command: `{command}`\n- tzdata: {tzdata}\n"],
        [f"- {name}: {version}\n" for name, version in versions.items()],
        [
            f"- **{name}: NOT RUN, not installed** ({install})\n"
            for name, install in missing.items()
        ],
        ["\n", *_summary(results)],
        ["\n## Occurrences that differ, of those compared\n\n", *_table(results, list(versions))],
        ["\n## Why\n", *_reasons(results)],
        ["\n## Refused\n", *_refusals(results)],
    )
    return "".join(parts)


def _summary(results: Results) -> Iterator[str]:
    yield (
        f"{results.zones} zones, {results.emitted.total():,} meetings, {results.distinct:,} different calendars. "
        f"Differences without a known reason: **{results.unexplained}**. "
        f"Refusals that do not help: **{len(results.complaints)}**.\n"
    )


def _table(results: Results, engines: list[str]) -> Iterator[str]:
    yield _row(["case", "calendars", *engines])
    yield _row(["---", *("---:" for _ in range(len(engines) + 1))])
    for kind, number in results.emitted.items():
        tallies = [results.tallies[engine, kind] for engine in engines]
        cells = [
            _cell(tally.wrong_starts, tally.wrong_ends, tally.occurrences) for tally in tallies
        ]
        yield _row([kind, f"{number:,}", *cells])
    yield "\nA cell reads: wrong starts of all occurrences compared; wrong ends, where there are any, in brackets.\n"


def _cell(starts: int, ends: int, occurrences: int) -> str:
    return f"{starts:,}{f' ({ends:,})' if ends else ''} / {occurrences:,}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _reasons(results: Results) -> Iterator[str]:
    for reason in Reason:
        counts = {key: number for key, number in results.reasons.items() if key[1] is reason}
        if not counts:
            continue
        yield f"\n### {reason.value[0].upper()}{reason.value[1:]}\n\n"
        for (engine, _, edge), number in sorted(counts.items()):
            yield f"- {engine}: {number:,} {edge}{'s' if number > 1 else ''}\n"
        yield f"\n{ANALYSES[reason]}\n"
        examples = [
            (engine, example)
            for (engine, why), example in results.examples.items()
            if why is reason
        ]
        yield from _example(*min(examples, key=lambda pair: len(pair[1].emitted.truth.starts)))


def _example(engine: str, example: Example) -> Iterator[str]:
    case, difference = example.emitted.case, example.difference
    yield f"\nShortest example, as {engine} reads it ({case.tzid}):\n\n```\n"
    for line in example.emitted.calendar.split("\r\n"):
        if line.startswith(("TZOFFSETTO", "DTSTART;", "DTEND;", "RRULE:", "EXDATE")):
            yield f"{line[:100]}\n"
    true, found = (_shown(moment, case.tzid) for moment in (difference.true, difference.found))
    yield f"{difference.edge}: {true}; read: {example.error or found}\n```\n"


def _shown(moment: Moment | None, tzid: str) -> str:
    return (
        datetime.fromtimestamp(moment, ZoneInfo(tzid)).isoformat()
        if isinstance(moment, int)
        else str(moment)
    )


def _refusals(results: Results) -> Iterator[str]:
    years: dict[str, Counter[int]] = defaultdict(Counter)
    for refusal in results.refusals:
        years[refusal.case.tzid][refusal.year] += 1
    yield (
        f"\n{len(results.refusals)} series in {len(years)} zones have more laws than one STANDARD and one DAYLIGHT can"
        " hold (interop Z3). Each refusal names the year, and the day to end the series before;\nended there, the"
        " series was accepted and is among the calendars above.\n\n"
    )
    yield _row(["zone", "year that cannot be held (series refused)"])
    yield _row(["---", "---"])
    for tzid, counts in sorted(years.items()):
        yield _row(
            [tzid, ", ".join(f"{year} ({number})" for year, number in sorted(counts.items()))]
        )
    for refusal in results.complaints:
        yield f"- **{refusal.case}**: {refusal.complaint}\n"

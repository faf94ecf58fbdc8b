"""Writes the document about a run: the table, the reasons for differences, and the refusals."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

from tests.interop.compare import Reason
from tests.interop.expected import Moment
from tests.interop.runner import Example, Results

_HEAD = """# The same meeting at the same moment in other programs

Written by `make interop`; do not edit. The meetings cover every zone of the installed tzdata and
the rules that people use. Programs that share no code with this server expand the calendars that it
mails. Each start and each end is compared, as an instant, with what dateutil (wall clock) and
zoneinfo (offset) say.

A program that knows zones by name gets a copy with a TZID that no database knows, so it must
evaluate the VTIMEZONE of the message. Calendars that are then the same are read once, and compared
for each zone. A program that reads no VTIMEZONE gets the calendar as it is mailed.

"""

_CELLS = """
A cell has the number of wrong starts, in brackets the number of wrong ends if there are any, and
the number of occurrences compared.
"""

_REFUSED = """
{series} series in {zones} zones need more than the two annual rules of a VTIMEZONE (interop Z3).
Each refusal names the year, and the day before which the series should end. The series that end
there were accepted, and are among the calendars above.

"""

ANALYSES: Mapping[Reason, str] = {
    Reason.SECOND_PASS: """\
The start or end lies in the hour that occurs twice when the clocks go back. RFC 5545 §3.3.5 says
that such a local time "refers to the first occurrence of the referenced time". The reader takes the
second one, and shows the meeting late by the length of the change on that one night. A DATE-TIME
with a TZID cannot say more, and a series in UTC would be wrong all summer (interop R9). Only
meetings in the middle of one night a year are affected. This is a fault of the reader.""",
    Reason.EXACT_LENGTH: """\
The occurrence lasts over a change of the clocks. RFC 5545 §3.8.5.3 gives every occurrence of a
DTEND the "same exact duration" in seconds, and this reader does so. By contrast, ical.js,
sabre/vobject, recurring-ical-events and Outlook, which stores minutes of the day, end the meeting
at the same time on the clock each day. Here the end is a time on the clock too, because people who
meet "from 20:00 to 08:00" mean it every night. This is no fault of the reader. The two readings of
DTEND differ by an hour on the night of the change, and never in a start.""",
    Reason.SHORT_MONTH: """\
A monthly or yearly series is on the 29th, 30th or 31st. RFC 5545 §3.3.10 says that a date that does
not exist "MUST be ignored". Outlook stores the day (MS-OXCICAL 2.1.3.2.2.3) and moves it to the
last day of a shorter month. The response to `send` warns of it (interop R8). `BYMONTHDAY=-1` means
the last day everywhere. Outlook is known for this, and its model does the same so that the number
can be seen.""",
    Reason.AFTER_A_GAP: """\
An occurrence at a time that the clocks skip was excluded with EXDATE, as the refusal of that time
proposes. sabre/vobject 2.1 steps from one occurrence to the next with the date arithmetic of PHP.
It lands behind the gap on that day, and keeps the later time for all days after it. But RFC 5545
§3.3.10 takes the time of each occurrence from DTSTART. This is a fault of the reader. Another time
of day avoids it.""",
    Reason.OTHER_LAW: """\
The zone database of the reader's system has another law for the zone than the database that this
run trusts (`tzdata` above), and the reader trusts its own. The message is right, because its
VTIMEZONE has the newer law. Only an update of that system helps.""",
    Reason.SAME_AS_UTC: """\
vobject does not keep a VTIMEZONE that is the same as UTC (its `pickTzid` returns None), so it gives
a time without a zone for the renamed TZID. RFC 5545 §3.2.19 allows any VTIMEZONE to be named. With
the real name it asks pytz, and was right where that was tried (Africa/Abidjan,
America/Danmarkshavn). This is a fault of the reader that only the renamed copy shows. It is counted
once a calendar.""",
    Reason.UNEXPLAINED: """\
There is no explanation yet. Until there is one, this counts as a fault of this server, and the run
fails.""",
}


def report(
    results: Results,
    *,
    versions: Mapping[str, str],
    missing: Mapping[str, str],
    tzdata: str,
    command: str,
) -> str:
    """Return the document as Markdown."""
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
    meetings = f"{results.zones} zones, {results.emitted.total():,} meetings"
    yield (
        f"{meetings}, {results.distinct:,} different calendars.\n"
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
    yield _CELLS


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
        yield from _example(*min(examples, key=lambda pair: len(pair[1].emitted.expected.starts)))


def _example(engine: str, example: Example) -> Iterator[str]:
    case, difference = example.emitted.case, example.difference
    yield f"\nShortest example, as {engine} reads it ({case.tzid}):\n\n```\n"
    for line in example.emitted.calendar.split("\r\n"):
        if line.startswith(("TZOFFSETTO", "DTSTART;", "DTEND;", "RRULE:", "EXDATE")):
            yield f"{line[:100]}\n"
    expected = _shown(difference.expected, case.tzid)
    read = example.error or _shown(difference.read, case.tzid)
    yield f"{difference.edge}: {expected}; read: {read}\n```\n"


def _shown(moment: Moment | None, tzid: str) -> str:
    if isinstance(moment, int):
        return datetime.fromtimestamp(moment, ZoneInfo(tzid)).isoformat()
    return str(moment)


def _refusals(results: Results) -> Iterator[str]:
    years: dict[str, Counter[int]] = defaultdict(Counter)
    for refusal in results.refusals:
        years[refusal.case.tzid][refusal.year] += 1
    yield _REFUSED.format(series=len(results.refusals), zones=len(years))
    yield _row(["zone", "year that cannot be represented (series refused)"])
    yield _row(["---", "---"])
    for tzid, counts in sorted(years.items()):
        yield _row(
            [tzid, ", ".join(f"{year} ({number})" for year, number in sorted(counts.items()))]
        )
    for refusal in results.complaints:
        yield f"- **{refusal.case}**: {refusal.complaint}\n"

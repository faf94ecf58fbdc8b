"""Builds the calendars of all zones, has every engine read them, and counts what differs."""

import logging
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from tests.interop.calendars import Emitted, Refusal, emit
from tests.interop.cases import cases_of
from tests.interop.compare import Difference, Reason, differences
from tests.interop.readings import Engine, Reading

_BATCH = 400

# An engine that reads a VTIMEZONE, but prefers zones that it knows by name, gets every seventh
# calendar a second time with the real name.
_BY_NAME_EVERY = 7


@dataclass(slots=True)
class Tally:
    """What one engine read in the calendars of one kind of case."""

    calendars: int = 0
    occurrences: int = 0
    wrong_starts: int = 0
    wrong_ends: int = 0

    def add(self, emitted: Emitted, found: Sequence[Difference]) -> None:
        """Count one calendar."""
        self.calendars += 1
        self.occurrences += len(emitted.expected.starts)
        self.wrong_starts += sum(difference.edge == "start" for difference in found)
        self.wrong_ends += sum(difference.edge == "end" for difference in found)


@dataclass(slots=True)
class Example:
    """The calendar with the fewest occurrences that an engine reads differently, for one reason."""

    emitted: Emitted
    difference: Difference
    error: str


@dataclass(slots=True)
class Results:
    """What a run found, for the report."""

    zones: int = 0
    distinct: int = 0
    tallies: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    reasons: Counter[tuple[str, Reason, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, Reason], Example] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    emitted: Counter[str] = field(default_factory=Counter)

    def count(self, engine: Engine, emitted: Emitted, reading: Reading) -> None:
        """Compare one reading with what is expected, and count the differences."""
        found = differences(
            emitted, reading, clamps=engine.name == "Outlook's model", by_name=engine.needs_names
        )
        self.tallies[engine.name, emitted.case.kind].add(emitted, found)
        for difference in found:
            self.reasons[engine.name, difference.reason, difference.edge] += 1
            example = Example(emitted, difference, reading.error)
            known = self.examples.setdefault((engine.name, difference.reason), example)
            if len(emitted.expected.starts) < len(known.emitted.expected.starts):
                self.examples[engine.name, difference.reason] = example

    @property
    def unexplained(self) -> int:
        """Differences that no known fault of an engine explains."""
        return sum(
            number
            for (_, reason, _), number in self.reasons.items()
            if reason is Reason.UNEXPLAINED
        )

    @property
    def complaints(self) -> list[Refusal]:
        """Refusals whose advice does not help."""
        return [refusal for refusal in self.refusals if refusal.complaint]


def run(zones: Sequence[str], engines: Sequence[Engine], *, processes: int = 2) -> Results:
    """Have each engine read the calendar of every case in ``zones``."""
    results = Results(zones=len(zones))
    with ProcessPoolExecutor(processes, initializer=_be_quiet) as pool:
        emitted = []
        for built, refusals in pool.map(_build, zones, chunksize=8):
            emitted += built
            results.refusals += refusals
        results.emitted.update(one.case.kind for one in emitted)
        results.distinct = len({one.renamed for one in emitted})
        for engine in engines:
            for one, reading in _readings(pool, engine, emitted):
                results.count(engine, one, reading)
    return results


def _readings(
    pool: ProcessPoolExecutor, engine: Engine, emitted: Sequence[Emitted]
) -> Iterator[tuple[Emitted, Reading]]:
    """Each calendar with the engine's reading of it."""
    given = [(one, one.calendar if engine.needs_names else one.renamed) for one in emitted]
    if engine.knows_zones and not engine.needs_names:
        given += [(one, one.calendar) for one in emitted[::_BY_NAME_EVERY]]
    # Once renamed, the calendars of many zones are the same bytes. Each is read only once.
    batches = list(_batches(dict.fromkeys(text for _, text in given)))
    known: dict[str, Reading] = {}
    for batch, readings in zip(batches, pool.map(engine.read, batches), strict=True):
        known.update(zip(batch, readings, strict=True))
    return ((one, known[text]) for one, text in given)


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(texts)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _build(tzid: str) -> tuple[list[Emitted], list[Refusal]]:
    pairs = [emit(case) for case in cases_of(tzid)]
    return [one for one, _ in pairs if one], [refusal for _, refusal in pairs if refusal]


def _be_quiet() -> None:
    """Silence the engines, which warn of zones that they do not know by name."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")

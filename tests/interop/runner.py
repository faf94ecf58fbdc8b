"""Builds the calendars of all zones, has every engine read them, and counts, two processes at a
time.
"""

import logging
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from tests.interop.answers import Answer, Engine
from tests.interop.calendars import Emitted, Refusal, emit
from tests.interop.cases import cases_of
from tests.interop.compare import Difference, Reason, differences

_BATCH = 400
_BY_NAME_EVERY = 7
"""An engine that reads the VTIMEZONE as well gets every seventh calendar a second time, by the
zone's real name.
"""


@dataclass(slots=True)
class Tally:
    """What one engine made of one class of cases."""

    calendars: int = 0
    occurrences: int = 0
    wrong_starts: int = 0
    wrong_ends: int = 0

    def add(self, emitted: Emitted, found: Sequence[Difference]) -> None:
        """Count one calendar."""
        self.calendars += 1
        self.occurrences += len(emitted.truth.starts)
        self.wrong_starts += sum(difference.edge == "start" for difference in found)
        self.wrong_ends += sum(difference.edge == "end" for difference in found)


@dataclass(slots=True)
class Example:
    """The shortest calendar for which an engine differs for one reason."""

    emitted: Emitted
    difference: Difference
    error: str


@dataclass(slots=True)
class Results:
    """Everything that the report tells."""

    zones: int = 0
    distinct: int = 0
    tallies: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    reasons: Counter[tuple[str, Reason, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, Reason], Example] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    emitted: Counter[str] = field(default_factory=Counter)

    def count(self, engine: Engine, emitted: Emitted, answer: Answer) -> None:
        """Compare one answer with the truth, and remember what comes of it."""
        found = differences(
            emitted, answer, clamps=engine.name == "Outlook's model", by_name=engine.needs_names
        )
        self.tallies[engine.name, emitted.case.kind].add(emitted, found)
        for difference in found:
            self.reasons[engine.name, difference.reason, difference.edge] += 1
            known = self.examples.get((engine.name, difference.reason))
            if known is None or len(emitted.truth.starts) < len(known.emitted.truth.starts):
                self.examples[engine.name, difference.reason] = Example(
                    emitted, difference, answer.error
                )

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
        """Refusals whose sentence leads nowhere."""
        return [refusal for refusal in self.refusals if refusal.complaint]


def run(zones: Sequence[str], engines: Sequence[Engine], *, processes: int = 2) -> Results:
    """Try every case of ``zones`` with every one of ``engines``."""
    results = Results(zones=len(zones))
    with ProcessPoolExecutor(processes, initializer=_be_quiet) as pool:
        emitted = []
        for built, refusals in pool.map(_build, zones, chunksize=8):
            emitted += built
            results.refusals += refusals
        results.emitted.update(one.case.kind for one in emitted)
        results.distinct = len({one.renamed for one in emitted})
        for engine in engines:
            for one, answer in _answers(pool, engine, emitted):
                results.count(engine, one, answer)
    return results


def _answers(
    pool: ProcessPoolExecutor, engine: Engine, emitted: Sequence[Emitted]
) -> Iterator[tuple[Emitted, Answer]]:
    """Each calendar with the engine's answer; calendars that are byte for byte the same are read
    once.
    """
    asked = [(one, one.calendar if engine.needs_names else one.renamed) for one in emitted]
    if engine.knows_zones and not engine.needs_names:
        asked += [(one, one.calendar) for one in emitted[::_BY_NAME_EVERY]]
    texts = list(dict.fromkeys(text for _, text in asked))
    batches = list(_batches(texts))
    read = pool.map(engine.read, batches)
    known = {text: answer for batch, answers in zip(batches, read, strict=True)
             for text, answer in zip(batch, answers, strict=True)}  # fmt: skip
    return ((one, known[text]) for one, text in asked)


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(texts)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _build(tzid: str) -> tuple[list[Emitted], list[Refusal]]:
    pairs = [emit(case) for case in cases_of(tzid)]
    return [one for one, _ in pairs if one], [refusal for _, refusal in pairs if refusal]


def _be_quiet() -> None:
    """Engines log and warn about zones that they do not know by name, which is what they are given
    on purpose.
    """
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")

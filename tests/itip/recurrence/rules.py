"""The rules that several tests of recurrence share."""

from datetime import date, datetime, time

from hypothesis import strategies as st

from meetings.itip.recurrence.rule import WEEKDAYS, Frequency, Rule

SATURDAY = datetime(2019, 11, 30, 10)


def rule(text: str) -> Rule:
    return Rule.from_text(text)


# The tables of interop R1 and of the contract: the rule, then the first day, the last day and the
# number of its occurrences from SATURDAY on.
GOLDEN = {
    "three Mondays": ("FREQ=WEEKLY;COUNT=3;BYDAY=MO", "2019-12-02", "2019-12-16", 3),
    "every third day": ("FREQ=DAILY;INTERVAL=3;COUNT=10", "2019-11-30", "2019-12-27", 10),
    "COUNT counts occurrences, not weeks": (
        "FREQ=WEEKLY;COUNT=1;BYDAY=MO,TU,WE,TH,FR",
        "2019-12-02",
        "2019-12-02",
        1,
    ),
    "the 3rd of each month": ("FREQ=MONTHLY;COUNT=10;BYMONTHDAY=3", "2019-12-03", "2020-09-03", 10),
    "the interval counts from the requested month": (
        "FREQ=MONTHLY;INTERVAL=3;COUNT=10;BYMONTHDAY=3",
        "2020-02-03",
        "2022-05-03",
        10,
    ),
    "second Wednesdays": (
        "FREQ=MONTHLY;COUNT=10;BYDAY=WE;BYSETPOS=2",
        "2019-12-11",
        "2020-09-09",
        10,
    ),
    "12 August": ("FREQ=YEARLY;COUNT=1;BYMONTHDAY=12;BYMONTH=8", "2020-08-12", "2020-08-12", 1),
    "second Wednesday of August": (
        "FREQ=YEARLY;COUNT=1;BYDAY=WE;BYMONTH=8;BYSETPOS=2",
        "2020-08-12",
        "2020-08-12",
        1,
    ),
    "every other Monday, weeks from Monday": (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=MO;WKST=MO",
        "2019-12-09",
        "2020-01-06",
        3,
    ),
    "every other Sunday, weeks from Sunday": (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=SU;WKST=SU",
        "2019-12-08",
        "2020-01-05",
        3,
    ),
    "every other Sunday, weeks from Monday": (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=SU;WKST=MO",
        "2019-12-01",
        "2019-12-29",
        3,
    ),
    "short months are skipped": (
        "FREQ=MONTHLY;COUNT=3;BYMONTHDAY=31",
        "2019-12-31",
        "2020-03-31",
        3,
    ),
    "last day of the month": ("FREQ=MONTHLY;COUNT=4;BYMONTHDAY=-1", "2019-11-30", "2020-02-29", 4),
    "leap days": ("FREQ=YEARLY;COUNT=3;BYMONTHDAY=29;BYMONTH=2", "2020-02-29", "2028-02-29", 3),
    "last Friday": ("FREQ=MONTHLY;COUNT=2;BYDAY=FR;BYSETPOS=-1", "2019-12-27", "2020-01-31", 2),
    "last workday": (
        "FREQ=MONTHLY;COUNT=3;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "2019-12-31",
        "2020-02-28",
        3,
    ),
    "UNTIL is inclusive": (
        "FREQ=WEEKLY;UNTIL=20191216T100000;BYDAY=MO",
        "2019-12-02",
        "2019-12-16",
        3,
    ),
    "UNTIL a second earlier": (
        "FREQ=WEEKLY;UNTIL=20191216T095959;BYDAY=MO",
        "2019-12-02",
        "2019-12-09",
        2,
    ),
}

DAY_SETS = [(day,) for day in WEEKDAYS] + [("SA", "SU"), WEEKDAYS[:5], WEEKDAYS]
COUNTS = st.integers(1, 40).map(lambda number: {"count": number})
UNTILS = st.dates(date(2027, 1, 1), date(2029, 12, 31)).map(
    lambda day: {"until": datetime.combine(day, time(12))}
)


@st.composite
def template_rules(draw: st.DrawFn) -> Rule:
    """Any rule of Outlook's templates (interop R4)."""
    freq = draw(st.sampled_from(Frequency))
    ending: dict[str, int | datetime] = draw(st.one_of(COUNTS, UNTILS))
    month = draw(st.integers(1, 12)) if freq is Frequency.YEARLY else None
    week_days: tuple[str, ...] = ()
    month_day = set_pos = None
    if freq is Frequency.WEEKLY:
        days = draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1))
        week_days = tuple(sorted(days, key=WEEKDAYS.index))
    elif freq is not Frequency.DAILY and draw(st.booleans()):
        week_days = draw(st.sampled_from(DAY_SETS))
        set_pos = draw(st.sampled_from([1, 2, 3, 4, -1]))
    elif freq is not Frequency.DAILY:
        month_day = draw(st.one_of(st.integers(1, 31), st.just(-1)))
    return Rule(
        freq=freq,
        interval=draw(st.integers(1, 4)),
        by_day=week_days,
        by_month_day=month_day,
        by_month=month,
        by_set_pos=set_pos,
        wkst=draw(st.sampled_from(["MO", "SU"])) if freq is Frequency.WEEKLY else "MO",
        **ending,  # type: ignore[arg-type]
    )

from datetime import datetime
from typing import Any

import pytest
from django.utils import translation

from meetings.imip.wording.recurrence import recurrence_in_words
from meetings.itip.recurrence.rule import Frequency, Rule
from tests.support.cast import meeting

WORKDAYS = ("MO", "TU", "WE", "TH", "FR")
ALL_DAYS = (*WORKDAYS, "SA", "SU")


def rule(freq: str, **parts: Any) -> Rule:
    return Rule(freq=Frequency(freq), **({"count": 10} | parts))


RECURRENCES = [
    (rule("DAILY"), "every day, 10 times", "每天，共 10 次"),
    (rule("DAILY", interval=3), "every 3 days, 10 times", "每3天，共 10 次"),
    (rule("WEEKLY", by_day=("MO",), count=3), "every Monday, 3 times", "每周一，共 3 次"),
    (
        rule("WEEKLY", by_day=("MO", "WE")),
        "every Monday and Wednesday, 10 times",
        "每周一和周三，共 10 次",
    ),
    (
        rule("WEEKLY", by_day=("TU", "TH", "SU")),
        "every Tuesday, Thursday and Sunday, 10 times",
        "每周二、周四和周日，共 10 次",
    ),
    (rule("WEEKLY", by_day=WORKDAYS, count=1), "every workday, once", "每个工作日，共 1 次"),
    (
        rule("WEEKLY", by_day=("SA", "SU")),
        "every Saturday and Sunday, 10 times",
        "每周六和周日，共 10 次",
    ),
    (rule("WEEKLY", by_day=ALL_DAYS), "every day, 10 times", "每天，共 10 次"),
    (
        rule("WEEKLY", interval=2, by_day=("MO", "FR")),
        "every 2 weeks on Monday and Friday, 10 times",
        "每2周的周一和周五，共 10 次",
    ),
    (rule("MONTHLY", by_month_day=3), "on the 3rd of every month, 10 times", "每月3日，共 10 次"),
    (
        rule("MONTHLY", by_month_day=22),
        "on the 22nd of every month, 10 times",
        "每月22日，共 10 次",
    ),
    (
        rule("MONTHLY", by_month_day=31),
        "on the 31st of every month, 10 times",
        "每月31日，共 10 次",
    ),
    (
        rule("MONTHLY", by_month_day=3, interval=3),
        "every 3 months on the 3rd, 10 times",
        "每3个月的3日，共 10 次",
    ),
    (
        rule("MONTHLY", by_month_day=-1),
        "on the last day of every month, 10 times",
        "每月最后一天，共 10 次",
    ),
    (
        rule("MONTHLY", by_month_day=-1, interval=2),
        "every 2 months on the last day, 10 times",
        "每2个月的最后一天，共 10 次",
    ),
    (
        rule("MONTHLY", by_day=("WE",), by_set_pos=2),
        "every second Wednesday of the month, 10 times",
        "每月第二个星期三，共 10 次",
    ),
    (
        rule("MONTHLY", by_day=("WE",), by_set_pos=2, interval=3),
        "every 3 months on the second Wednesday, 10 times",
        "每3个月的第二个星期三，共 10 次",
    ),
    (
        rule("MONTHLY", by_day=("FR",), by_set_pos=-1),
        "every last Friday of the month, 10 times",
        "每月最后一个星期五，共 10 次",
    ),
    (
        rule("MONTHLY", by_day=WORKDAYS, by_set_pos=-1),
        "every last workday of the month, 10 times",
        "每月最后一个工作日，共 10 次",
    ),
    (
        rule("MONTHLY", by_day=("SA", "SU"), by_set_pos=1),
        "every first Saturday or Sunday of the month, 10 times",
        "每月第一个星期六或星期日，共 10 次",
    ),
    (
        rule("MONTHLY", by_day=ALL_DAYS, by_set_pos=-1),
        "on the last day of every month, 10 times",
        "每月最后一天，共 10 次",
    ),
    (
        rule("MONTHLY", by_day=ALL_DAYS, by_set_pos=4),
        "on the 4th of every month, 10 times",
        "每月4日，共 10 次",
    ),
    (
        rule("YEARLY", by_month=8, by_month_day=12, count=1),
        "every year on 12 August, once",
        "每年8月12日，共 1 次",
    ),
    (
        rule("YEARLY", by_month=2, by_month_day=29),
        "every year on 29 February, 10 times",
        "每年2月29日，共 10 次",
    ),
    (
        rule("YEARLY", by_month=8, by_month_day=12, interval=2),
        "every 2 years on 12 August, 10 times",
        "每2年的8月12日，共 10 次",
    ),
    (
        rule("YEARLY", by_month=8, by_day=("WE",), by_set_pos=2),
        "every year on the second Wednesday of August, 10 times",
        "每年8月的第二个星期三，共 10 次",
    ),
    (
        rule("YEARLY", by_month=2, by_month_day=-1),
        "every year on the last day of February, 10 times",
        "每年2月的最后一天，共 10 次",
    ),
]


@pytest.mark.parametrize(("given", "english", "chinese"), RECURRENCES)
def test_rule_is_said_in_both_languages(given: Rule, english: str, chinese: str) -> None:
    event = meeting(rule=given)
    with translation.override("en"):
        assert recurrence_in_words(event) == english
    with translation.override("zh-hans"):
        assert recurrence_in_words(event) == chinese


UNTIL_MAY = {
    "the whole day": datetime(2027, 5, 1, 23, 59, 59),
    "the minute of the last start": datetime(2027, 5, 1, 10),
    "the next day before the meeting": datetime(2027, 5, 2, 9, 59),
}


@pytest.mark.parametrize("until", UNTIL_MAY.values(), ids=UNTIL_MAY)
def test_last_day_that_may_have_a_meeting_is_named(until: datetime) -> None:
    event = meeting(rule=rule("DAILY", count=None, until=until))
    with translation.override("en"):
        assert recurrence_in_words(event) == "every day, until 1 May 2027"
    with translation.override("zh-hans"):
        assert recurrence_in_words(event) == "每天，至2027年5月1日"


def test_days_that_are_left_out_are_named() -> None:
    days = tuple(datetime(2027, 3, day, 10) for day in (8, 15, 22))
    event = meeting(rule=rule("WEEKLY", by_day=("MO",)), exdates=days)
    with translation.override("en"):
        assert recurrence_in_words(event).endswith(
            ", except 8 March 2027, 15 March 2027 and 22 March 2027"
        )
    with translation.override("zh-hans"):
        assert recurrence_in_words(event).endswith(
            "，其中2027年3月8日、2027年3月15日和2027年3月22日除外"
        )


def test_long_list_of_days_is_cut_short() -> None:
    days = tuple(datetime(2027, 3, day, 10) for day in range(2, 24))
    event = meeting(rule=rule("DAILY", count=60), exdates=days)
    with translation.override("en"):
        assert recurrence_in_words(event).endswith(", 21 March 2027 and 2 more days")
    with translation.override("zh-hans"):
        assert recurrence_in_words(event).endswith("、2027年3月21日和另外 2 天除外")


def test_rule_without_an_end_names_none() -> None:
    with translation.override("en"):
        assert recurrence_in_words(meeting(rule=rule("DAILY", count=None))) == "every day"


def test_single_meeting_has_no_recurrence() -> None:
    assert recurrence_in_words(meeting()) == ""

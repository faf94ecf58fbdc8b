from datetime import datetime
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone, translation

from meetings.imip.wording.when import when_in_words
from tests.support.cast import meeting


def at(start: str, end: str, **changes: Any) -> dict[str, Any]:
    return {"start": datetime.fromisoformat(start), "end": datetime.fromisoformat(end)} | changes


TIMES = {
    "one day": (
        at("2019-12-02 10:00", "2019-12-02 11:00"),
        "Monday, 2 December 2019, 10:00–11:00 (Asia/Shanghai, UTC+08:00)",
        "2019年12月2日 星期一 10:00–11:00（Asia/Shanghai，UTC+08:00）",
    ),
    "over midnight": (
        at("2019-12-02 23:00", "2019-12-03 01:30"),
        "Monday, 2 December 2019, 23:00 – Tuesday, 3 December 2019, 01:30"
        " (Asia/Shanghai, UTC+08:00)",
        "2019年12月2日 星期一 23:00 – 2019年12月3日 星期二 01:30（Asia/Shanghai，UTC+08:00）",
    ),
    "with seconds": (
        at("2019-12-02 10:00:30", "2019-12-02 11:00"),
        "Monday, 2 December 2019, 10:00:30–11:00 (Asia/Shanghai, UTC+08:00)",
        "2019年12月2日 星期一 10:00:30–11:00（Asia/Shanghai，UTC+08:00）",
    ),
    "half-hour zone west of Greenwich": (
        at("2027-01-04 10:00", "2027-01-04 11:00", tzid="America/St_Johns"),
        "Monday, 4 January 2027, 10:00–11:00 (America/St_Johns, UTC-03:30)",
        "2027年1月4日 星期一 10:00–11:00（America/St_Johns，UTC-03:30）",
    ),
    "while the clocks change": (
        at("2027-03-14 01:00", "2027-03-14 04:00", tzid="America/New_York"),
        "Sunday, 14 March 2027, 01:00–04:00 (America/New_York, UTC-05:00 → UTC-04:00)",
        "2027年3月14日 星期日 01:00–04:00（America/New_York，UTC-05:00 → UTC-04:00）",
    ),
    "UTC": (
        at("2027-03-01 10:00", "2027-03-01 11:00", tzid="UTC"),
        "Monday, 1 March 2027, 10:00–11:00 (UTC)",
        "2027年3月1日 星期一 10:00–11:00（UTC）",
    ),
    "all day": (
        at("2027-05-01", "2027-05-02", all_day=True),
        "Saturday, 1 May 2027, all day",
        "2027年5月1日 星期六，全天",
    ),
    "days of one month": (
        at("2027-05-01", "2027-05-04", all_day=True),
        "1–3 May 2027, all day",
        "2027年5月1日–3日，全天",
    ),
    "days of two months": (
        at("2027-04-30", "2027-05-03", all_day=True),
        "30 April 2027 – 2 May 2027, all day",
        "2027年4月30日 – 2027年5月2日，全天",
    ),
    "the same month of two years": (
        at("2026-05-01", "2027-05-02", all_day=True),
        "1 May 2026 – 1 May 2027, all day",
        "2026年5月1日 – 2027年5月1日，全天",
    ),
}


@pytest.mark.parametrize(("times", "english", "chinese"), TIMES.values(), ids=TIMES)
def test_time_is_said_in_both_languages_with_its_zone(
    times: dict[str, Any], english: str, chinese: str
) -> None:
    with translation.override("en"):
        assert when_in_words(meeting(**times)) == english
    with translation.override("zh-hans"):
        assert when_in_words(meeting(**times)) == chinese


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_zone_of_the_server_does_not_matter(zone: str) -> None:
    with override_settings(TIME_ZONE=zone), timezone.override(zone), translation.override("en"):
        assert (
            when_in_words(meeting())
            == "Monday, 1 March 2027, 10:00–11:00 (Asia/Shanghai, UTC+08:00)"
        )

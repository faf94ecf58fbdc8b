"""An operator in a browser: finds a meeting, cancels it, reads a mail, and makes an API key."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from meetings.models import ApiKey
from meetings.operations.pause import pause
from meetings.operations.work import work
from tests.support.cast import CAROL, MONDAYS
from tests.support.readers.mail import read
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import cancelled, sent, updated
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True)]


class Operator:
    """An operator, who sees text and clicks on it."""

    def __init__(self, browser: Chrome, url: str) -> None:
        self.browser = browser
        self.url = url

    def goes_to(self, path: str) -> None:
        self.browser.get(f"{self.url}{path}")

    def sees(self, text: str) -> None:
        self._waits(lambda: text in self._finds(By.TAG_NAME, "body").text, f"{text!r} to show")

    def fills_in(self, name: str, text: str) -> None:
        self._does(lambda: self._finds(By.NAME, name).send_keys(text), f"a field {name}")

    def follows(self, text: str) -> None:
        self._does(lambda: self._finds(By.PARTIAL_LINK_TEXT, text).click(), f"a link {text!r}")

    def presses(self, selector: str) -> None:
        self._does(lambda: self._finds(By.CSS_SELECTOR, selector).click(), f"a button {selector}")

    def _finds(self, by: str, value: str) -> WebElement:
        return self.browser.find_element(by, value)

    def _does(self, act: Callable[[], object], what: str) -> None:
        self._waits(lambda: act() is None, what)

    def _waits(self, condition: Callable[[], bool], what: str) -> None:
        """Between two pages the next one is not there yet, or what was found is gone."""
        absent = [NoSuchElementException, StaleElementReferenceException]
        wait = WebDriverWait(self.browser, PATIENCE, ignored_exceptions=absent)
        wait.until(lambda browser: condition(), f"waited for {what}")

    def keeps_a_picture(self, name: str) -> None:
        """Save a screenshot in the folder that SCREENSHOTS names, if it is set."""
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            height = self.browser.execute_script("return document.documentElement.scrollHeight")
            self.browser.set_window_size(1280, max(1000, int(height) + 150))
            self.browser.save_screenshot(str(Path(folder) / f"{name}.png"))


@pytest.fixture
def operator(browser: Chrome, admin_site: LiveServer) -> Operator:
    """Olga, logged in."""
    User.objects.create_superuser("olga", password="a secret of hers")
    olga = Operator(browser, admin_site.url)
    olga.goes_to("/admin/")
    olga.fills_in("username", "olga")
    olga.fills_in("password", "a secret of hers")
    olga.presses(".submit-row [type=submit]")
    olga.sees("Operators' pages")
    return olga


@pytest.fixture
def meetings(mail_server: ScriptedSMTP, admin_site: LiveServer) -> None:
    """Three meetings. One did not reach Carol."""
    cancelled(sent(uid="2b1d", summary="季度预算会议 Quarterly budget"))
    sent(uid="77aa", summary="Stand-up", rule=MONDAYS)
    mail_server.scripts["rcpt"] = {
        CAROL.address: "550 5.1.1 <carol@example.net>: no such user here"
    }
    updated(sent(summary="Weekly review"), location="Room 9, second floor")


def test_operator_finds_and_cancels_a_meeting(
    operator: Operator, meetings: None, mail_server: ScriptedSMTP
) -> None:
    operator.goes_to("/admin/meetings/meeting/")
    operator.sees("1 not told")
    operator.keeps_a_picture("list")
    operator.follows("Weekly review")
    operator.sees("Room 9, second floor")
    operator.sees("no such user here")
    operator.keeps_a_picture("meeting")
    operator.follows("CANCEL MEETING")
    operator.fills_in("reason", "The room is flooded.")
    operator.keeps_a_picture("cancel")
    operator.presses(".submit-row [type=submit]")
    operator.sees("Weekly review: cancelled; 1 told")
    operator.keeps_a_picture("cancelled")
    last = read(mail_server.accepted[-1].raw)
    assert (last.method, last.sequence) == ("CANCEL", 2)
    assert "The room is flooded." in last.mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_operator_brings_a_meeting_up_to_date(
    operator: Operator, meetings: None, mail_server: ScriptedSMTP
) -> None:
    operator.goes_to("/admin/meetings/meeting/?mail=outstanding")
    operator.follows("Weekly review")
    operator.sees("no such user here")
    mail_server.scripts["rcpt"] = "250 ok"
    operator.presses(".object-tools button")
    operator.sees("1 meeting is being brought up to date in the background.")
    operator.keeps_a_picture("brought-up-to-date")
    work()
    operator.goes_to("/admin/meetings/meeting/?mail=outstanding")
    operator.sees("0 meetings")
    assert mail_server.accepted[-1].recipients == (CAROL.address,)


def test_operator_sees_that_mail_is_paused(operator: Operator, meetings: None) -> None:
    pause("olga", "The relay moves.")
    operator.goes_to("/admin/meetings/meeting/")
    operator.sees("by olga: The relay moves.")
    operator.keeps_a_picture("paused")
    operator.goes_to("/admin/meetings/sender/")
    operator.sees("It goes on after manage.py resume.")
    operator.sees("alive")
    operator.keeps_a_picture("senders")


def test_operator_cancels_from_the_list(operator: Operator, meetings: None) -> None:
    operator.goes_to("/admin/meetings/meeting/?q=77aa")
    operator.presses("input.action-select")
    operator.presses("select[name=action] option[value=cancel]")
    operator.presses("button[name=index]")
    operator.sees("This cannot be undone.")
    operator.presses(".submit-row [type=submit]")
    operator.sees("Stand-up: ")
    operator.sees("cancelled")


def test_operator_reads_a_mail_and_its_delivery(operator: Operator, meetings: None) -> None:
    operator.goes_to("/admin/meetings/meeting/?q=77aa")
    operator.follows("Stand-up")
    operator.follows("REQUEST")
    operator.sees("BEGIN:VCALENDAR")
    operator.keeps_a_picture("mail")
    operator.goes_to("/admin/meetings/delivery/?state__exact=refused")
    operator.sees("no such user here")
    operator.keeps_a_picture("deliveries")


def test_operator_makes_a_key_and_sees_it_once(operator: Operator) -> None:
    operator.goes_to("/admin/meetings/apikey/add/")
    operator.fills_in("name", "Booking system")
    operator.fills_in("senders", "*@example.com\nhr@example.org")
    operator.keeps_a_picture("key-form")
    operator.presses("[name=_save]")
    operator.sees("Store it now")
    operator.sees("*@example.com, hr@example.org")
    operator.keeps_a_picture("key")
    assert ApiKey.objects.get().name == "Booking system"

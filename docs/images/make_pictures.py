"""Makes the pictures of the README again: ``.venv/bin/python docs/images/make_pictures.py``.

A server with a database of its own gets the README's call and some more, and writes the mails to
files. A browser without a window shows the HTML of the first mails, and the list in the admin in
English and in Chinese.
On Debian it needs the packages chromium, chromium-driver and fonts-noto-cjk.
"""

import email
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import policy
from html import escape
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

IMAGES = Path(__file__).resolve().parent
ROOT = IMAGES.parents[1]
NAME, PASSWORD = "olga", "correct horse battery"
PATIENCE = 60.0
READMES = {"README.md": "en", "README.zh-CN.md": "zh-hans"}
MORE = (
    {
        "operation": "send", "uid": "budget-2035", "timezone": "Europe/Berlin",
        "start": "2035-03-14 14:00", "end": "2035-03-14 15:30",
        "sender": "Alice <alice@example.com>", "subj": "Budget",
        "receiver": {"required": ["Bob <bob@example.org>", "Carol <carol@example.net>"]},
    },
    {
        "operation": "send", "uid": "fire-drill-2035", "start": "2035-03-20", "end": "2035-03-20",
        "sender": "Alice <alice@example.com>", "receiver": {"required": ["bob@example.org"]},
        "subj": "Fire drill",
    },
    {"operation": "cancel", "uid": "fire-drill-2035", "description": "The date is not fixed yet."},
    {"operation": "update", "uid": "review-2035", "location": "Room 8F"},
)  # fmt: skip
HEADERS = ("From", "To", "Cc", "Subject")


@dataclass(frozen=True)
class Words:
    """What stands around a mail in its picture: a label for each of the headers, and a line."""

    labels: tuple[str, ...]
    caption: str


INVITATIONS = {
    "invitation": Words(
        HEADERS,
        "The HTML part of the mail, in a browser. A mail program also reads the calendar part,"
        " and adds its own Accept and Decline buttons.",
    ),
    "invitation.zh-CN": Words(
        ("发件人", "收件人", "抄送", "主题"),
        "邮件的 HTML 部分，用浏览器显示。邮件客户端还会读取日历部分，"
        "并加上自己的“接受”和“拒绝”按钮。",
    ),
}
ADMINS = {"admin": "en", "admin.zh-CN": "zh-hans"}


def main() -> None:
    """Write the pictures beside this file."""
    with TemporaryDirectory() as var, served(Path(var)) as url:
        for name, language in READMES.items():
            call(url, example(ROOT / name), language)
        mails = first_mails(Path(var))
        for body in MORE:
            call(url, body, "en")
        with browser(Path(var)) as chrome:
            for (name, words), raw in zip(INVITATIONS.items(), mails, strict=True):
                show_mail(chrome, raw, words, Path(var) / "mail.html")
                take(chrome, name, width=840)
            log_in(chrome, url)
            for name, language in ADMINS.items():
                show_meetings(chrome, url, language)
                take(chrome, name, width=1440, scale=1200 / 1440)


def example(readme: Path) -> dict[str, Any]:
    """The body of the README's first call."""
    found = re.search(r"-d '\n(\{\"operation\": \"send\".*?)'\n", readme.read_text(), re.DOTALL)
    assert found, f"{readme} has no call"
    body: dict[str, Any] = json.loads(found[1])
    return body


@contextmanager
def served(var: Path) -> Iterator[str]:
    """A server as ``make run`` starts it, with a database of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    unset = ("DATABASE_URL", "EMAIL_URL", "EMAIL_BACKEND", "CELERY_BROKER_URL")
    environment = {name: value for name, value in os.environ.items() if name not in unset} | {
        "VAR_DIR": str(var), "PORT": str(port), "MEETINGS_LOOPBACK_WITHOUT_KEY": "true",
        "DJANGO_SUPERUSER_USERNAME": NAME, "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        "DJANGO_SUPERUSER_EMAIL": "olga@example.com",
    }  # fmt: skip
    var.chmod(0o755)  # PostgreSQL's account must get in where this runs as root
    for command in ("migrate", "collectstatic", "createsuperuser"):
        run = [sys.executable, "manage.py", command, "--no-input", "--verbosity", "0"]
        subprocess.run(run, cwd=ROOT, env=environment, check=True)
    gunicorn = [sys.executable, "-m", "gunicorn", "meeting_server.wsgi"]
    process = subprocess.Popen(gunicorn, cwd=ROOT, env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/admin/login/")
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_for(url: str) -> None:
    """Ask until the server is there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE):
                return
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def call(url: str, body: dict[str, Any], language: str) -> None:
    """POST ``body``."""
    headers = {"Content-Type": "application/json", "Accept-Language": language}
    request = urllib.request.Request(f"{url}/meeting_server/", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        assert json.load(response)["result"] == 1, body


def first_mails(var: Path) -> list[bytes]:
    """The mails so far, one for each README."""
    return [path.read_bytes() for path in sorted((var / "mail").glob("*.eml"))]


@contextmanager
def browser(var: Path) -> Iterator[Chrome]:
    """Debian's chromium, in English."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    arguments = (
        "headless=new",
        "no-sandbox",
        "disable-dev-shm-usage",
        "hide-scrollbars",
        "lang=en",
    )
    for argument in (*arguments, f"user-data-dir={var / 'profile'}"):
        options.add_argument(f"--{argument}")
    chrome = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield chrome
    finally:
        chrome.quit()


def show_mail(chrome: Chrome, raw: bytes, words: Words, page: Path) -> None:
    """The header lines, and below them the mail's HTML part."""
    message = email.message_from_bytes(raw, policy=policy.default)
    body = message.get_body(preferencelist=("html",))
    assert body is not None
    headers = "".join(
        f"<dt>{label}</dt><dd>{escape(str(message[name]))}</dd>"
        for label, name in zip(words.labels, HEADERS, strict=True)
    )
    content = escape(body.get_content())
    frame = Template((IMAGES / "mail.html").read_text())
    page.write_text(frame.substitute(headers=headers, body=content, caption=words.caption))
    chrome.get(page.as_uri())


def log_in(chrome: Chrome, url: str) -> None:
    """Enter the admin."""
    chrome.get(f"{url}/admin/login/")
    chrome.find_element(By.NAME, "username").send_keys(NAME)
    chrome.find_element(By.NAME, "password").send_keys(PASSWORD)
    chrome.find_element(By.CSS_SELECTOR, "[type=submit]").click()


def show_meetings(chrome: Chrome, url: str, language: str) -> None:
    """Open the list as a browser does that prefers ``language``."""
    headers = {"headers": {"Accept-Language": language}}
    chrome.execute_cdp_cmd("Network.enable", {})
    chrome.execute_cdp_cmd("Network.setExtraHTTPHeaders", headers)
    chrome.get(f"{url}/admin/meetings/meeting/")


def take(chrome: Chrome, name: str, *, width: int, scale: float = 1.0) -> None:
    """A picture of the whole page, which is ``width`` CSS pixels wide."""
    screen = {"width": width, "height": 300, "deviceScaleFactor": scale, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    height = chrome.execute_script("return document.documentElement.scrollHeight")
    height += -height % 6  # a whole number of rows at 5/6, or the last one shows the first again
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen | {"height": height})
    chrome.save_screenshot(str(IMAGES / f"{name}.png"))


if __name__ == "__main__":
    main()

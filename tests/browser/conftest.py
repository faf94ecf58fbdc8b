"""A real browser: Debian's chromium, or Chrome, without a window."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
ABSENT = "NO BROWSER: the operators' pages are untried in one. Debian: apt-get install chromium chromium-driver"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    """A browser of this test's own; it ends with it."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip(ABSENT)
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in [
        "headless=new",
        "window-size=1280,1000",
        "lang=en",
        f"user-data-dir={tmp_path / 'profile'}",
    ]:
        options.add_argument(f"--{argument}")
    # As root chromium has no sandbox; it only ever sees our own pages.
    options.add_argument("--no-sandbox")
    options.add_argument("--disable-dev-shm-usage")
    driver = Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def server(
    transactional_db: None,
    own_var_folder: None,
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LiveServer]:
    """Our server in a thread; pytest-django's ``live_server`` starts before this test's settings
    are in force.
    """
    # Static files come from the packages; whitenoise would look through the browser's profile for
    # some.
    settings.STATIC_ROOT = str(tmp_path_factory.mktemp("static"))
    server = LiveServer("127.0.0.1")
    yield server
    server.stop()

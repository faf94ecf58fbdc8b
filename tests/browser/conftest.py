"""A real browser without a window: Debian's chromium, or Chrome."""

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
ABSENT = "NO BROWSER. On Debian: apt-get install chromium chromium-driver"
ARGUMENTS = (
    "headless=new",
    "window-size=1280,1000",
    "lang=en",
    "no-sandbox",  # root cannot have one, and the browser sees only our own pages
    "disable-dev-shm-usage",
    # Without these it asks for updates and word lists, and waits where there is no network.
    "disable-background-networking",
    "disable-component-update",
    "disable-default-apps",
    "disable-extensions",
    "disable-sync",
    "no-first-run",
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    """A browser for one test."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip(ABSENT)
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (*ARGUMENTS, f"user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(f"--{argument}")
    driver = Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def admin_site(
    transactional_db: None,
    own_var_folder: None,
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LiveServer]:
    """Our server in a thread.

    pytest-django's ``live_server`` starts too early, before the settings of the test apply.
    """
    # Otherwise whitenoise would look for static files in the profile of the browser.
    settings.STATIC_ROOT = str(tmp_path_factory.mktemp("static"))
    server = LiveServer("127.0.0.1")
    yield server
    server.stop()

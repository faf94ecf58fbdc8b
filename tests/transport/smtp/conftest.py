import pytest
from pytest_django import Settings

from tests.transport.smtp.wire import PLENTY


@pytest.fixture(autouse=True)
def patient_server(settings: Settings) -> None:
    """No wait ends but where a test says so."""
    settings.EMAIL_TIMEOUT = PLENTY
    settings.MEETINGS_SMTP_DEADLINE = PLENTY
    settings.MEETINGS_SMTP_LAST_REPLY = PLENTY

"""Names the application, and registers its system checks."""

from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _

from meetings import checks


class MeetingsConfig(AppConfig):
    """Meetings: their rules, their rows, their mail."""

    name = "meetings"
    verbose_name = _("Meetings")

    def ready(self) -> None:
        """Have the settings checked by ``manage.py check`` and by each start of ``make run``."""
        register(checks.settings_that_cannot_work)
        register(checks.settings_of_a_deployment, deploy=True)

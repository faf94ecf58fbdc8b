"""What the pages of operators have in common."""

from django import template
from django.db.models.functions import Now

from meetings.models import MailServer, Pause

register = template.Library()


@register.inclusion_tag("admin/meetings/pause.html")
def pause_banner() -> dict[str, Pause | MailServer | None]:
    """Say that mail is paused, or that the mail server is left alone, while it is. Two queries."""
    server = MailServer.objects.filter(paused_until__gt=Now()).first()
    return {"pause": Pause.objects.first(), "server": server}

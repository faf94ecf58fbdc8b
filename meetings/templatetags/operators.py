"""What the pages of operators have in common."""

from django import template

from meetings.models import Pause

register = template.Library()


@register.inclusion_tag("admin/meetings/pause.html")
def pause_banner() -> dict[str, Pause | None]:
    """Say that mail is paused, while it is. One query."""
    return {"pause": Pause.objects.first()}

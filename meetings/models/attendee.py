"""The people and rooms on a meeting's list."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from meetings.addresses import address_key
from meetings.itip.event import Attendee as ItipAttendee
from meetings.itip.event import PartStat, Role


class Attendee(models.Model):
    """One person, or room, on a meeting's list (ATTENDEE)."""

    meeting = models.ForeignKey(
        "meetings.Meeting", models.CASCADE, verbose_name=_("meeting"), related_name="attendees"
    )
    address = models.CharField(_("address"), max_length=320)
    address_key = models.CharField(_("address to compare"), max_length=320, editable=False)
    name = models.CharField(_("name"), max_length=255, blank=True)
    role = models.CharField(
        "ROLE", max_length=15, choices=[(role.value, role.value) for role in Role]
    )
    partstat = models.CharField(
        "PARTSTAT", max_length=12, choices=[(state.value, state.value) for state in PartStat]
    )
    position = models.PositiveIntegerField(_("position"))

    class Meta:
        verbose_name = _("attendee")
        verbose_name_plural = _("attendees")
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "address_key"], name="attendee_once_a_meeting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address

    @classmethod
    def row(cls, position: int, person: ItipAttendee) -> "Attendee":
        """Return an unsaved row for ``person``, without its meeting."""
        return cls(
            position=position,
            address=person.address,
            address_key=address_key(person.address),
            name=person.name,
            role=person.role.value,
            partstat=person.partstat.value,
        )

    def value(self) -> ItipAttendee:
        """Return the row as a value of the protocol."""
        return ItipAttendee(
            address=self.address,
            name=self.name,
            role=Role(self.role),
            partstat=PartStat(self.partstat),
        )

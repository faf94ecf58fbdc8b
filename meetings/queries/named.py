"""The meetings that an operator names."""

from meetings.models import Client, Meeting


def meetings_named(uid: str) -> list[Meeting]:
    """Return the meetings of all clients that have ``uid`` as their uid or their ical_uid.

    One query, with the client of each.
    """
    # The index of uids begins with the client, so that each client is looked up in it.
    of_clients = Meeting.objects.filter(client__in=Client.objects.all(), uid=uid)
    on_the_wire = Meeting.objects.filter(ical_uid=uid)
    found = of_clients.order_by().values("pk").union(on_the_wire.order_by().values("pk"))
    return list(Meeting.objects.filter(pk__in=found).select_related("client").order_by("pk"))

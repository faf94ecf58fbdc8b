"""The field ``timezone``."""

from typing import Any

from rest_framework import serializers

from meetings.itip.errors import InvalidProperty
from meetings.itip.zones.names import zone_name


class ZoneField(serializers.Field[str, Any, Any, Any]):
    """An IANA zone name. A Windows name stands for the zone that it means (interop Z6)."""

    def to_internal_value(self, data: Any) -> str:
        """Return the zone's IANA name."""
        try:
            return zone_name(data)
        except InvalidProperty as error:
            raise serializers.ValidationError(error.message) from error

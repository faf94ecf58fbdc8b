"""Operators: pytest-django's ``admin_client`` may do everything, ``viewer`` may only look."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client

Messages = Callable[[HttpResponse], list[str]]


@pytest.fixture
def viewer(db: None) -> Client:
    """Somebody who may look at everything and do nothing."""
    user = User.objects.create_user("victor", password="secret", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(user)
    return client

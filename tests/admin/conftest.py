"""Two operators: pytest-django's ``admin_client`` may do everything, ``viewer`` may only look."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


@pytest.fixture
def viewer(db: None) -> Client:
    """Victor has every view permission and no other."""
    user = User.objects.create_user("victor", password="secret", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(user)
    return client

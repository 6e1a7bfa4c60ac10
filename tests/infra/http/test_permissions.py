"""Permissions: a view that declares none is closed."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from infra.errors import Forbidden
from infra.http.permissions import Anybody, LoggedIn, Nobody, needs_token


class Silent(APIView):
    """View without permission classes."""

    def get(self, request):
        """Must never be called."""
        return HttpResponse()


class Open(Silent):
    """View that is public."""

    permission_classes = (Anybody,)


class Closed(Silent):
    """View dispatched by DRF, which authenticates nobody."""

    permission_classes = (LoggedIn,)


@pytest.mark.parametrize(("view", "status"), [(Silent, 403), (Closed, 403), (Open, 200)])
def test_drf_refuses_view_without_permissions(view, status):
    request = RequestFactory().get("/", headers={"Authorization": "Bearer x.y.z"})
    answer = view.as_view()(request)
    assert answer.status_code == status
    if status != 200:
        assert answer["Content-Type"] == "application/problem+json"


def test_own_dispatch_reads_permission_class():
    assert needs_token((LoggedIn,))
    assert not needs_token((Anybody,))


@pytest.mark.parametrize(
    "unclear", [(), (Nobody,), (AllowAny,), (Anybody, LoggedIn), Silent.permission_classes]
)
def test_ambiguous_permission_classes_close_the_view(unclear):
    with pytest.raises(Forbidden):
        needs_token(unclear)

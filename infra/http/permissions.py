"""Permissions: who may call a view.

Each view declares one permission class. A view that declares none is closed, by our own dispatch
and by DRF's.
"""

from collections.abc import Sequence
from typing import Any

from rest_framework.permissions import BasePermission

from infra.errors import Forbidden


class Nobody(BasePermission):
    """DRF's default: refuses every call."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class LoggedIn(BasePermission):
    """Users with a valid access token, which only our own dispatch checks: DRF's refuses all."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class Anybody(BasePermission):
    """Everyone, with or without a token."""


def needs_token(permission_classes: Sequence[Any]) -> bool:
    """Whether a view needs an access token; raises Forbidden if it declares none."""
    if len(permission_classes) == 1:
        [kind] = permission_classes
        if kind in (Anybody, LoggedIn):
            return kind is LoggedIn
    raise Forbidden("This endpoint declares no permission, so every call is refused.")

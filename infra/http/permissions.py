"""Who may ask a view?

Each says so by its permission class. One that says nothing is for nobody, ours and DRF's alike.
"""

from collections.abc import Sequence
from typing import Any

from rest_framework.permissions import BasePermission

from infra.errors import Forbidden


class Nobody(BasePermission):
    """What DRF takes where a view says nothing."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class LoggedIn(BasePermission):
    """Who has a valid access token; only our own ways of a request know of one."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class Anybody(BasePermission):
    """Everyone, with a token or without."""


def needs_token(permission_classes: Sequence[Any]) -> bool:
    """Whether only those who are logged in may ask; raises Forbidden where nobody may."""
    if len(permission_classes) == 1:
        [kind] = permission_classes
        if kind in (Anybody, LoggedIn):
            return kind is LoggedIn
    raise Forbidden("Nobody may ask this.")

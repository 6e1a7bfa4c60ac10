"""The staff user of an admin request.

Read from the vault and the log at each request, never cached: the end of a log-in or of the staff
role takes effect at once.
"""

from dataclasses import dataclass

from django.http import HttpRequest

from command_api.admin import session_cookie
from command_api.staff.grants import is_staff
from events.vault import refresh_families


@dataclass(frozen=True, slots=True)
class StaffUser:
    """The user as Django's admin needs it; staff may view, and no one may write."""

    is_staff: bool = False

    @property
    def is_active(self) -> bool:
        """Equal to ``is_staff``: erased and logged-out users aren't staff."""
        return self.is_staff

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Whether a permission such as ``catalogue.view_movie`` is granted."""
        return self.is_staff and perm.partition(".")[2].startswith("view_")

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


ANONYMOUS = StaffUser()


def of(request: HttpRequest) -> StaffUser:
    cookie = session_cookie.of(request)
    if cookie is None:
        return ANONYMOUS
    status = refresh_families.login_status(cookie.family)
    if status is None or status.is_revoked or status.epoch > cookie.epoch:
        return ANONYMOUS
    return StaffUser(is_staff=is_staff(status.user_id))

"""Who looks at the admin pages, and may they?

Asked of the vault and of the log at each request, and not remembered: whatever ends a log-in, or
takes somebody out of the staff, ends it here at once.
"""

from dataclasses import dataclass

from django.http import HttpRequest

from command_api.admin import session_cookie
from command_api.staff.grants import is_staff
from events.vault import refresh_families


@dataclass(frozen=True, slots=True)
class StaffUser:
    """What Django's admin wants to know of a user. Nobody may do more than look."""

    is_staff: bool = False

    @property
    def is_active(self) -> bool:
        """Whoever is erased or logged out is nobody here."""
        return self.is_staff

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Whether they may do something; Django names it ``catalogue.view_movie``."""
        return self.is_staff and perm.partition(".")[2].startswith("view_")

    def has_module_perms(self, app_label: str) -> bool:
        """Whether they may see any of an app."""
        return self.is_staff


NOBODY = StaffUser()


def of(request: HttpRequest) -> StaffUser:
    """Who sent a request."""
    kept = session_cookie.of(request)
    if kept is None:
        return NOBODY
    standing = refresh_families.login_status(kept.family)
    if standing is None or standing.is_revoked or standing.epoch > kept.epoch:
        return NOBODY
    return StaffUser(is_staff=is_staff(standing.user_id))

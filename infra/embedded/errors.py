"""Errors of a data directory that can't be used.

NotUsable
└── InUse   somebody runs the platform on it already
"""

from infra.services.errors import ServiceError


class NotUsable(ServiceError):
    """The platform can't run on this directory; the message says why and what to do."""


class InUse(NotUsable):
    """It runs on it already."""

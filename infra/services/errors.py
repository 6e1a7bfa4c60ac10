"""Errors of starting servers and processes.

ServiceError
├── NotInstalled   a program is missing and we may not install it
├── PortTaken      a port that was asked for belongs to somebody else
└── DidNotStart    a server ended, or did not answer in time
"""


class ServiceError(Exception):
    """A server can't be used; the message says which one and what to do."""


class NotInstalled(ServiceError):
    pass


class PortTaken(ServiceError):
    pass


class DidNotStart(ServiceError):
    pass

"""Errors of starting servers and processes.

ServiceError
├── NotInstalled   a program is missing and can't be installed
├── PortTaken      a requested port is held by another process
├── DidNotStart    a server or process ended, or did not answer in time
└── NotUsable      a data directory can't be used
    └── InUse      another platform runs on it
"""


class ServiceError(Exception):
    """The message names the server or directory, the cause and the way out."""


class NotInstalled(ServiceError):
    pass


class PortTaken(ServiceError):
    pass


class DidNotStart(ServiceError):
    pass


class NotUsable(ServiceError):
    pass


class InUse(NotUsable):
    pass

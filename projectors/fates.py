"""What becomes of an event that can't be applied?

    Fate
    ├── AgainLater   the world is at fault: the same event, in place, after a while
    ├── NeverApply   the event is at fault: it, and what follows in its stream, is set aside
    └── Stop         we are at fault: everything would fail, so nothing more is tried

A fault that is none of these is taken as AgainLater: lag shows it, and no event is passed over.
"""


class Fate(Exception):
    """Why an event could not be applied."""


class AgainLater(Fate):
    """Something that the event needs is away or not there yet."""


class NeverApply(Fate):
    """No retry will ever help with this event."""


class Stop(Fate):
    """The program does not fit the log: go no further, let a person look."""

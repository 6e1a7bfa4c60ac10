"""Turns Ctrl-C and TERM into an event."""

import signal
from threading import Event, Thread


def stop_on_signals(stopping: Event) -> None:
    """Set the event on Ctrl-C, on TERM, and when the terminal is closed."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # In a thread, for the interrupted one may hold the event's own lock.
        signal.signal(number, lambda *_: Thread(target=stopping.set).start())

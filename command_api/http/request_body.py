"""How many threads may wait for bodies that are still on their way?

Reading blocks its thread until the client has sent all, and the server knows no time limit for it
(measured: one client that stops in the middle holds one of its threads until it goes away). So at
most half of the threads read at a time, and the others always answer what needs no body. A proxy
in front that takes bodies whole before it passes them on keeps slow clients from holding any.
"""

from threading import BoundedSemaphore

from django.http import HttpRequest

from infra.config import config
from infra.errors import BadRequest, TooLarge, Unavailable

# A body that is there already is read in microseconds: who finds no place so long meets slow ones.
SLOT_TIMEOUT_SECONDS = 1.0

_slots = BoundedSemaphore(max(1, config().server_threads // 2))


def read_body(request: HttpRequest) -> bytes:
    """The body, whole; raises BadRequest, TooLarge, Unavailable."""
    if content_length(request) > config().body_limit_bytes:
        raise TooLarge(f"A body may have at most {config().body_limit_bytes} bytes.")
    if not _slots.acquire(timeout=SLOT_TIMEOUT_SECONDS):
        raise Unavailable("Too many bodies are on their way. Try again in a moment.")
    try:
        return request.body
    finally:
        _slots.release()


def content_length(request: HttpRequest) -> int:
    """How long the body is said to be; raises BadRequest when that is not said."""
    if "HTTP_TRANSFER_ENCODING" in request.META:  # WSGI would show an empty body
        raise BadRequest("A body must come whole, with its Content-Length, not in chunks.")
    given = request.META.get("CONTENT_LENGTH") or "0"
    if not (given.isascii() and given.isdigit()):
        raise BadRequest("Content-Length must be a number.")
    return int(given)

"""Request bodies: reads them within a size limit, in at most half of the server's threads.

A read blocks its thread until the client has sent the whole body, and the server has no timeout for
it (measured: a client that stops in the middle holds a thread until it disconnects). The other half
of the threads stays free for requests without a body. A buffering proxy in front keeps slow clients
from holding any thread.
"""

from threading import BoundedSemaphore

from django.http import HttpRequest

from infra.config import config
from infra.errors import BadRequest, TooLarge, Unavailable

# A body that has arrived is read in microseconds, so a slot is free soon unless clients are slow.
SLOT_TIMEOUT_SECONDS = 1.0

_slots = BoundedSemaphore(max(1, config().server_threads // 2))


def read_body(request: HttpRequest) -> bytes:
    """Read the whole body; raises BadRequest, TooLarge, Unavailable."""
    if content_length(request) > config().body_limit_bytes:
        raise TooLarge(f"The body may have at most {config().body_limit_bytes} bytes.")
    if not _slots.acquire(timeout=SLOT_TIMEOUT_SECONDS):
        raise Unavailable("Too many slow request bodies are being read. Try again in a moment.")
    try:
        return request.body
    finally:
        _slots.release()


def content_length(request: HttpRequest) -> int:
    """Return the declared length of the body; raises BadRequest without a valid one."""
    if "HTTP_TRANSFER_ENCODING" in request.META:  # WSGI would show an empty body
        raise BadRequest("Chunked bodies are not supported; send the body with a Content-Length.")

    given = request.META.get("CONTENT_LENGTH") or "0"
    if not (given.isascii() and given.isdigit()):
        raise BadRequest("Content-Length must be a number.")
    return int(given)

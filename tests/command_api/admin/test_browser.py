"""Admin pages in a real browser, without violations of the content security policy."""

import re
import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from uuid import UUID
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler
from playwright.sync_api import expect

from command_api.staff import grants
from events.recorded import Origin
from infra.http.security_headers import SecurityHeaders
from tests.command_api.admin.conftest import fill
from tests.command_api.conftest import PASSWORD, in_thread

PATIENCE_MS = 60_000


class Server(ThreadingMixIn, WSGIServer):
    """Browsers open connections in advance; each gets a thread, or one would wait for another."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Logs no requests."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def site(api, register) -> Iterator[str]:
    """URL of a live command API, with a staff user."""
    fill(200)
    user_id = UUID(register("ann").json()["id"])
    grants.grant(user_id, origin=Origin(correlation_id=user_id))
    application = in_thread(SecurityHeaders(WSGIHandler()))
    with make_server("127.0.0.1", 0, application, Server, Quiet) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def leave(page):
    """Wait for the page to load: leaving it earlier cancels requests, which counts as a fault."""
    page.wait_for_load_state()
    return page


def test_staff_log_in_search_a_movie_and_log_out_in_a_browser(site, page):
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{site}/admin/catalogue/movie/?q=movie+1150")
    page.get_by_label("Username").fill("ann")
    page.get_by_label("Password").fill("not that one")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Password").fill(PASSWORD)
    leave(page).get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(r"/admin/catalogue/movie/\?q=movie"))
    leave(page).get_by_role("link", name="The Movie 1150").click()
    expect(page.locator("h2.inline-heading")).to_have_text(
        ["Cast", "Credits", "Keywords", "External ids", "Translations"]
    )
    leave(page).locator("#castings-group, #casting_set-group").get_by_role("link").first.click()
    expect(page.locator("h1")).to_have_text("View person")
    leave(page).goto(f"{site}/admin/catalogue/movie/")
    page.locator("#searchbar").fill("1199")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="The Movie 1199")).to_be_visible()
    leave(page).get_by_role("link", name="Horror").click()
    expect(page.locator(".paginator")).to_contain_text("0 movies")
    leave(page).get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()

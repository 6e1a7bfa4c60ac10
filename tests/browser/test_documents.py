"""API pages in a real browser: all operations, nothing from outside."""

import httpx
import pytest
from playwright.sync_api import expect

APIS = ("command", "query")
METHODS = {"get", "put", "post", "patch", "delete"}
PATIENCE_MS = 60_000


@pytest.fixture
def platform(start):
    return start()


def url_of(platform, api):
    return {"command": platform.command_url, "query": platform.query_url}[api]


def operations(url):
    paths = httpx.get(f"{url}/openapi.json", timeout=60).json()["paths"]
    return [
        (path, method) for path, methods in paths.items() for method in methods.keys() & METHODS
    ]


def test_api_pages_show_every_operation(platform, page):
    for api in APIS:
        url = url_of(platform, api)
        listed = operations(url)
        assert listed
        page.goto(f"{url}/docs/")
        expect(page.locator(".opblock")).to_have_count(len(listed), timeout=PATIENCE_MS)
        page.goto(f"{url}/redoc/")
        expect(page.locator("[data-section-id^='operation/']").first).to_be_attached(
            timeout=PATIENCE_MS
        )
        shown = page.locator("[data-section-id*='operation/']").count()
        assert shown >= len(listed)

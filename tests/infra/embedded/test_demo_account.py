"""Demo account: a lost connection is reported, and replaces no account."""

import json

import httpx
import pytest

from infra.embedded.demo_account import FILE, demo_account


def test_lost_connection_is_reported_and_keeps_the_account(tmp_path, monkeypatch):
    def post(url, **_options):
        if url.endswith("/v1/accounts"):
            return httpx.Response(409)
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx, "post", post)
    with pytest.raises(OSError, match="/v1/tokens did not answer: refused"):
        demo_account(tmp_path, "http://localhost")
    assert json.loads((tmp_path / FILE).read_bytes())["username"] == "demo"

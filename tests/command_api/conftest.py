"""Fixtures of the command API tests: sending commands, users, log-ins."""

import json
from contextlib import closing
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection, connections
from django.test import Client

from command_api.catalogue import movie_lookup
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import AddMovie, MovieFacts
from command_api.event_store import store
from command_api.http import token_revocation
from events.recorded import Origin
from events.vault import refresh_families, subjects
from infra import clients
from infra.rate_limit.sliding_window import Throttle
from infra.security import access_tokens
from infra.security.access_tokens import Identity

ALIEN, HEAT = 1, 2
PASSWORD = "correct horse battery"


class Person(NamedTuple):
    """A user who is logged in."""

    user_id: UUID
    headers: dict[str, str]


class Api:
    """Sends requests to the command API."""

    def __init__(self) -> None:
        self._client = Client()

    def __call__(self, method: str, path: str, body: Any = None, *, by=None, **headers: str):
        """Send a request; a body of bytes is sent as it is."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        sent = {"Content-Type": "application/json"} | (by.headers if by else {})
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        kind = sent.pop("Content-Type")
        # Twice: Django's client leaves the header out of a request without a body.
        return self._client.generic(
            method, path, raw, content_type=kind, headers=sent, CONTENT_TYPE=kind
        )

    def rate(self, movie_id: int, score: Any, *, by, **headers: str):
        """Give a movie a score."""
        return self("PUT", f"/v1/movies/{movie_id}/rating", {"score": score}, by=by, **headers)


@pytest.fixture(autouse=True)
def cheap_argon2(monkeypatch):
    """Give Argon2 its lowest costs: hashing was a fifth of this run's CPU time."""
    for name, cost in (("time_cost", 1), ("memory_cost", 8), ("parallelism", 1)):
        monkeypatch.setattr(Argon2PasswordHasher, name, cost)


@pytest.fixture
def api(request, redis_url, keys):
    """The command API on real servers, with two movies in the catalogue.

    A test that is marked django_db is rolled back; the others commit, which costs them a second.
    """
    rolls_back = request.node.get_closest_marker("django_db")
    request.getfixturevalue("db" if rolls_back else "log_database")
    movie_lookup.clear_cache()
    token_revocation.clear_cache()
    clients.redis().ping()  # the announcing thread needs an open connection
    movies = [
        AddMovie(movie_id, MovieFacts(title=title, year=year))
        for movie_id, title, year in ((ALIEN, "Alien", 1979), (HEAT, "Heat", 1995))
    ]
    handle_all(movies, store(), origin=Origin(correlation_id=uuid4()))
    return Api()


@pytest.fixture
def person(api):
    """Makes logged-in users without hashing a password."""

    def make() -> Person:
        user_id = uuid4()
        name = user_id.hex[:12]
        subjects.reserve(
            user_id, username=name, email=f"{name}@example.org", password_hash="unusable"
        )
        subjects.activate(user_id)
        session = refresh_families.create(user_id, password_hash="unusable", life=timedelta(days=1))
        assert session is not None
        access = access_tokens.mint_access(user_id, session.family, 0)
        return Person(user_id, {"Authorization": f"Bearer {access}"})

    return make


@pytest.fixture
def ann(person):
    """A logged-in user."""
    return person()


@pytest.fixture
def register(api):
    """Registers accounts."""

    def _register(username="ann", email=None, password=PASSWORD, **more):
        body = {"username": username, "email": email or f"{username}@example.org"}
        headers = more.pop("headers", {})
        return api("POST", "/v1/accounts", body | {"password": password} | more, **headers)

    return _register


@pytest.fixture
def log_in(api):
    """Logs users in."""

    def _log_in(login="ann", password=PASSWORD):
        return api("POST", "/v1/tokens", {"login": login, "password": password})

    return _log_in


def bearer(tokens_answer) -> Person:
    """Return the user of an answer's access token."""
    access = tokens_answer.json()["access"]
    return Person(identity(tokens_answer).user_id, {"Authorization": f"Bearer {access}"})


def identity(tokens_answer) -> Identity:
    """Return the identity in an answer's access token."""
    return access_tokens.bearer(f"Bearer {tokens_answer.json()['access']}")


def use_up(counter: Throttle, requests: int) -> None:
    """Count requests in this minute, and in the next one, which may begin meanwhile."""
    minute = int(counter.key.rpartition(":")[2])
    for key in (counter.key, f"{counter.key.rpartition(':')[0]}:{minute + 1}"):
        clients.redis().set(key, requests)


def log_rows() -> list[tuple[str, str]]:
    """Return type and data of every event, by partition and offset, without movies' events."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT type, data::text FROM events WHERE stream NOT LIKE 'movie-%'"
            ' ORDER BY partition, "offset"'
        )
        rows: list[tuple[str, str]] = cursor.fetchall()
        return rows


def in_thread(work):
    """Wrap work so that it closes its thread's database connections."""

    def run(*args):
        with closing(connections["default"]), closing(connections["vault"]):
            return work(*args)

    return run


def fields(problem) -> list[str]:
    """Return the fields that a problem names."""
    assert problem.headers["Content-Type"] == "application/problem+json"
    return [error["field"] for error in problem.json()["errors"]]

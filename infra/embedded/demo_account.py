"""Demo account: a user whose password is made for this directory and kept in it.

The file with the password is readable by its owner only.
"""

import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

import httpx

from infra.services.errors import DidNotStart

FILE = "demo-account.json"
GENRES = ("Science Fiction", "Comedy")


class Login(NamedTuple):
    """A name and its password."""

    username: str
    password: str


def demo_account(directory: Path, command_url: str) -> Login:
    """The directory's account; registers it unless an earlier start did."""
    path = directory / FILE
    login = _read(path) or _write(path, Login("demo", secrets.token_urlsafe(12)))
    registered = path.with_suffix(".open")
    if not registered.exists():
        if not _register(command_url, login) and not _can_log_in(command_url, login):
            # The name is taken by an account whose file, with its password, was lost.
            login = _write(path, Login(f"demo-{secrets.token_hex(3)}", login.password))
            _register(command_url, login)
        registered.touch()
    return login


def _read(path: Path) -> Login | None:
    return Login(**json.loads(path.read_bytes())) if path.exists() else None


def _write(path: Path, login: Login) -> Login:
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(login._asdict(), file)
    part.replace(path)
    return login


def _register(command_url: str, login: Login) -> bool:
    """Register the account; False when the name is taken."""
    email = f"{login.username}@example.org"
    body = {**login._asdict(), "email": email, "genres": list(GENRES)}
    return _post(f"{command_url}/v1/accounts", body)


def _can_log_in(command_url: str, login: Login) -> bool:
    try:
        body = {"login": login.username, "password": login.password}
        return _post(f"{command_url}/v1/tokens", body)
    except DidNotStart:
        return False


def _post(url: str, body: object) -> bool:
    try:
        response = httpx.post(url, json=body, timeout=30, trust_env=False)
    except httpx.TransportError as error:
        # No DidNotStart: a lost connection doesn't tell whether the account can log in.
        raise ConnectionError(f"{url} did not answer: {error}") from error
    if response.is_error and response.status_code != httpx.codes.CONFLICT:
        raise DidNotStart(f"{url} answered {response.status_code}: {response.text}")
    return response.is_success

"""Demo account: a user whose password is made for this directory and kept in it.

The password is made up for this directory and kept in it, for its owner to read.
"""

import json
import os
import secrets
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from infra.services.errors import DidNotStart

FILE = "demo-account.json"
GENRES = ("Science Fiction", "Comedy")
_CONFLICT = 409


class Login(NamedTuple):
    """A name and its password."""

    username: str
    password: str


def demo_account(directory: Path, command_url: str) -> Login:
    """The directory's account; opened the first time, and if that was interrupted, again."""
    path = directory / FILE
    login = _read(path) or _write(path, Login("demo", secrets.token_urlsafe(12)))
    done = path.with_suffix(".open")
    if not done.exists():
        if not _register(command_url, login) and not _knows(command_url, login):
            # Somebody else has the name: this file was lost, and with it the password.
            login = _write(path, Login(f"demo-{secrets.token_hex(3)}", login.password))
            _register(command_url, login)
        done.touch()
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
    """Whether the account could be opened; False when the name is taken."""
    email = f"{login.username}@example.org"
    body = {**login._asdict(), "email": email, "genres": list(GENRES)}
    return _post(f"{command_url}/v1/accounts", body)


def _knows(command_url: str, login: Login) -> bool:
    try:
        body = {"login": login.username, "password": login.password}
        return _post(f"{command_url}/v1/tokens", body)
    except DidNotStart:
        return False


def _post(url: str, body: object) -> bool:
    request = urllib.request.Request(  # noqa: S310 - our own
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310 - our own
            return True
    except urllib.error.HTTPError as error:
        if error.code == _CONFLICT:
            return False
        said = error.read().decode(errors="replace")
        raise DidNotStart(f"{url} answered {error.code}: {said}") from error

"""As of: the board of a past moment is the one that was shown then."""

from datetime import UTC, datetime

from tests.fixtures.platform import PASSWORD, Client, import_


def log_in(person: Client, username: str) -> None:
    """Log in again, for a token with the current role."""
    login = {"login": username, "password": PASSWORD}
    access = person.command.post("/v1/tokens", json=login).json()["access"]
    person.headers = {"Authorization": f"Bearer {access}"}


def rate(person: Client, *movies: int) -> str:
    """Rate some movies; return the log position."""
    answers = [person.put(f"/v1/movies/{movie}/rating", {"score": 8}) for movie in movies]
    return ",".join(answer.headers["Log-Position"] for answer in answers)


def board(answer) -> list[tuple[int, float]]:
    assert answer.status_code == 200, answer.text
    return [(item["id"], item["heat"]) for item in answer.json()["items"]]


def hour_of(answer) -> datetime:
    as_of = datetime.fromisoformat(answer.json()["as_of"])
    return as_of.replace(minute=0, second=0, microsecond=0)


def test_as_of_board_is_that_of_the_past(start, catalogue, register_client):
    platform = start()
    import_(platform, catalogue)
    ann, bob = register_client(platform, "ann"), register_client(platform, "bob")
    trending = ann.read("/v1/trending", ",".join([rate(ann, 3, 5), rate(bob, 3)]))
    moment = datetime.now(UTC)
    assert [movie for movie, _ in board(trending)] == [3, 5]
    now = ann.read("/v1/trending", ",".join([rate(ann, 7, 9), rate(bob, 7, 9, 5)]))

    assert (
        platform.manage("rebuild", "trending", "--until", moment.isoformat(), "--into", "then") == 0
    )
    as_of = {"As-Of": "then"}
    assert bob.query.get("/v1/trending", headers={**bob.headers, **as_of}).status_code == 403
    assert platform.manage("grant_staff", "bob") == 0
    log_in(bob, "bob")
    looked = bob.query.get("/v1/trending", headers={**bob.headers, **as_of})
    assert board(looked) == board(trending) != board(now)
    assert datetime.fromisoformat(looked.json()["as_of"]) == moment
    still = bob.read("/v1/trending")
    if hour_of(still) == hour_of(now):  # heat decays within the hour
        assert board(still) == board(now)
    assert [movie for movie, _ in board(still)] == [movie for movie, _ in board(now)]

    assert platform.manage("generations", "drop", "then") == 0
    dropped = bob.query.get("/v1/trending", headers={**bob.headers, **as_of})
    assert dropped.status_code == 404
    assert dropped.json()["detail"] == "There is no trending as of then."
    assert platform.manage("grant_staff", "bob", "--revoke") == 0
    assert platform.manage("lag", "--wait", "60") == 0
    ended = bob.query.get("/v1/trending", headers={**bob.headers, **as_of})
    assert ended.status_code == 401

"""Tour steps: catalogue, ratings, trending, search, recommendations and playlists."""

import sys
from pathlib import Path
from typing import Any

from infra.demo.api_client import ApiClient
from infra.demo.reporter import Narration, TourFailed
from infra.demo.tmdb_steps import sync_with_tmdb
from infra.platform.topology import Platform

PASSWORD = "a-Trip-to-the-Moon-1902"  # noqa: S105 - of a short-lived account
OK, NOT_FOUND = 200, 404
PEOPLE = 300
LEVEL_SECONDS = "180"
SEARCHES = (
    ("the godfater", "The Godfather"),  # a typo
    ("leon the professional", "Léon: The Professional"),  # an accent that was not typed
    ("Désirée", "Désirée"),  # one that was
)


def tour(
    platform: Platform,
    narration: Narration,
    catalogue: str,
    ratings: Path | None,
    tmdb: Path | None = None,
) -> None:
    """Run all steps; raises TourFailed at the first that fails.

    With ``tmdb``, a work directory, run the steps of the sync with TMDb instead.
    """
    visitor = ApiClient(platform.command_url, platform.query_url)
    _import_catalogue(platform, narration, visitor, catalogue)
    if tmdb:
        sync_with_tmdb(platform, narration, visitor, tmdb)
        _verify(platform, narration)
        return
    if ratings:
        _import_ratings(platform, narration, ratings)
    else:
        _simulate(platform, narration)
    _trending(narration, visitor)
    _search(narration, visitor)
    with narration.step("A user registers and prefers science fiction"):
        visitor.register(username="melies", password=PASSWORD, genres=["Science Fiction"])
    before = _recommendations(narration, visitor, "Recommended before any rating")
    liked = _rate(narration, visitor)
    after = _recommendations(narration, visitor, "Recommended after five ratings")
    _compare(before, after, liked)
    _my_ratings(narration, visitor, liked)
    _similar(narration, visitor, liked[0])
    _playlist(narration, visitor, liked)
    _verify(platform, narration)


def _import_catalogue(
    platform: Platform, narration: Narration, visitor: ApiClient, catalogue: str
) -> None:
    with narration.step("The catalogue is imported as events and projected"):
        _manage(platform, "import_catalogue", catalogue)
        _manage(platform, "lag", "--wait", LEVEL_SECONDS)
        card = visitor.read("/v1/movies/1")
        narration.say(f"GET /v1/movies/1: {card['title']} ({card['year']})")


def _import_ratings(platform: Platform, narration: Narration, ratings: Path) -> None:
    with narration.step("Real ratings, with times shifted so that the last is from now"):
        _manage(platform, "import_movielens", str(ratings), "--until-now")
        _manage(platform, "lag", "--wait", LEVEL_SECONDS)


def _simulate(platform: Platform, narration: Narration) -> None:
    with narration.step(f"No RATINGS=DIR given: ratings of {PEOPLE} simulated users"):
        _manage(platform, "simulate_community", "--people", str(PEOPLE))
        _manage(platform, "lag", "--wait", LEVEL_SECONDS)


def _trending(narration: Narration, visitor: ApiClient) -> None:
    for window in ("day", "week"):
        with narration.step(f"Trending this {window}"):
            items = visitor.read("/v1/trending", window=window, limit=5)["items"]
            narration.items([f"{_title(item)}, heat {item['heat']:.1f}" for item in items])
            if not items:
                raise TourFailed("Nothing is trending.")


def _search(narration: Narration, visitor: ApiClient) -> None:
    for words, title in SEARCHES:
        with narration.step(f"Search: {words}"):
            items = visitor.read("/v1/search", q=words, limit=5)["items"]
            narration.items([_title(item) for item in items])
            if title not in [item["title"] for item in items]:
                raise TourFailed(f"{title} is not among the first five.")


def _recommendations(narration: Narration, visitor: ApiClient, title: str) -> list[dict[str, Any]]:
    with narration.step(title):
        items: list[dict[str, Any]] = visitor.read("/v1/me/recommendations", limit=5)["items"]
        narration.items([f"{_title(item)}: {_reasons(visitor, item)}" for item in items])
        if not items:
            raise TourFailed("Nothing is recommended.")
    return items


def _rate(narration: Narration, visitor: ApiClient) -> list[int]:
    with narration.step("They rate five westerns and thrillers"):
        liked: list[int] = []
        for genre in ("Western", "Thriller"):
            items = visitor.read("/v1/discover", genre=genre, sort="popularity", limit=3)["items"]
            for movie in items[: 5 - len(liked)]:
                visitor.rate(movie["id"], 9)
                liked.append(movie["id"])
                narration.say(f"9 for {_title(movie)}")
    return liked


def _compare(before: list[dict[str, Any]], after: list[dict[str, Any]], liked: list[int]) -> None:
    if {movie["id"] for movie in after} & set(liked):
        raise TourFailed("A movie that was rated is recommended.")
    if [movie["id"] for movie in before] == [movie["id"] for movie in after]:
        raise TourFailed("The ratings changed nothing.")


def _my_ratings(narration: Narration, visitor: ApiClient, liked: list[int]) -> None:
    with narration.step("My ratings, read back by Log-Position"):
        items = visitor.read("/v1/me/ratings")["items"]
        narration.items([f"{_title(item)}, {item['score']}" for item in items])
        if {item["id"] for item in items} != set(liked):
            raise TourFailed("These are not the movies that were rated.")


def _playlist(narration: Narration, owner: ApiClient, movies: list[int]) -> None:
    """Show a public playlist to another user; a private one is hidden from them."""
    other = ApiClient.beside(owner)
    other.register(username="alice-guy", password=PASSWORD, genres=[])
    with narration.step("The user makes a playlist, and another user reads it"):
        body = {"name": "Rides into the sunset", "visibility": "public"}
        playlist_id = owner.command("POST", "/v1/playlists", json=body).json()["id"]
        for movie in movies:
            owner.command("PUT", f"/v1/playlists/{playlist_id}/movies/{movie}", json={})
        path = f"/v1/playlists/{playlist_id}"
        other.wait_for(owner)
        seen = other.read(path)
        narration.say(f"{seen['name']}, read by another user, with {len(movies)} movies")
    with narration.step("They make it private: it is hidden from all others"):
        owner.command("PATCH", path, json={"visibility": "private"})
        other.wait_for(owner)
        _expect(other.status(path), NOT_FOUND, "Another user's look at a private playlist")
        _expect(ApiClient.beside(other).status(path), NOT_FOUND, "A stranger's look at it")
        _expect(owner.status(path), OK, "Its owner's look at it")
        listed = [item["id"] for item in other.read("/v1/playlists", limit=100)["items"]]
        if playlist_id in listed:
            raise TourFailed("A private playlist is in the list of public ones.")
        narration.say(f"GET {path}: 200 for its owner, 404 for everyone else")


def _similar(narration: Narration, visitor: ApiClient, movie: int) -> None:
    """Show movies similar to one that the user liked."""
    card = visitor.read(f"/v1/movies/{movie}")
    with narration.step(f"More like {card['title']}"):
        items = visitor.read(f"/v1/movies/{movie}/similar", limit=5)["items"]
        narration.items([_similarity(item) for item in items])
        if not items or movie in [item["id"] for item in items]:
            raise TourFailed("Nothing is like it, or it is like itself.")


def _verify(platform: Platform, narration: Narration) -> None:
    with narration.step("manage.py verify --all: every read model equals a fold of the log"):
        _manage(platform, "verify", "--all")


def _manage(platform: Platform, *arguments: str) -> None:
    sys.stdout.flush()
    if status := platform.manage(*arguments):
        raise TourFailed(f"manage.py {' '.join(arguments)} ended with {status}.")


def _title(movie: dict[str, Any]) -> str:
    return f"{movie['title']} ({movie['year']})"


def _reasons(visitor: ApiClient, movie: dict[str, Any]) -> str:
    return ", ".join(_reason(visitor, reason) for reason in movie["reasons"])


def _reason(visitor: ApiClient, reason: dict[str, Any]) -> str:
    about = reason.get("genre", "")
    if "movie" in reason:
        about = visitor.read(f"/v1/movies/{reason['movie']}")["title"]
    return " ".join(filter(None, (reason["because"], about, f"{reason['share']:.0%}")))


def _similarity(item: dict[str, Any]) -> str:
    how = item["similarity"]
    return f"{item['title']} ({item['year']}): {how['score'] * 100:.0f} of 100, {how['confidence']}"


def _expect(status: int, expected: int, what: str) -> None:
    if status != expected:
        raise TourFailed(f"{what} was answered {status} instead of {expected}.")

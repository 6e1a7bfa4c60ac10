"""Tour steps: playlists and similar movies."""

from typing import Any

from infra.demo.api_client import ApiClient
from infra.demo.reporter import Narration, TourFailed

PASSWORD = "a-Trip-to-the-Moon-1902"  # noqa: S105 - of a short-lived account
OK, NOT_FOUND = 200, 404


def playlist(narration: Narration, owner: ApiClient, movies: list[int]) -> None:
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


def similar(narration: Narration, visitor: ApiClient, movie: int) -> None:
    """Show movies similar to one that the user liked."""
    card = visitor.read(f"/v1/movies/{movie}")
    with narration.step(f"More like {card['title']}"):
        items = visitor.read(f"/v1/movies/{movie}/similar", limit=5)["items"]
        narration.items([_similarity(item) for item in items])
        if not items or movie in [item["id"] for item in items]:
            raise TourFailed("Nothing is like it, or it is like itself.")


def _similarity(item: dict[str, Any]) -> str:
    how = item["similarity"]
    return f"{item['title']} ({item['year']}): {how['score'] * 100:.0f} of 100, {how['confidence']}"


def _expect(status: int, expected: int, what: str) -> None:
    if status != expected:
        raise TourFailed(f"{what} was answered {status} instead of {expected}.")

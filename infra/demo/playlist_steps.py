"""Tour steps: playlists and similar movies."""

from typing import Any

from infra.demo.api_client import ApiClient
from infra.demo.reporter import Narration, TourFailed

PASSWORD = "a-Trip-to-the-Moon-1902"  # noqa: S105 - of an account that lives for a minute
OK, NOT_FOUND = 200, 404


def playlist(narration: Narration, owner: ApiClient, movies: list[int]) -> None:
    """Make one public, then private; others see the first only."""
    other = ApiClient.beside(owner)
    other.register(username="alice-guy", password=PASSWORD, genres=[])
    with narration.step("They make a playlist, and somebody else looks at it"):
        body = {"name": "Rides into the sunset", "visibility": "public"}
        identity = owner.command("POST", "/v1/playlists", json=body).json()["id"]
        for movie in movies:
            owner.command("PUT", f"/v1/playlists/{identity}/movies/{movie}", json={})
        path = f"/v1/playlists/{identity}"
        other.wait_for(owner)
        found = other.read(path)
        narration.say(f"{found['name']}, by somebody else, with {len(movies)} movies")
    with narration.step("They make it private: nobody else sees that it exists"):
        owner.command("PATCH", path, json={"visibility": "private"})
        other.wait_for(owner)
        _expect(other.status(path), NOT_FOUND, "Somebody else's look at a private playlist")
        _expect(ApiClient.beside(other).status(path), NOT_FOUND, "A stranger's look at it")
        _expect(owner.status(path), OK, "Its owner's look at it")
        listed = [item["id"] for item in other.read("/v1/playlists", limit=100)["items"]]
        if identity in listed:
            raise TourFailed("A private playlist is in the list of public ones.")
        narration.say(f"GET {path}: 200 for its owner, 404 for everybody else")


def similar(narration: Narration, visitor: ApiClient, movie: int) -> None:
    """What is like a movie that they liked."""
    card = visitor.read(f"/v1/movies/{movie}")
    with narration.step(f"More like {card['title']}"):
        items = visitor.read(f"/v1/movies/{movie}/similar", limit=5)["items"]
        narration.items([_similarity(item) for item in items])
        if not items or movie in [item["id"] for item in items]:
            raise TourFailed("Nothing is like it, or it is like itself.")


def _similarity(item: dict[str, Any]) -> str:
    how = item["similarity"]
    return f"{item['title']} ({item['year']}): {how['score'] * 100:.0f} of 100, {how['confidence']}"


def _expect(status: int, wanted: int, what: str) -> None:
    if status != wanted:
        raise TourFailed(f"{what} was answered {status} instead of {wanted}.")

"""Films of the fake TMDb server: the demo catalogue and the changes that tests make to it."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any

from infra.fake_tmdb import payloads

CATALOGUE = Path(__file__).parents[2] / "command_api" / "catalogue" / "demo" / "catalogue.jsonl.gz"
FIRST_ID = 100_000
TRENDING = 200


class FilmCatalogue:
    """Films, lists and changes. Thread-safe."""

    def __init__(self, lines: Iterable[Mapping[str, Any]]) -> None:
        self._lock = RLock()
        self._films: dict[int, dict[str, Any]] = {}
        for line in lines:
            film = payloads.film(FIRST_ID + line["id"], line)
            self._films[film["id"]] = film
        self._changed: dict[int, date] = {}
        self._seeds = {"day": "0", "week": "0"}
        self.genres: Sequence[Mapping[str, Any]] = payloads.GENRES
        self._listed: dict[str, list[int]] = {}

    @classmethod
    def of_demo_catalogue(cls, count: int | None = None) -> "FilmCatalogue":
        """The newest ``count`` films of the demo catalogue; all by default."""
        return cls(islice(reversed(_catalogue()), count))

    def __len__(self) -> int:
        return len(self._films)

    def get(self, film_id: int) -> dict[str, Any] | None:
        """A film in full; None when it doesn't exist or was deleted."""
        with self._lock:
            return self._films.get(film_id)

    def ids(self) -> list[int]:
        """Ids of all films, ascending."""
        with self._lock:
            return sorted(self._films)

    # ------------------------------------------------------------------------------ lists

    def listed(self, name: str) -> list[dict[str, Any]]:
        """The films of ``popular`` or ``top_rated``, in order."""
        with self._lock:
            if name not in self._listed:
                field = {"popular": "popularity", "top_rated": "vote_average"}[name]
                ranked = sorted(self._films.values(), key=lambda f: (-f[field], f["id"]))
                self._listed[name] = [film["id"] for film in ranked]
            return [self._films[film_id] for film_id in self._listed[name]]

    def trending(self, window: str) -> list[dict[str, Any]]:
        """The trending films of a window; ``shuffle`` replaces them."""
        with self._lock:
            name = f"{window} {self._seeds[window]}"
            if name not in self._listed:
                ranked = sorted(
                    self._films, key=lambda id_: sha256(f"{name}{id_}".encode()).digest()
                )
                self._listed[name] = ranked[:TRENDING]
            return [self._films[film_id] for film_id in self._listed[name]]

    def changed(self, first: date, last: date) -> list[int]:
        """Ids of the films that changed on these days."""
        with self._lock:
            return sorted(film for film, day in self._changed.items() if first <= day <= last)

    def search(self, words: str) -> list[dict[str, Any]]:
        """Films whose titles contain all the words."""
        folded_words = words.casefold().split()
        with self._lock:
            return [
                film
                for film in self._films.values()
                if all(word in film["title"].casefold() for word in folded_words)
            ]

    # ------------------------------------------------------------------------------ changes

    def shuffle(self, seed: str) -> None:
        """Replace the trending films."""
        with self._lock:
            self._seeds = {"day": f"day {seed}", "week": f"week {seed}"}

    def change(self, film_id: int, **fields: Any) -> None:
        """Set fields of a film; ``LEFT_OUT`` removes a field."""
        with self._lock:
            film = {**self._films[film_id], **fields}
            self._films[film_id] = {k: v for k, v in film.items() if v is not payloads.LEFT_OUT}
            self._mark_changed(film_id)

    def delete(self, film_id: int) -> None:
        """Delete a film."""
        with self._lock:
            del self._films[film_id]
            self._mark_changed(film_id)

    def merge(self, film_id: int, into: int) -> None:
        """Delete a film and give its IMDb id to another."""
        with self._lock:
            deleted = self._films[film_id]
            self.delete(film_id)
            same = {name: deleted[name] for name in ("imdb_id", "external_ids")}
            self.change(into, **same)

    def add(self, film_id: int, **line: Any) -> None:
        """Add a film that isn't in the demo catalogue."""
        with self._lock:
            film = payloads.film(film_id, {"id": film_id, "genres": (), "cast": (), **line})
            self._films[film_id] = film
            self._mark_changed(film_id)

    def _mark_changed(self, film_id: int) -> None:
        self._changed[film_id] = datetime.now(UTC).date()
        self._listed.clear()


@cache
def _catalogue() -> list[Mapping[str, Any]]:
    with gzip.open(CATALOGUE, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]

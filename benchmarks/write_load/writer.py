"""Writer: sends random commands and records the accepted ones in the ledger.

Commands rate and re-rate movies, withdraw ratings, set and remove favourites, and create playlists
and add, move and remove their movies. The ledger is updated from the answers.
"""

from random import Random
from threading import Event

import httpx

from benchmarks.write_load.ledger import SCORES, LoadPlaylist, LoadUser
from benchmarks.write_load.sender import Sender

_LEAST_RATINGS = 2
"""One rating stays, so that a trending board, once filled, is never empty."""
_MOST_PLAYLISTS = 3
_MOST_IN_A_PLAYLIST = 30


class Writer:
    """A user who sends random commands."""

    def __init__(self, person: LoadUser, sender: Sender, *, movies: int, seed: int) -> None:
        self.person = person
        self._sender = sender
        self._movies = movies
        self._random = Random(seed)

    def run(self, stopping: Event, *, pause_seconds: float) -> None:
        """Write until stopped; the last command is completed."""
        while not stopping.wait(pause_seconds):
            self.write()

    def write(self) -> None:
        """Send one random command."""
        kinds = (self._rate, self._withdraw, self._favour, self._edit_playlist)
        [write] = self._random.choices(kinds, weights=(10, 2, 4, 6))
        write()

    def _rate(self) -> None:
        movie, score = self._movie(), self._random.choice(SCORES)
        if self._send("PUT", f"/v1/movies/{movie}/rating", {"score": score}):
            self.person.ratings[movie] = score

    def _withdraw(self) -> None:
        if len(self.person.ratings) < _LEAST_RATINGS:
            return
        movie = self._random.choice(sorted(self.person.ratings))
        if self._send("DELETE", f"/v1/movies/{movie}/rating"):
            del self.person.ratings[movie]

    def _favour(self) -> None:
        movie = self._movie()
        is_one = movie in self.person.favourites
        if self._send("DELETE" if is_one else "PUT", f"/v1/movies/{movie}/favourite"):
            self.person.favourites ^= {movie}

    def _edit_playlist(self) -> None:
        playlists = self.person.playlists
        if not playlists or (len(playlists) < _MOST_PLAYLISTS and self._random.random() < 0.2):
            self._create_playlist()
            return
        playlist_id = self._random.choice(sorted(playlists))
        movies = playlists[playlist_id].movies
        if movies and (len(movies) >= _MOST_IN_A_PLAYLIST or self._random.random() < 0.3):
            self._remove_movie(playlist_id, self._random.choice(movies))
        else:
            self._put_movie(playlist_id)

    def _create_playlist(self) -> None:
        # A unique name, so that a playlist created twice is noticed.
        name = f"Evening {self._random.randrange(10**9)}"
        answer = self._send("POST", "/v1/playlists", {"name": name})
        if answer:
            created = answer.json()
            self.person.playlists[created["id"]] = LoadPlaylist(name, created["version"])

    def _put_movie(self, playlist_id: str) -> None:
        playlist, movie = self.person.playlists[playlist_id], self._movie()
        others = [other for other in playlist.movies if other != movie]
        at = self._random.randint(0, len(others))
        path = f"/v1/playlists/{playlist_id}/movies/{movie}"
        if answer := self._send("PUT", path, {"position": at}):
            playlist.movies = [*others[:at], movie, *others[at:]]
            playlist.version = answer.json()["version"]

    def _remove_movie(self, playlist_id: str, movie: int) -> None:
        playlist = self.person.playlists[playlist_id]
        if answer := self._send("DELETE", f"/v1/playlists/{playlist_id}/movies/{movie}"):
            playlist.movies.remove(movie)
            playlist.version = int(answer.headers["ETag"].strip('"'))

    def _movie(self) -> int:
        return self._random.randint(1, self._movies)

    def _send(self, method: str, path: str, body: object = None) -> httpx.Response | None:
        """Send a command; return its answer, None if it was refused."""
        answer = self._sender.write(method, path, body)
        return None if answer.is_error else answer

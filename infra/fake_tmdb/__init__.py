"""Fake TMDb server: API v3 with the films of the demo catalogue and faults on demand.

For tests, benchmarks and the demo. It has no data of TMDb; the payloads follow TMDb's
documentation as of 2026-11 (pages of developer.themoviedb.org):

| what | page |
|---|---|
| bearer token or ``api_key`` | docs/authentication-application |
| ``status_code``, ``status_message``, ``success``; 7, 20, 22, 25, 27, 34 | docs/errors |
| about 40 requests a second; 429, then ``Retry-After`` | docs/rate-limiting |
| ``append_to_response``, at most 20 | docs/append-to-response |
| pages of 20 from 1 to 500; ``total_pages``, ``total_results`` | reference/movie-popular-list |
| GET /3/movie/{id} | reference/movie-details |
| ``credits``, ``keywords``, ``external_ids``, ``translations`` | reference/movie-credits, ... |
| GET /3/movie/popular, /3/movie/top_rated | reference/movie-popular-list, movie-top-rated-list |
| GET /3/trending/movie/{day or week} | reference/trending-movies |
| GET /3/movie/changes: pages of 100, ranges of 14 days | reference/changes-movie-list |
| GET /3/genre/movie/list | reference/genre-movie-list |
| GET /3/search/movie | reference/search-movie |
| GET /3/configuration: ``images`` | reference/configuration-details |

Not documented, but seen on the wire: weak ``ETag`` headers, honoured in ``If-None-Match``. The film
of a catalogue line has the id ``FIRST_ID + id``.
"""

from infra.fake_tmdb.faults import InjectedFault
from infra.fake_tmdb.films import FIRST_ID, FilmCatalogue
from infra.fake_tmdb.server import FakeTmdb, running

__all__ = ["FIRST_ID", "FakeTmdb", "FilmCatalogue", "InjectedFault", "running"]

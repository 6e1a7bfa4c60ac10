"""Is every document in the index the one that the state adds up to?"""

from collections.abc import Iterator, Sequence

from projectors.read_models.search.read_model import Search

_CHUNK = 1000


def wrong_documents(model: Search, movies: Sequence[int]) -> list[int]:
    """Which of the movies have no document, or another than their state says."""
    return [movie for chunk in _chunks(movies) for movie in _wrong(model, chunk)]


def unknown_documents(model: Search) -> list[int]:
    """Movies that can be found and that nothing is known of."""
    model.index.refresh()
    known = set(model.known_movies())
    return [movie for movie in model.index.movies() if movie not in known]


def _wrong(model: Search, movies: Sequence[int]) -> Iterator[int]:
    written = model.index.get(movies)
    for source in model.document_sources(movies):
        if written.get(source.movie) != (source.revision, source.document()):
            yield source.movie


def _chunks(movies: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(movies), _CHUNK):
        yield movies[start : start + _CHUNK]

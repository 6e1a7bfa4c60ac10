"""Verification of the search index: compares its documents with the state."""

from collections.abc import Iterator, Sequence

from projectors.read_models.search.read_model import Search

_CHUNK = 1000


def wrong_documents(model: Search, movies: Sequence[int]) -> list[int]:
    """Movies whose document is missing or differs from their state."""
    return [movie for chunk in _chunks(movies) for movie in _wrong(model, chunk)]


def unknown_documents(model: Search) -> list[int]:
    """Movies in the index without any state."""
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

"""What the log tells of the past: a user's ratings, and the titles that movies had."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from command_api.catalogue.decider import stream_of
from command_api.ratings.decider import stream_prefix
from events.catalogue import MovieAdded, MovieDescribed
from events.recorded import Recorded, Stream
from events.store import EventStore

_PAGE = 500


class FormerTitle(NamedTuple):
    movie_id: int
    title: str
    year: int | None


def rating_histories(
    user_id: UUID, store: EventStore
) -> Iterator[Mapping[Stream, Sequence[Recorded]]]:
    """The events of each rating that the user ever gave, by stream."""
    owner, after = str(user_id), ""
    while names := store.streams(owner, prefix=stream_prefix(user_id), after=after, limit=_PAGE):
        histories = store.read_many([Stream(name, owner) for name in names])
        yield {Stream(name, owner): histories[name] for name in names}
        after = names[-1]


def former_titles(movie_ids: Iterable[int], store: EventStore) -> Iterator[FormerTitle]:
    """All titles that the movies have, or once had."""
    remaining = iter(movie_ids)
    while page := list(islice(remaining, _PAGE)):
        for history in store.read_many([stream_of(movie_id) for movie_id in page]).values():
            for recorded in history:
                if isinstance(event := recorded.event, MovieAdded | MovieDescribed):
                    yield FormerTitle(event.movie_id, event.title, event.year)

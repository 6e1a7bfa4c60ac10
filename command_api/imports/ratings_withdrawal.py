"""Withdrawal of imported ratings: all those of the users that a file names."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from command_api.imports.deduplication import progress_after
from command_api.imports.log_histories import rating_histories
from command_api.imports.session import ImportSession
from command_api.ratings.decider import WithdrawRating, rating
from events import notifications
from events.catalogue import MovieRated
from events.recorded import Recorded, Stream
from events.store import AppendEntry
from infra.progress_bar import progress


class WithdrawalCounts(NamedTuple):
    users: int
    """Those that had ratings."""
    ratings: int


def withdraw_ratings(user_ids: Sequence[UUID], session: ImportSession) -> WithdrawalCounts:
    """Withdraw every rating of the users, a transaction each; a second run finds none.

    Raises ImportInterrupted between two users.
    """
    users = ratings = 0
    with progress("users", len(user_ids)) as advance:
        for user_id in user_ids:
            entries = [
                entry
                for page in rating_histories(user_id, session.store)
                for entry in _withdrawals(user_id, page)
            ]
            if entries and not session.is_dry:
                positions = session.store.append_many(entries, origin=session.origin)
                notifications.announce(positions[0].partition)
            users += bool(entries)
            ratings += len(entries)
            advance(1)
            session.batch_done()
    return WithdrawalCounts(users, ratings)


def _withdrawals(
    user_id: UUID, histories: Mapping[Stream, Sequence[Recorded]]
) -> Iterator[AppendEntry]:
    for stream, history in histories.items():
        if isinstance(last := history[-1].event, MovieRated):
            # At the time of the rating, so that it leaves nothing on the boards of that time, and
            # the withdrawal nothing on those of today.
            at = progress_after(history).logged[0].at
            command = WithdrawRating(user_id, last.movie_id)
            for event in rating.decide(command, rating.state(history)):
                yield AppendEntry(stream, len(history) + 1, event, at)

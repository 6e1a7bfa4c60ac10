"""Import of MovieLens ratings: read and sort the file, then append what the log lacks."""

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone

from command_api.catalogue.models import RatingsImport
from command_api.imports import movielens_reader
from command_api.imports.deduplication import (
    StreamProgress,
    plan,
    progress_after,
    unknown_streams,
)
from command_api.imports.line_warnings import RejectedLines
from command_api.imports.movielens_formats import MovieLensFiles
from command_api.imports.ratings_sort import RatingsSorter, TimedRating, TimeShift
from command_api.imports.session import ImportSession
from command_api.ratings.decider import rating
from events import notifications
from infra.progress_bar import progress

BATCH = 1000


@dataclass
class RatingImportCounts:
    """Counts of ratings; ``read`` is the sum of the others."""

    read: int = 0
    imported: int = 0
    rerated: int = 0
    already_there: int = 0
    outdated: int = 0
    """Ratings that the log lacks, older than the one that it has."""
    broken: int = 0
    refused: int = 0
    """Ratings of withdrawn movies."""
    damage: str | None = None


def read_ratings(
    files: MovieLensFiles,
    sorter: RatingsSorter,
    *,
    movies: Mapping[int, int],
    withdrawn: Container[int] = (),
    now: int,
) -> RatingImportCounts:
    """Add the ratings of all films in ``movies`` to the sorter, except of withdrawn movies."""
    rejected, refused = RejectedLines(files.ratings.name), 0
    lines = movielens_reader.ratings(files, rejected, known=movies, now=now)
    for line in movielens_reader.with_progress("reading", files.ratings, lines):
        movie_id = movies[line.film]
        if movie_id in withdrawn:
            refused += 1
        else:
            sorter.add(line, movie_id=movie_id)
    rejected.sum_up()
    read = len(sorter) + rejected.count + refused
    return RatingImportCounts(
        read=read, broken=rejected.count, refused=refused, damage=rejected.damage
    )


def digest_of(ratings: Path) -> str:
    """Identifies a file of ratings by its content."""
    with ratings.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shift_of(digest: str, wanted_seconds: int, session: ImportSession) -> TimeShift:
    """The shift of a file's times: as the first import of the same file did.

    A newer export of a data set is shifted as the data set was, but no rating into the future.
    """
    first = RatingsImport.objects.filter(digest=digest).first()
    if first is None:
        first = RatingsImport(digest=digest, shift_seconds=wanted_seconds, begun_at=timezone.now())
        if not session.is_dry:
            first.save()
    if not first.shift_seconds:
        return TimeShift()
    return TimeShift(first.shift_seconds, latest=int(first.begun_at.timestamp()))


def append_ratings(
    sorter: RatingsSorter,
    counts: RatingImportCounts,
    session: ImportSession,
    shift: TimeShift,
) -> None:
    """Append the ratings that the log lacks, one transaction per batch.

    Raises ImportInterrupted between two batches.
    """
    streams: dict[str, StreamProgress] = {}
    with progress("ratings", len(sorter)) as advance:
        for partition, batch in sorter.batches(BATCH, shift):
            unknown = unknown_streams(batch, streams)
            histories = session.store.read_many(unknown)
            streams |= {name: progress_after(histories.get(name, ())) for name, _ in unknown}
            planned = plan(batch, streams)
            streams = _of_its_last_user(batch, streams)
            if planned.entries and not session.is_dry:
                session.store.append_many(planned.entries, origin=session.origin)
                notifications.announce(partition)
            counts.imported += planned.imported
            counts.rerated += planned.rerated
            counts.already_there += planned.already_there
            counts.outdated += planned.outdated
            advance(len(batch))
            session.batch_done()


def _of_its_last_user(
    batch: Sequence[TimedRating], streams: Mapping[str, StreamProgress]
) -> dict[str, StreamProgress]:
    """Keep the streams that the next batch may continue: a user's ratings are adjacent."""
    name = rating.stream(batch[-1].command).name
    prefix = name[: name.rindex("-") + 1]
    return {name: progress for name, progress in streams.items() if name.startswith(prefix)}

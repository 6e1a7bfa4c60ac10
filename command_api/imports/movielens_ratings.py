"""Import of MovieLens ratings: read and sort the file, then append what the log lacks."""

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from command_api.catalogue.models import RatingsImport
from command_api.imports import movielens_reader
from command_api.imports.deduplication import StreamProgress, plan, unknown_streams
from command_api.imports.line_warnings import RejectedLines
from command_api.imports.movielens_formats import MovieLensFiles
from command_api.imports.ratings_sort import RatingsSorter, TimedRating
from command_api.imports.session import ImportSession
from command_api.ratings.decider import rating
from events import notifications
from infra.progress_bar import progress

BATCH = 1000
_PROGRESS_BYTES = 1_000_000


@dataclass
class RatingImportCounts:
    """Counts of ratings; ``read`` is the sum of the others."""

    read: int = 0
    imported: int = 0
    rerated: int = 0
    already_there: int = 0
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
    with progress("reading", files.ratings.stat().st_size) as advance:
        done_bytes = 0
        for line in movielens_reader.ratings(files, rejected, known=movies, now=now):
            movie_id = movies[line.film]
            if movie_id in withdrawn:
                refused += 1
            else:
                sorter.add(line, movie_id=movie_id)
            if line.read_bytes - done_bytes > _PROGRESS_BYTES:
                advance(line.read_bytes - done_bytes)
                done_bytes = line.read_bytes
    rejected.sum_up()
    read = len(sorter) + rejected.count + refused
    return RatingImportCounts(
        read=read, broken=rejected.count, refused=refused, damage=rejected.damage
    )


def shift_of(files: MovieLensFiles, wanted_seconds: int, *, session: ImportSession) -> int:
    """Seconds to shift the file's times by: as the first import of the same file did."""
    with files.ratings.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    first = RatingsImport.objects.filter(digest=digest).first()
    if first is None and not session.is_dry:
        first = RatingsImport.objects.create(digest=digest, shift_seconds=wanted_seconds)
    return first.shift_seconds if first else wanted_seconds


def append_ratings(
    sorter: RatingsSorter,
    counts: RatingImportCounts,
    session: ImportSession,
    *,
    shift_seconds: int,
) -> None:
    """Append the ratings that the log lacks, one transaction per batch.

    Raises ImportInterrupted between two batches.
    """
    streams: dict[str, StreamProgress] = {}
    with progress("ratings", len(sorter)) as advance:
        for partition, batch in sorter.batches(BATCH, shift_seconds=shift_seconds):
            unknown = unknown_streams(batch, streams)
            in_log = session.store.versions(unknown)
            streams |= {name: StreamProgress(in_log.get(name, 0)) for name, _ in unknown}
            planned = plan(batch, streams)
            streams = _of_its_last_user(batch, streams)
            if planned.entries and not session.is_dry:
                session.store.append_many(planned.entries, origin=session.origin)
                notifications.announce(partition)
            counts.imported += planned.imported
            counts.rerated += planned.rerated
            counts.already_there += planned.already_there
            advance(len(batch))
            session.batch_done()


def _of_its_last_user(
    batch: Sequence[TimedRating], streams: Mapping[str, StreamProgress]
) -> dict[str, StreamProgress]:
    """Keep the streams that the next batch may continue: a user's ratings are adjacent."""
    name = rating.stream(batch[-1].command).name
    prefix = name[: name.rindex("-") + 1]
    return {name: progress for name, progress in streams.items() if name.startswith(prefix)}

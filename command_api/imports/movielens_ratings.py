"""How do the ratings of MovieLens get into the log?"""

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from command_api.catalogue.models import RatingsImport
from command_api.imports.deduplication import StreamProgress, plan, unseen
from command_api.imports.movielens_formats import MovieLensFiles
from command_api.imports.movielens_reader import opinions
from command_api.imports.ratings_sort import RatingsSorter, TimedRating
from command_api.imports.rejected_lines import RejectedLines
from command_api.imports.session import ImportSession
from command_api.ratings.decider import rating
from events import notifications
from infra.progress_bar import progress

BATCH = 1000
_STEP_BYTES = 1_000_000  # how often the bar moves while reading


@dataclass
class RatingImportCounts:
    """What became of the ratings, each counted once: read is the sum of the others."""

    read: int = 0
    imported: int = 0
    rerated: int = 0
    there: int = 0
    broken: int = 0
    refused: int = 0
    """Of movies that were withdrawn."""
    torn: str | None = None


def read_ratings(
    files: MovieLensFiles,
    ratings: RatingsSorter,
    *,
    movies: Mapping[int, int],
    withdrawn: Container[int] = (),
    now: int,
) -> RatingImportCounts:
    """Add all ratings of known films, but none of a movie that was withdrawn."""
    broken, refused = RejectedLines(files.ratings.name), 0
    with progress("reading", files.ratings.stat().st_size) as advance:
        done_bytes = 0
        for opinion in opinions(files, broken, known=movies, now=now):
            movie_id = movies[opinion.film]
            if movie_id in withdrawn:
                refused += 1
            else:
                ratings.add(opinion, movie_id=movie_id)
            if opinion.read_bytes - done_bytes > _STEP_BYTES:
                advance(opinion.read_bytes - done_bytes)
                done_bytes = opinion.read_bytes
    broken.sum_up()
    read = len(ratings) + broken.count + refused
    return RatingImportCounts(read=read, broken=broken.count, refused=refused, torn=broken.torn)


def shift_of(files: MovieLensFiles, wanted_seconds: int, *, run: ImportSession) -> int:
    """By how much the file's times are moved: as wanted, unless an import was begun before."""
    with files.ratings.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    begun = RatingsImport.objects.filter(digest=digest).first()
    if begun is None and not run.is_dry:
        begun = RatingsImport.objects.create(digest=digest, shift_seconds=wanted_seconds)
    return begun.shift_seconds if begun else wanted_seconds


def append_ratings(
    ratings: RatingsSorter, counts: RatingImportCounts, run: ImportSession, *, shift_seconds: int
) -> None:
    """Append the ratings that the log lacks, one transaction per batch.

    Raises ImportInterrupted between two batches.
    """
    told: dict[str, StreamProgress] = {}
    with progress("ratings", len(ratings)) as advance:
        for partition, batch in ratings.batches(BATCH, shift_seconds=shift_seconds):
            streams = unseen(batch, told)
            in_log = run.store.versions(streams)
            told |= {name: StreamProgress(in_log.get(name, 0)) for name, _ in streams}
            planned = plan(batch, told)
            told = _of_its_last_user(batch, told)
            if planned.entries and not run.is_dry:
                run.store.append_many(planned.entries, origin=run.origin)
                notifications.announce(partition)
            counts.imported += planned.imported
            counts.rerated += planned.rerated
            counts.there += planned.there
            advance(len(batch))
            run.batch_done()


def _of_its_last_user(
    batch: Sequence[TimedRating], told: Mapping[str, StreamProgress]
) -> dict[str, StreamProgress]:
    """What the next batch has to know: all of a user are beside each other."""
    name = rating.stream(batch[-1].command).name
    beginning = name[: name.rindex("-") + 1]
    return {name: each for name, each in told.items() if name.startswith(beginning)}

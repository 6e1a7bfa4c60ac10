"""How do the ratings of MovieLens get into the log?"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from command_api.catalogue.models import RatingsImport
from command_api.imports import movielens_files as files
from command_api.imports.broken import Broken
from command_api.imports.progress import progress
from command_api.imports.ratings_in_order import Ratings
from command_api.imports.replaying import Told, plan, unseen
from command_api.imports.run import Run
from events import hints

BATCH = 1000
_STEP_BYTES = 1_000_000  # how often the bar moves while reading


@dataclass
class Counts:
    """What became of the ratings, each counted once: read is the sum of the others."""

    read: int = 0
    imported: int = 0
    rerated: int = 0
    there: int = 0
    broken: int = 0


def read_ratings(
    directory: Path, *, movies: Mapping[int, int], now: int, partitions: int
) -> tuple[Ratings, Counts]:
    """All ratings of known films."""
    ratings, broken = Ratings(partitions), Broken(files.RATINGS)
    with progress("reading", (directory / files.RATINGS).stat().st_size) as advance:
        done_bytes = 0
        for opinion in files.opinions(directory, broken, known=movies, now=now):
            ratings.add(opinion, movie_id=movies[opinion.film])
            if opinion.read_bytes - done_bytes > _STEP_BYTES:
                advance(opinion.read_bytes - done_bytes)
                done_bytes = opinion.read_bytes
    broken.sum_up()
    return ratings, Counts(read=len(ratings) + broken.count, broken=broken.count)


def shift_of(directory: Path, wanted_seconds: int) -> int:
    """By how much the file's times are moved: as wanted, unless an import was begun before."""
    with (directory / files.RATINGS).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    begun, _ = RatingsImport.objects.get_or_create(
        digest=digest, defaults={"shift_seconds": wanted_seconds}
    )
    return begun.shift_seconds


def append_ratings(ratings: Ratings, counts: Counts, run: Run, *, shift_seconds: int) -> None:
    """Append what is not in the log yet, a batch a transaction; raises Interrupted between two."""
    told: dict[str, Told] = {}
    last_partition = -1
    with progress("ratings", len(ratings)) as advance:
        for partition, batch in ratings.batches(BATCH, shift_seconds=shift_seconds):
            if partition != last_partition:
                told, last_partition = {}, partition  # no stream is in two partitions
            streams = unseen(batch, told)
            in_log = run.store.versions(streams)
            told |= {name: Told(in_log.get(name, 0)) for name, _ in streams}
            planned = plan(batch, told)
            if planned.entries:
                run.store.append_many(planned.entries, origin=run.origin)
                hints.announce(partition)
            counts.imported += planned.imported
            counts.rerated += planned.rerated
            counts.there += planned.there
            advance(len(batch))
            run.batch_done()

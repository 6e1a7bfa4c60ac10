"""External sort of ratings: order and memory."""

import random
import tracemalloc
from itertools import groupby

import pytest

from benchmarks.generated_ratings import MOVIES, make_by_user
from command_api.imports import ratings_sort
from command_api.imports.data_sets import FIRST
from command_api.imports.movielens_formats import find
from command_api.imports.movielens_ratings import append_ratings, read_ratings
from command_api.imports.movielens_reader import SourceRating
from command_api.imports.ratings_sort import RatingsSorter, TimeShift
from command_api.imports.session import ImportSession
from events.recorded import partition_of
from tests.fixtures.memory_store import MemoryStore

PARTITIONS = 4
user_id = FIRST.user_id


def opinion(number, user, at):
    return SourceRating(number, user=user, film=1, score=5, at=at, read_bytes=0)


@pytest.mark.parametrize("run", [1, 3, 7, 1000])
@pytest.mark.parametrize("at_hand", [1, 10, 1000])
def test_ratings_are_sorted_by_partition_user_and_time(monkeypatch, run, at_hand):
    monkeypatch.setattr(ratings_sort, "_MERGE_ROWS", at_hand)
    choose = random.Random(5)
    rows = [(choose.randint(1, 9), choose.randint(0, 5) * 10) for _ in range(50)]
    with RatingsSorter(PARTITIONS, id_of=user_id, run=run) as ratings:
        for number, (user, at) in enumerate(rows):
            ratings.add(opinion(number, user, at), movie_id=number)
        assert (len(ratings), ratings.last_at) == (50, 50)
        batches = list(ratings.batches(4, TimeShift(100)))
    assert all(0 < len(batch) <= 4 for _, batch in batches)
    assert [partition for partition, _ in batches] == sorted(partition for partition, _ in batches)
    unsorted = [
        (each.command.user_id, partition, each) for partition, batch in batches for each in batch
    ]
    assert {(user, partition) for user, partition, _ in unsorted} == {
        (user_id(user), partition_of(str(user_id(user)), PARTITIONS)) for user, _ in rows
    }
    sorted_ratings = {
        user: [(each.command.movie_id, each.at.timestamp()) for *_, each in of_user]
        for user, of_user in groupby(unsorted, key=lambda row: row[0])
    }
    assert sum(len(of_user) for of_user in sorted_ratings.values()) == 50  # each user comes once
    assert sorted_ratings == {
        user_id(user): [
            (number, at + 100)
            for number, (who, at) in sorted(enumerate(rows), key=lambda row: row[1][1])
            if who == user
        ]
        for user, _ in rows
    }


def test_empty_sorter_yields_no_batches():
    with RatingsSorter(PARTITIONS, id_of=user_id) as ratings:
        assert list(ratings.batches(4, TimeShift())) == []


@pytest.mark.parametrize("order", ["by user", "anyhow"])
def test_sorting_four_times_the_ratings_takes_no_more_memory(tmp_path, monkeypatch, order):
    monkeypatch.setattr(ratings_sort, "_MERGE_ROWS", 500)
    peaks = []
    for rows in (3_000, 12_000):
        make_by_user(tmp_path, ratings=rows)
        if order == "anyhow":
            header, *lines = (tmp_path / "ratings.csv").read_text().splitlines(keepends=True)
            random.Random(3).shuffle(lines)
            (tmp_path / "ratings.csv").write_text("".join([header, *lines]))
            del lines
        peaks.append(_peak(tmp_path, rows))
    assert peaks[1] < 1.5 * peaks[0]


def _peak(directory, rows):
    """Peak memory in bytes, from the file to the entries to append."""
    run = ImportSession(MemoryStore(PARTITIONS), lambda: False, is_dry=True)
    movies = {film: film for film in range(1, MOVIES + 1)}
    tracemalloc.start()
    try:
        with RatingsSorter(PARTITIONS, id_of=user_id, run=500) as ratings:
            counts = read_ratings(find(directory), ratings, movies=movies, now=2_000_000_000)
            append_ratings(ratings, counts, run, TimeShift())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert counts.imported == counts.read == rows

"""MovieLens formats: all yield the same films and ratings."""

import gzip
from collections import Counter
from collections.abc import Callable

import pytest

from command_api.imports.csv_table import MissingColumns
from command_api.imports.line_warnings import RejectedLines
from command_api.imports.movielens_formats import MissingFiles, find
from command_api.imports.movielens_reader import films, links, ratings
from infra.line_reader import DamagedFile

FLAGS = {"Children's": 4, "Drama": 8, "Sci-Fi": 15}


def item(number, title, *genres):
    flags = ["0"] * 19
    for name in genres:
        flags[FLAGS[name]] = "1"
    return "|".join([str(number), title, "01-Jan-1995", "", "http://somewhere/", *flags])


FORMS = {
    "100K": {
        "u.item": "\n".join(
            [
                item(1, "Invented, An (1995)", "Drama", "Sci-Fi"),
                item(2, "Café Imaginé (1996)", "Children's"),
                item(3, "unknown"),
                "4|too short",
            ]
        ),
        "u.data": "7\t1\t3\t874724710\n7\t2\t5\t874724720\n8\t1\t6\t874724730\n",
    },
    "1M, 10M": {
        "movies.dat": "1::Invented, An (1995)::Drama|Sci-Fi\n2::Café Imaginé (1996)::Children's\n"
        "3::unknown::(no genres listed)\n4::too short\n",
        "ratings.dat": "7::1::3::874724710\n7::2::5.0::874724720\n8::1::6::874724730\n",
    },
    "CSV": {
        "movies.csv": 'movieId,title,genres\n1,"Invented, An (1995)",Drama|Sci-Fi\n'
        "2,Café Imaginé (1996),Children's\n3,unknown,\n4,too short\n",
        "ratings.csv": "userId,movieId,rating,timestamp\n7,1,3.0,874724710\n7,2,5.0,874724720\n"
        "8,1,6.0,874724730\n",
    },
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"]
PACKINGS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress}


@pytest.mark.parametrize("suffix", PACKINGS)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("form", FORMS)
def test_every_movielens_format_yields_the_same_films_and_ratings(tmp_path, form, encoding, suffix):
    for name, text in FORMS[form].items():
        content = PACKINGS[suffix](text.replace("\n", "\r\n\r\n").encode(encoding))
        (tmp_path / f"{name}{suffix}").write_bytes(content)
    files, rejected = find(tmp_path), RejectedLines("films")
    parsed = list(films(files, rejected, Counter()))
    assert [(film.movielens_id, film.title.title, film.title.year) for film in parsed] == [
        (1, "An Invented", 1995),
        (2, "Café Imaginé", 1996),
        (3, "unknown", None),
    ]
    assert [film.genres for film in parsed] == [("Drama", "Science Fiction"), ("Family",), ()]
    assert rejected.count == 1
    assert links(files, rejected) == {}
    rated = ratings(files, rejected, known={1: 1, 2: 2}, now=2_000_000_000)
    assert [(each.user, each.film, each.score, each.at) for each in rated] == [
        (7, 1, 6, 874_724_710),
        (7, 2, 10, 874_724_720),
    ]
    assert rejected.count == 2


def test_missing_movielens_file_is_named(tmp_path):
    with pytest.raises(MissingFiles, match=r"no file movies\.csv"):
        find(tmp_path)
    (tmp_path / "u.item").touch()
    with pytest.raises(MissingFiles, match=r"no file u\.data"):
        find(tmp_path)


@pytest.fixture
def csv_files(tmp_path):
    for name, text in FORMS["CSV"].items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("row", "ids", "broken"),
    [
        ("1,0114709,862", {"imdb": "tt0114709", "tmdb": "862"}, 0),
        ("1,114709,862.0", {"imdb": "tt0114709", "tmdb": "862"}, 0),
        ("1.0,tt0114709,862", {"imdb": "tt0114709", "tmdb": "862"}, 0),
        ("1,TT0114709, 862 ", {"imdb": "tt0114709", "tmdb": "862"}, 0),
        ("1,0114709,", {"imdb": "tt0114709"}, 0),
        ("1,0114709,nan", {"imdb": "tt0114709"}, 1),
        ("1,?,862", {"tmdb": "862"}, 1),
        ("1,0114709,862.5", {"imdb": "tt0114709"}, 1),
    ],
)
def test_one_unreadable_id_of_links_csv_does_not_cost_the_other(csv_files, row, ids, broken):
    (csv_files / "links.csv").write_text(f"movieId,imdbId,tmdbId\n{row}\n")
    rejected = RejectedLines("links.csv")
    assert links(find(csv_files), rejected) == {1: ids}
    assert rejected.count == broken


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        ("1000", 1000),
        ("1000.0", 1000),
        ("2000", 2000),
        ("2002", 2000),  # of a clock that is ahead
        ("2060", 2000),
        ("2061", None),
        ("1000000000000000", None),  # milliseconds
        ("-5", None),
    ],
)
def test_time_of_a_rating_may_be_a_minute_ahead(csv_files, timestamp, at):
    row = f"userId,movieId,rating,timestamp\n7,1,3.0,{timestamp}\n"
    (csv_files / "ratings.csv").write_text(row)
    rejected = RejectedLines("ratings.csv")
    read = [each.at for each in ratings(find(csv_files), rejected, known={1: 1}, now=2000)]
    assert (read, rejected.count) == (([at], 0) if at else ([], 1))


def test_damaged_archive_or_missing_column_is_refused_in_any_of_the_files(csv_files):
    packed = gzip.compress(FORMS["CSV"]["ratings.csv"].encode())
    (csv_files / "ratings.csv").unlink()
    (csv_files / "ratings.csv.gz").write_bytes(packed)
    find(csv_files).refuse_unreadable()
    (csv_files / "ratings.csv.gz").write_bytes(packed[:-6] + b"\xff" * 6)
    with pytest.raises(DamagedFile, match=r"^ratings\.csv\.gz:5: "):
        find(csv_files).refuse_unreadable()
    (csv_files / "ratings.csv.gz").write_bytes(gzip.compress(b"userId,movieId,rating\n"))
    with pytest.raises(MissingColumns, match="timestamp"):
        find(csv_files).refuse_unreadable()

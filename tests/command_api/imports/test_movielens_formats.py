"""MovieLens formats: all yield the same films and ratings."""

from collections import Counter

import pytest

from command_api.imports.line_warnings import RejectedLines
from command_api.imports.movielens_formats import MissingFiles, find
from command_api.imports.movielens_reader import films, links, ratings

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
CASES = [("100K", "latin-1"), ("1M, 10M", "latin-1"), ("1M, 10M", "utf-8"), ("CSV", "utf-8")]


@pytest.mark.parametrize(("form", "encoding"), CASES)
def test_every_movielens_format_yields_the_same_films_and_ratings(tmp_path, form, encoding):
    for name, text in FORMS[form].items():
        (tmp_path / name).write_text(text, encoding=encoding)
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

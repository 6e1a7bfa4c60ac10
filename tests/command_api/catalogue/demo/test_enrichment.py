"""Enrichment of the demo catalogue: which film is which movie, and what a movie gets."""

import sqlite3

import pytest

from command_api.catalogue.demo import __main__ as script
from command_api.catalogue.demo.enrichment import SourceFilm, enrich, match
from command_api.catalogue.demo.lines import DEMO, read_lines, write_lines
from command_api.catalogue.demo.wikidata_films import read_films

MANN, LUCAS = "Michael Mann", "George Lucas"


def line(movie_id, title, year, *cast):
    return {"id": movie_id, "title": title, "year": year, "genres": [], "cast": list(cast)}


def film(title, year, *cast, imdb="tt1", directors=(), **counts):
    return SourceFilm(title, year, imdb, directors, cast, **counts)


LINES = [
    line(1, "Heat", 1995, "Al Pacino"),
    line(2, "Heat", 1986, "Burt Reynolds"),
    line(3, "The Raven", 1935),
    line(4, "Star Wars", 1977, "Mark Hamill"),
    line(5, "Return of the Jedi", 1983, "Mark Hamill"),
    line(6, "Young Victoria", 2009, "Emily Blunt"),
    line(7, "The Young Victoria", 2009, "Emily Blunt"),
    line(8, "Crash", 2005, "Don Cheadle"),
    line(9, "Birdman or (The Unexpected Virtue of Ignorance)", 2014, "Michael Keaton"),
    line(10, "Bratz: The Movie", 2007, "Logan Browning"),
]


@pytest.mark.parametrize(
    ("candidate", "movie"),
    [
        (film("HEÄT!", 1995), 1),
        (film("Heat", 1995, "Al Pacino"), 1),
        (film("Heat", 1986), 2),
        (film("Raven", 1935), 3),
        (film("Crash", 2004, "Don Cheadle"), 8),
        (film("Crash", 2006, directors=("Don Cheadle",)), 8),
        (film("Star Wars: Episode IV \u2013 A New Hope", 1977, "Mark Hamill"), 4),
        (film("Star Wars: Episode VI \u2013 Return of the Jedi", 1983, "Mark Hamill"), 5),
        (film("The Young Victoria", 2009), 7),
        (film("Birdman", 2014, "Michael Keaton"), 9),
        (film("Bratz", 2007, "Logan Browning"), 10),
        (film("Birdman", 2014, "Burt Lancaster"), None),
        (film("Birdman", 2014), None),
        (film("Heat", 1996), None),
        (film("Heat", 1995, "Val Kilmer"), None),
        (film("Crash", 2004, "Holly Hunter"), None),
        (film("Crash", 2004), None),
        (film("Crash", 2003, "Don Cheadle"), None),
        (film("Star Wars: Episode IV \u2013 A New Hope", 1977, "Al Pacino"), None),
    ],
)
def test_film_is_matched_by_title_year_and_people(candidate, movie):
    assert list(match(LINES, [candidate]).films) == ([movie] if movie else [])


def test_films_that_could_be_one_movie_are_left_out_and_reported():
    report = match(LINES, [film("Heat", 1995), film("Heat", 1995, imdb="tt2")])
    assert report.films == {}
    assert report.ambiguous == [
        "Heat (1995), tt1: movie 1",
        "Heat (1995), tt2: movie 1",
    ]


def test_earliest_cut_of_a_film_is_matched():
    cuts = [film("Heat", 1995), film("Heat: Director's Cut", 2001)]
    assert match(LINES, cuts).films == match(LINES, cuts[::-1]).films == {1: cuts[0]}


def test_film_that_could_be_two_movies_is_left_out_and_reported():
    twins = [line(1, "Heat", 1995), line(2, "Heat", 1995)]
    report = match(twins, [film("Heat", 1995)])
    assert report.films == {}
    assert report.ambiguous == ["Heat (1995), tt1: movie 1 or 2"]


def test_film_with_another_cast_is_left_out_and_reported():
    report = match(LINES, [film("Heat", 1995, "Val Kilmer"), film("Elsewhere", 2000, imdb="tt2")])
    assert report.doubtful == ["Heat (1995), tt1: movie 1 has another cast"]
    assert report.unmatched == 1


def test_movie_gets_id_directors_and_prominence_of_its_film():
    lines = [line(nth, "Heat", 1990 + nth) for nth in range(5)]
    enrich(
        lines,
        {
            1: film("Heat", 1991, directors=(MANN,), reviews=999),
            2: film("Heat", 1992, reviews=99, imdb="tt2"),
            3: film("Heat", 1993, imdb="tt3"),
            4: film("Heat", 1994, reviews=0, awards=4, imdb="tt4"),
        },
    )
    assert lines[0] == line(0, "Heat", 1990)
    assert lines[1] == line(1, "Heat", 1991) | {
        "directors": [MANN],
        "prominence": 100,
        "external_ids": {"imdb": "tt1"},
    }
    assert [each.get("prominence") for each in lines[2:]] == [67, 1, 67]
    assert "directors" not in lines[2]


def test_enriching_again_changes_nothing_and_forgets_what_no_longer_matches(tmp_path, capsys):
    path, films = tmp_path / "catalogue.jsonl.gz", tmp_path / "movies.db"
    write_lines(LINES, path)
    with sqlite3.connect(films) as database:
        database.executescript(
            """
            CREATE TABLE omdb (ID, Title, Year, imdbID, Director, "Cast", Oscars);
            CREATE TABLE tomatoes (ID, Reviews);
            INSERT INTO omdb VALUES
                (1, 'Heat', 1995, 'tt1', 'Michael Mann, Wendell B. Harris, Jr.', '', 2),
                (2, 'The Raven', 1935, 'tt2', NULL, NULL, NULL),
                (3, 'Lawman', 1971, 'tt0067333', 'Burt Lancaster, Michael Winner', '', 0);
            INSERT INTO tomatoes VALUES (1, 80), (2, NULL), (3, 11);
            """
        )
    assert {each.title: each.directors for each in read_films(films)} == {
        "Heat": (MANN, "Wendell B. Harris Jr."),
        "The Raven": (),
        "Lawman": ("Michael Winner",),
    }
    script.enrich_from(films, path)
    first = path.read_bytes()
    assert "2 matched by title and year" in capsys.readouterr().out
    assert [each["id"] for each in read_lines(path) if "external_ids" in each] == [1, 3]
    script.enrich_from(films, path)
    assert path.read_bytes() == first
    with sqlite3.connect(films) as database:
        database.execute("DELETE FROM omdb WHERE ID = 2")
    script.enrich_from(films, path)
    assert [each["id"] for each in read_lines(path) if "external_ids" in each] == [1]


def test_shipped_catalogue_has_ids_directors_and_prominence():
    lines = {line["id"]: line for line in read_lines(DEMO)}
    imdb = [line["external_ids"]["imdb"] for line in lines.values() if "external_ids" in line]
    assert len(imdb) == len(set(imdb)) == 8757
    assert sum("directors" in line for line in lines.values()) == 8756
    assert {line["prominence"] for line in lines.values() if "prominence" in line} <= {
        *range(1, 101)
    }
    star_wars, godfather = lines[24709], lines[23901]
    assert star_wars["directors"] == [LUCAS]
    assert star_wars["external_ids"] == {"imdb": "tt0076759"}
    assert godfather["directors"] == ["Francis Ford Coppola"]
    assert star_wars["prominence"] > godfather["prominence"] > 80
    assert {movie: lines[movie]["external_ids"]["imdb"] for movie in (24914, 26026, 33773)} == {
        24914: "tt0078788",
        26026: "tt0089218",
        33773: "tt2562232",
    }
    assert lines[17150]["directors"] == ["Stuart Heisler"]

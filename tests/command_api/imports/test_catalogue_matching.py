"""Matching of catalogue lines: by id, title, year and cast."""

from uuid import uuid4

import pytest

from command_api.catalogue import inline_projection
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import AddMovie, MovieFacts
from command_api.catalogue.id_allocation import TMDB_BASE
from command_api.catalogue.models import Movie
from command_api.imports import catalogue
from events.recorded import Origin

HEAT = {"id": 1, "title": "Heat", "year": 1995}
OF_TMDB, ANOTHER = TMDB_BASE + 949, TMDB_BASE + 950


@pytest.fixture
def add_movie(store):
    """Add a movie of another source."""

    def add(movie_id, *external_ids, title="Heat", year=1995, **facts):
        command = AddMovie(movie_id, MovieFacts(title=title, year=year, **facts), external_ids)
        handle_all([command], store, origin=Origin(correlation_id=uuid4()))

    return add


@pytest.fixture
def import_(command, write, capsys):
    """Import lines and return counts and warnings."""

    def _import(*rows):
        counted = command("import_catalogue", write(*rows)).splitlines()[0]
        return counted, capsys.readouterr().err.splitlines()

    return _import


def counted(**counts):
    names = {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "broken": 0}
    doubts = {"matched": 0, "ambiguous": 0, "ids of another movie": counts.pop("taken", 0)}
    messages = [
        ", ".join(f"{name} {counts.get(name, count)}" for name, count in each.items())
        for each in (names, doubts)
    ]
    return "; ".join(messages)


def movies():
    return sorted(Movie.objects.values_list("pk", flat=True))


def links(movie_id):
    return inline_projection.movie_states([movie_id])[movie_id].external_ids


def facts(movie_id):
    return inline_projection.movie_states([movie_id])[movie_id].facts


@pytest.mark.parametrize(
    "row",
    [
        HEAT,
        HEAT | {"title": "HEÄT!", "cast": ["Al Pacino"]},
        HEAT | {"title": "Else", "year": 2001, "external_ids": {"imdb": "tt0000001"}},
    ],
)
def test_catalogue_line_matches_a_movie_of_another_source_by_id_or_title_and_year(
    add_movie, import_, row
):
    add_movie(OF_TMDB, ("tmdb", "949"), ("imdb", "tt0000001"), cast=("Al Pacino",))
    assert import_(row) == (counted(read=1, changed=1, matched=1), [])
    assert movies() == [OF_TMDB]
    assert facts(OF_TMDB).title == row["title"]
    assert links(OF_TMDB) == {("tmdb", "949"), ("imdb", "tt0000001"), ("catalogue", "1")}
    assert import_(row) == (counted(read=1, unchanged=1), [])


def test_facts_that_a_catalogue_line_lacks_are_kept(add_movie, import_):
    add_movie(
        OF_TMDB, ("imdb", "tt0000001"), genres=("Crime",), cast=("Al Pacino",), overview="A thief."
    )
    import_({"id": 1, "title": "Heat", "external_ids": {"imdb": "tt0000001"}})
    assert facts(OF_TMDB) == MovieFacts(
        title="Heat", year=1995, genres=("Crime",), cast=("Al Pacino",), overview="A thief."
    )


def test_matched_line_keeps_its_movie_after_a_rename(add_movie, import_, store):
    add_movie(OF_TMDB)
    import_(HEAT)
    renamed = AddMovie(OF_TMDB, MovieFacts(title="Heat: Director's Cut", year=1996))
    handle_all([renamed], store, origin=Origin(correlation_id=uuid4()))
    assert import_(HEAT) == (counted(read=1, changed=1), [])
    assert movies() == [OF_TMDB]


@pytest.mark.parametrize(
    ("title", "year", "cast"),
    [("Heat", 1996, ()), ("Heats", 1995, ()), ("Heat", 1995, ("Nobody",))],
)
def test_catalogue_line_with_another_year_title_or_cast_is_added(
    add_movie, import_, title, year, cast
):
    add_movie(OF_TMDB, title=title, year=year, cast=cast)
    assert import_(HEAT | {"cast": ["Al Pacino"]}) == (counted(read=1, added=1), [])
    assert movies() == [1, OF_TMDB]


@pytest.mark.parametrize("batch", [1, 1000])
def test_catalogue_line_with_another_id_of_the_same_source_is_not_matched(
    add_movie, import_, monkeypatch, batch
):
    monkeypatch.setattr(catalogue, "BATCH", batch)
    add_movie(OF_TMDB, ("imdb", "tt0000001"))
    other, same = ({"external_ids": {"imdb": value}} for value in ("tt0000002", "tt0000001"))
    rows = (HEAT | other, HEAT | {"id": 2} | same)
    assert import_(*rows) == (counted(read=2, added=1, changed=1, matched=1), [])
    assert links(OF_TMDB) == {("imdb", "tt0000001"), ("catalogue", "2")}
    assert links(1) == {("imdb", "tt0000002")}
    assert import_(*rows) == (counted(read=2, unchanged=2), [])


def test_ambiguous_catalogue_line_is_reported_and_added(add_movie, import_):
    add_movie(OF_TMDB)
    add_movie(ANOTHER)
    assert import_(HEAT) == (
        counted(read=1, added=1, ambiguous=1),
        [f"movies.jsonl:1: could be movie {OF_TMDB} or {ANOTHER}: added as 1"],
    )
    assert import_(HEAT) == (counted(read=1, unchanged=1), [])


def test_only_candidate_that_shares_cast_is_matched(add_movie, import_):
    add_movie(OF_TMDB, cast=("Al Pacino",))
    add_movie(ANOTHER)
    assert import_(HEAT | {"cast": ["Al Pacino"]})[0] == counted(read=1, changed=1, matched=1)
    assert ("catalogue", "1") in links(OF_TMDB)


def test_line_with_external_ids_of_two_movies_is_ambiguous(add_movie, import_):
    add_movie(OF_TMDB, ("imdb", "tt0000001"))
    add_movie(ANOTHER, ("letterboxd", "heat"), title="Else")
    row = HEAT | {"external_ids": {"imdb": "tt0000001", "letterboxd": "heat", "mubi": "7"}}
    assert import_(row) == (
        counted(read=1, added=1, ambiguous=1, taken=2),
        [
            f"movies.jsonl:1: imdb tt0000001 belongs to movie {OF_TMDB}",
            f"movies.jsonl:1: letterboxd heat belongs to movie {ANOTHER}",
            f"movies.jsonl:1: could be movie {OF_TMDB} or {ANOTHER}: added as 1",
        ],
    )
    assert links(1) == {("mubi", "7")}


@pytest.mark.parametrize("batch", [1, 1000])
def test_two_lines_with_the_same_title_are_two_movies(add_movie, import_, monkeypatch, batch):
    monkeypatch.setattr(catalogue, "BATCH", batch)
    add_movie(OF_TMDB)
    rows = (HEAT, HEAT | {"id": 2}, HEAT | {"id": 3})
    assert import_(*rows) == (counted(read=3, added=2, changed=1, matched=1), [])
    assert movies() == [2, 3, OF_TMDB]
    assert import_(HEAT | {"id": 4}, *rows) == (counted(read=4, added=1, unchanged=3), [])


@pytest.mark.parametrize("batch", [1, 1000])
def test_second_line_with_the_same_external_id_is_rejected(import_, monkeypatch, batch):
    monkeypatch.setattr(catalogue, "BATCH", batch)
    link = {"external_ids": {"imdb": "tt0000001"}}
    rows = (HEAT | link, {"id": 2, "title": "Ronin"} | link, {"id": 3, "title": "Alien"})
    messages = ["movies.jsonl:2: imdb tt0000001 belongs to movie 1, which was on line 1"]
    assert import_(*rows) == (counted(read=3, added=2, broken=1), messages)
    assert import_(*rows) == (counted(read=3, unchanged=2, broken=1), messages)
    assert movies() == [1, 3]


@pytest.mark.parametrize("batch", [1, 1000])
def test_line_of_a_movie_that_an_earlier_line_matched_is_rejected(import_, monkeypatch, batch):
    monkeypatch.setattr(catalogue, "BATCH", batch)
    link = {"external_ids": {"imdb": "tt0000001"}}
    import_(HEAT | link)
    assert import_(HEAT | {"id": 2} | link, HEAT | link) == (
        counted(read=2, changed=1, matched=1, broken=1),
        ["movies.jsonl:2: id 1 was on line 1 already"],
    )
    assert movies() == [1]


def test_external_id_of_another_movie_is_left_out_and_reported(add_movie, import_):
    import_(HEAT)
    add_movie(OF_TMDB, ("imdb", "tt0000001"), title="Else")
    row = HEAT | {"title": "Heat!", "external_ids": {"imdb": "tt0000001", "mubi": "7"}}
    messages = [f"movies.jsonl:1: imdb tt0000001 belongs to movie {OF_TMDB}"]
    assert import_(row) == (counted(read=1, changed=1, taken=1), messages)
    assert (facts(1).title, links(1)) == ("Heat!", {("mubi", "7")})
    assert import_(row) == (counted(read=1, unchanged=1, taken=1), messages)


def test_wikipedia_page_does_not_identify_a_movie(import_):
    page = {"wikipedia": "Heat"}
    assert import_(HEAT | page, HEAT | {"id": 2} | page) == (counted(read=2, added=2), [])


def test_movielens_number_of_a_catalogue_line_matches_no_movie(add_movie, import_):
    """Each data set of MovieLens numbers films anew."""
    add_movie(OF_TMDB, ("movielens", "50"), title="The Usual Suspects")
    add_movie(ANOTHER, title="Star Wars", year=1977)
    number = {"external_ids": {"movielens": "50"}}
    rows = (
        {"id": 1, "title": "Star Wars", "year": 1977} | number,
        {"id": 2, "title": "Unheard Of", "year": 1995} | number,
        {"id": 3, "title": "The Usual Suspects", "year": 1995, "external_ids": {"movielens": "6"}},
    )
    reported, warnings = import_(*rows)
    assert reported == counted(read=3, added=1, changed=2, matched=2, taken=2)
    assert warnings == [
        f"movies.jsonl:{line}: movielens 50 belongs to movie {OF_TMDB}" for line in (1, 2)
    ]
    assert movies() == [2, OF_TMDB, ANOTHER]
    assert links(OF_TMDB) == {("movielens", "50"), ("movielens", "6"), ("catalogue", "3")}
    assert import_(*rows)[0] == counted(read=3, unchanged=3, taken=2)

"""manage.py correct_catalogue: an earlier demo catalogue's movies get the corrections as events."""

from dataclasses import replace
from uuid import uuid4

import pytest

from command_api.catalogue import inline_projection
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import AddMovie, MovieFacts, WithdrawMovie, stream_of
from command_api.catalogue.demo import lines
from command_api.catalogue.id_allocation import TMDB_BASE
from command_api.catalogue.models import Movie
from command_api.imports import catalogue_corrections
from command_api.imports.session import ImportInterrupted, ImportSession
from events.recorded import Origin

GUN = {"id": 1, "title": "Naked Gun 2½", "year": 1991, "cast": ["Leslie Nielsen"]}
RAVEN = {"id": 2, "title": "The Raven", "year": 1935, "cast": ["Boris Karloff", "Bela Lugosi"]}
HEAT = {"id": 3, "title": "Heat", "year": 1995, "cast": ["Al Pacino"], "wikipedia": "Heat"}
OF_TMDB = TMDB_BASE + 9
SHIPPED = (GUN, RAVEN, HEAT)
OLD = (
    GUN | {"title": "Naked Gun .mw-parser-output .frac{top:1px}2+1\u20442"},
    RAVEN | {"title": "The Raven[1]", "cast": ["Boris Karloff", "and", "Bela Lugosi", "."]},
    HEAT,
)


@pytest.fixture
def import_(command, write):
    """Import a catalogue file."""
    return lambda *rows: command("import_catalogue", write(*rows))


@pytest.fixture
def correct(command, monkeypatch, tmp_path):
    """Apply the corrections of a shipped catalogue; return the counts."""

    def correct(*rows):
        path = tmp_path / "shipped.jsonl.gz"
        lines.write_lines(rows or SHIPPED, path)
        monkeypatch.setattr(lines, "DEMO", path)
        return command("correct_catalogue").strip()

    return correct


def counted(**counts):
    names = {"read": 3, "corrected": 0, "unchanged": 0, "not here": 0, "another movie": 0}
    counts = {name.replace("_", " "): count for name, count in counts.items()}
    return ", ".join(f"{name} {count}" for name, count in (names | counts).items())


def facts(movie_id):
    movie = inline_projection.movie_states([movie_id]).get(movie_id)
    return movie and movie.facts


def change(store, *commands):
    handle_all(commands, store, origin=Origin(correlation_id=uuid4()))


def test_corrections_become_events_of_the_movies_they_concern(import_, correct, store):
    import_(*OLD)
    assert correct() == counted(corrected=2, unchanged=1)
    for row in SHIPPED:
        assert (facts(row["id"]).title, list(facts(row["id"]).cast)) == (row["title"], row["cast"])
    assert [len(store.read(stream_of(movie))) for movie in (1, 2, 3)] == [2, 2, 1]


def test_corrections_of_a_version_are_applied_once(import_, correct, store):
    import_(*OLD)
    correct()
    change(store, AddMovie(3, MovieFacts(title="Heat!", year=1995)))
    assert correct() == "The movies are up to date with this demo catalogue."
    assert facts(3).title == "Heat!"
    assert correct(GUN, RAVEN, HEAT | {"cast": []}).startswith("read 3, corrected 0,")


def test_corrections_add_no_movie(correct):
    assert correct() == counted(not_here=3)
    assert not Movie.objects.exists()


def test_corrections_leave_movies_of_another_catalogue(import_, correct):
    import_(GUN | {"title": "Alien"}, RAVEN | {"year": 1963}, HEAT | {"title": "Heat[2]"})
    assert correct() == counted(corrected=1, another_movie=2)
    assert [facts(movie).title for movie in (1, 2, 3)] == ["Alien", "The Raven", "Heat"]


def test_corrections_keep_what_others_changed(import_, correct, store):
    import_(*OLD)
    described = MovieFacts(
        title="The Raven[1]", year=1935, genres=("Horror",), cast=("Karloff",), overview="A poem."
    )
    change(store, AddMovie(2, described))
    assert correct() == counted(corrected=2, unchanged=1)
    assert facts(2) == MovieFacts(
        title="The Raven", year=1935, genres=("Horror",), cast=("Karloff",), overview="A poem."
    )


def test_corrections_reach_movies_that_a_line_was_matched_to(import_, correct, store):
    change(store, AddMovie(OF_TMDB, MovieFacts(title="The Raven", year=1935), (("tmdb", "9"),)))
    import_(RAVEN | {"cast": ["Boris Karloff", "and", "Bela Lugosi"]})
    assert correct() == counted(corrected=1, not_here=2)
    assert facts(OF_TMDB).cast == ("Boris Karloff", "Bela Lugosi")
    assert facts(2) is None


def test_corrections_reach_withdrawn_movies(import_, correct, store):
    import_(*OLD)
    change(store, WithdrawMovie(1, "a copy"))
    assert correct() == counted(corrected=2, unchanged=1)
    assert inline_projection.movie_states([1])[1].is_withdrawn
    assert facts(1).title == GUN["title"]


def test_corrections_add_directors_and_prominence(import_, correct, store):
    import_(*OLD)
    change(store, AddMovie(2, replace(facts(2), directors=("Roger Corman",))))
    more = {"directors": ["Louis Friedlander"], "prominence": 40}
    assert correct(*(row | more for row in SHIPPED)) == counted(corrected=3)
    assert [facts(movie).directors for movie in (1, 2, 3)] == [
        ("Louis Friedlander",),
        ("Roger Corman",),
        ("Louis Friedlander",),
    ]
    assert [facts(movie).prominence for movie in (1, 2, 3)] == [40, 40, 40]
    assert [len(store.read(stream_of(movie))) for movie in (1, 2, 3)] == [2, 3, 2]


def test_corrections_link_ids_of_sources_that_a_movie_lacks(import_, correct, store):
    import_(*OLD)
    change(store, AddMovie(9, MovieFacts(title="Heat", year=1995), (("imdb", "tt0000003"),)))
    change(store, AddMovie(2, facts(2), (("imdb", "tt0000022"),)))
    rows = [row | {"external_ids": {"imdb": f"tt{row['id']:07d}"}} for row in SHIPPED]
    assert correct(*rows) == counted(corrected=2, unchanged=1)
    imdb = {
        movie: [value for source, value in state.external_ids if source == "imdb"]
        for movie, state in inline_projection.movie_states([1, 2, 3, 9]).items()
    }
    assert imdb == {1: ["tt0000001"], 2: ["tt0000022"], 3: [], 9: ["tt0000003"]}


def test_interrupted_corrections_resume(import_, correct, store, monkeypatch, tmp_path):
    import_(*OLD)
    monkeypatch.setattr(catalogue_corrections, "_BATCH", 1)
    lines.write_lines(SHIPPED, tmp_path / "part.jsonl.gz")
    stopping = iter([False, True])
    session = ImportSession(store, is_stopping=lambda: next(stopping))
    with pytest.raises(ImportInterrupted):
        catalogue_corrections.correct_catalogue(tmp_path / "part.jsonl.gz", session)
    assert [facts(movie).title for movie in (1, 2)] == ["Naked Gun 2½", "The Raven"]
    assert correct() == counted(unchanged=3)


def test_imported_demo_catalogue_needs_no_corrections(command, correct, monkeypatch, tmp_path):
    path = tmp_path / "shipped.jsonl.gz"
    lines.write_lines(SHIPPED, path)
    monkeypatch.setattr("command_api.management.commands.import_catalogue.DEMO", path)
    command("import_catalogue", "demo")
    assert correct() == "The movies are up to date with this demo catalogue."

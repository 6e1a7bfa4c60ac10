"""Search relevance in the real catalogue, on both engines."""

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from projectors.read_models.search.engine import SearchEngine, VersionedDocument
from projectors.read_models.search.on_elasticsearch.index import ElasticsearchIndex
from projectors.read_models.search.on_tantivy.index import TantivyIndex
from projectors.read_models.search.projection import SearchableDetails, document
from projectors.read_models.search.query import SearchQuery

DEMO = Path(__file__).parents[3] / "command_api" / "catalogue" / "demo" / "catalogue.jsonl.gz"
FAMOUS = {
    **dict.fromkeys((24709, 23901, 28490, 30130, 24909), 500),  # Star Wars, The Godfather ...
    **dict.fromkeys((30783, 26184, 29643, 28720, 31366, 28823, 32316), 300),
    **dict.fromkeys((34105, 30593, 30819, 31049, 28910, 33289), 200),
}
CHUNK = 5000


@pytest.fixture(scope="module")
def documents() -> Sequence[VersionedDocument]:
    """The whole catalogue."""
    with gzip.open(DEMO, "rt") as lines:
        return [versioned(json.loads(line)) for line in lines]


def versioned(movie: dict[str, Any]) -> VersionedDocument:
    details = SearchableDetails(
        title=movie["title"],
        year=movie["year"],
        genres=tuple(movie["genres"]),
        cast=tuple(movie["cast"]),
        directors=tuple(movie.get("directors", ())),
        prominence=movie.get("prominence", 0),
    )
    votes = FAMOUS.get(movie["id"], movie["id"] % 3)
    total = votes * (5 + movie["id"] % 5)
    return VersionedDocument(
        movie["id"], 1, document(movie["id"], details, votes=votes, total=total)
    )


def fill(index: SearchEngine, documents: Sequence[VersionedDocument]) -> SearchEngine:
    index.create()
    for start in range(0, len(documents), CHUNK):
        index.put(documents[start : start + CHUNK])
    index.refresh()
    return index


@pytest.fixture(scope="module")
def on_elasticsearch(services, documents) -> Iterator[SearchEngine]:
    # Not in this run's namespace: its indices are deleted after each test.
    with Elasticsearch(services.elasticsearch, request_timeout=60) as client:
        index = ElasticsearchIndex(client, f"contract-{os.getpid()}-catalogue")
        yield fill(index, documents)
        index.drop()


@pytest.fixture(scope="module")
def on_tantivy(tmp_path_factory, documents) -> SearchEngine:
    return fill(TantivyIndex(tmp_path_factory.mktemp("search") / "catalogue"), documents)


@pytest.fixture
def engines(on_elasticsearch, on_tantivy) -> tuple[SearchEngine, SearchEngine]:
    return on_elasticsearch, on_tantivy


def first(engine, q, **query):
    hits = engine.search(SearchQuery(q=q, limit=5, **query)).items
    return hits[0].highlight.replace("<em>", "").replace("</em>", "") if hits else None


QUERIES = {
    # exact and near titles
    "star wars": "Star Wars",
    "the godfather": "The Godfather",
    "godfather": "The Godfather",
    "godfather part ii": "The Godfather Part II",
    "alien": "Alien",
    "aliens": "Aliens",
    "casablanca": "Casablanca",
    "12 angry men": "12 Angry Men",
    "2001": "2001: A Space Odyssey",
    "schindler's list": "Schindler&#x27;s List",
    "schindlers list": "Schindler&#x27;s List",
    "fast and furious": "Fast &amp; Furious",
    # other spaces and punctuation
    "starwars": "Star Wars",
    "spiderman": "Spider-Man",
    "spider man": "Spider-Man",
    "spider-man": "Spider-Man",
    "wall e": "WALL-E",
    "walle": "WALL-E",
    "mash": "M*A*S*H",
    "jurassicpark": "Jurassic Park",
    "e.t.": "E.T. the Extra-Terrestrial",
    # prefixes
    "star war": "Star Wars",
    "the godf": "The Godfather",
    "pulp fic": "Pulp Fiction",
    "shawsh": "The Shawshank Redemption",
    "casabl": "Casablanca",
    "blade runner 20": "Blade Runner 2049",
    # typos
    "godfahter": "The Godfather",
    "pulp ficton": "Pulp Fiction",
    "casablnca": "Casablanca",
    "shawshenk redemtion": "The Shawshank Redemption",
    "jurasic park": "Jurassic Park",
    "citizen kaen": "Citizen Kane",
    "the matirx": "The Matrix",
    "the lord of rings retrn of king": "The Lord of the Rings: The Return of the King",
    # accents
    "leon the professional": "Léon: The Professional",
    "les miserables": "Les Misérables",
    "pokemon detective": "Pokémon Detective Pikachu",
    "LÉS MISÉRÀBLES": "Les Misérables",
    # with the year
    "heat 1995": "Heat",
    "titanic 1953": "Titanic",
    "alien 1979": "Alien",
    # cast
    "pacino brando": "The Godfather",
    "sigourney weaver aliens": "Aliens",
    "travolta pulp": "Pulp Fiction",
    "bogart casablanca": "Casablanca",
    "jean reno leon": "Léon: The Professional",
    # no match
    "xyzzy qwrtp": None,
}


def test_intended_movie_ranks_first(engines):
    for engine in engines:
        assert {q: first(engine, q) for q in QUERIES} == QUERIES


@pytest.mark.parametrize(
    ("q", "movie"),
    [
        ("titanic 1953", 20285),
        ("king kong 1933", 11238),
        ("psycho 1998", 29832),
        ("heat 1986", 26254),
        ("heat", 28720),
        ("king kong", 31366),
    ],
)
def test_intended_movie_of_a_shared_title_ranks_first(engines, q, movie):
    for engine in engines:
        assert engine.search(SearchQuery(q=q)).items[0].id == movie


FILTERS = {
    "popular": SearchQuery(limit=100),
    "by score": SearchQuery(sort="score", limit=100),
    "by year": SearchQuery(sort="year", limit=100),
    "genres": SearchQuery(genres=("Science Fiction", "Horror"), limit=100),
    "years": SearchQuery(year_from=1979, year_to=1981, sort="score", limit=100),
    "score": SearchQuery(min_score=8.5, sort="year", limit=100),
    "person": SearchQuery(person="SIGOURNEY weaver", limit=100),
    "all": SearchQuery(
        genres=("Drama",), year_from=1970, year_to=1999, min_score=6, person="al pacino"
    ),
    "a word by year": SearchQuery(q="casablanca", sort="year"),
    "exact words": SearchQuery(q="1995", sort="year", limit=100),
}


@pytest.mark.parametrize("name", FILTERS)
def test_both_engines_return_same_facets_and_totals(engines, name):
    one, other = (engine.search(FILTERS[name]) for engine in engines)
    assert one.total > 0
    assert one.items == other.items
    assert (one.total, one.genres, one.decades) == (other.total, other.genres, other.decades)


def test_paging_reaches_deep_into_the_catalogue(engines):
    pages = []
    for engine in engines:
        after, paged = None, []
        for _ in range(12):
            page = engine.search(SearchQuery(sort="score", limit=100, after=after))
            paged += [hit.id for hit in page.items]
            after = page.next
        pages.append(paged)
    assert len(set(pages[0])) == 1200
    assert pages[0] == pages[1]


def test_paging_through_a_word_query_returns_all_matches(engines):
    for engine in engines:
        all_matches = engine.search(SearchQuery(q="the night", limit=2000))
        page = engine.search(SearchQuery(q="the night", limit=50))
        paged = [hit.id for hit in page.items]
        while page.next is not None:
            page = engine.search(SearchQuery(q="the night", limit=50, after=page.next))
            paged += [hit.id for hit in page.items]
        assert paged == [hit.id for hit in all_matches.items]
        assert len(paged) == all_matches.total

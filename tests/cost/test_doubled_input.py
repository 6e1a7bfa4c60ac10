"""Doubled input costs at most 2.5 times as much: parsers, validators, merges and answers.

Most of these inputs are limited in length elsewhere. The limits are no excuse: 256 KiB, once
parsed in quadratic time, took 40 s of CPU time from anybody who sent them.
"""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unicodedata import normalize
from uuid import UUID

import msgspec
import pytest
from django.http import HttpRequest
from rest_framework import serializers

from command_api.accounts.api import AccountBody
from command_api.admin.access import read_cookies
from command_api.catalogue import title_keys
from command_api.http import if_match
from command_api.imports import catalogue_file, csv_table, movielens_titles
from command_api.imports.deduplication import LoggedScore, StreamProgress
from command_api.imports.deduplication import plan as plan_import
from command_api.imports.line_warnings import RejectedLines
from command_api.imports.ratings_sort import TimedRating
from command_api.imports.resemblance import UserPair, compare
from command_api.playlists.decider import CreatePlaylist, PlaylistState, PlaylistText, playlist
from command_api.playlists.ranks import insert_rank
from command_api.preferences.api import PreferencesBody
from command_api.ratings.bulk_import import RatingInput, plan
from command_api.ratings.bulk_import_api import RatingsBody
from command_api.ratings.decider import RateMovie
from command_api.ratings.decider import rating as rating_stream
from events.archive import archive
from events.catalogue import PlaylistCreated, PlaylistMovieAdded, PlaylistMovieMoved
from events.catalogue.accounts import EncryptedField
from events.position_token import decode_positions
from infra import visible_text
from infra.config import networks
from infra.errors import FieldError, Invalid
from infra.http import problem_details
from infra.http.security_headers import SecurityHeaders
from infra.http.strict_json import StrictSerializer, TextField, decode, encode
from infra.observability import correlation_id
from infra.rate_limit import client_address
from infra.security import access_tokens
from projectors.read_models.library.playlists import read_order
from projectors.read_models.search.highlight import highlight
from projectors.read_models.search.query_parser import parse
from projectors.read_models.search.text_normalisation import compounds, fold, without_spaces
from projectors.read_models.suggestions.query_normalisation import indexed_forms, normalise_query
from projectors.read_models.suggestions.spelling import SpellingIndex, entries_for, spellings
from projectors.storage import pagination
from query_api.http.read_your_writes import wait_seconds
from query_api.http.response import render
from query_api.views.search import SearchParameters
from tests.cost.linear_growth import is_linear

pytestmark = pytest.mark.usefixtures("keys")

ARCHIVE = Path(__file__).parents[1] / "fixtures" / "archives" / "marquee-log.v2.jsonl"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANN = UUID(int=1)
ABOUT: dict[str, Any] = {"playlist_id": "p", "user_id": ANN}


def repeated(part):
    return lambda size: part * size


class Described(StrictSerializer):
    text = TextField(max_length=1000)
    words = serializers.ListField(child=serializers.CharField(), max_length=10)


def body_of(part, before=b"[", behind=b"0]"):
    return lambda size: before + part * size + behind


def different_members(size):
    return b"{%b}" % b",".join(b'"m%d":1' % number for number in range(size))


def several_objects(size):
    return b"[%b]" % b",".join([different_members(100)] * (size // 100))


BODIES = {
    "small objects": body_of(b'{"a":1},'),
    "objects of a hundred members": several_objects,
    "one object of different members": different_members,
    "one member again and again": body_of(b'"a":1,', b"{", b'"a":1}'),
    "two members in turn": body_of(b'"a":1,"b":2,', b"{", b'"a":1}'),
    "nested lists": body_of(b"[", b"", b""),
    "nested objects": body_of(b'{"a":', b"", b""),
    "one long text": body_of(b"x", b'"', b'"'),
    "escaped quotes": body_of(b'\\"', b'"', b'"'),
    "one long number": body_of(b"1"),
    "many long numbers": body_of(b"1" * 4000 + b","),
    "many long fractions": body_of(b"0." + b"1" * 4000 + b","),
    "commas only": body_of(b","),
}


@pytest.mark.parametrize("make", BODIES.values(), ids=BODIES)
def test_parsing_a_body_is_linear(make):
    assert is_linear(make, decode)


TEXTS = {
    "two marks in turn": repeated("\u0301\u0323"),
    "sorted marks": lambda size: "\u0323" * size + "\u0301" * size,
    "unsorted marks": lambda size: "a" + "\u0301" * size + "\u0323" * size,
    "one mark": repeated("\u0301"),
    "letters with a mark": repeated("e\u0301"),
    "letters with many marks": repeated("a" + "\u0301\u0323" * 15),
    "letters that decompose into marks": repeated("\u0f73\u0f71"),
    "voiced marks": repeated("\uff9e\u3099\u0301"),
    "Hangul": repeated("\u1112\u1161\u11ab"),
    "long decompositions": repeated("\ufdfa"),
    "joined emoji": repeated("\U0001f468\u200d"),
    "words": repeated("word "),
}


@pytest.mark.parametrize("make", TEXTS.values(), ids=TEXTS)
def test_normalising_text_is_linear(make):
    assert is_linear(make, visible_text.normalised)
    assert is_linear(make, visible_text.scrubbed)


FORMS = {
    "marks in a username": (
        AccountBody,
        lambda size: {"username": "\u0301\u0323" * size, "email": "a@b.example", "password": "x"},
    ),
    "a long address": (
        AccountBody,
        lambda size: {"username": "ann", "email": "a@" + "b." * size, "password": "x"},
    ),
    "a long international address": (
        AccountBody,
        lambda size: {"username": "ann", "email": "a@" + "\u00fc" * size, "password": "x"},
    ),
    "unknown genres": (PreferencesBody, lambda size: {"genres": ["Nonsense"] * size}),
    "genres of a wrong type": (PreferencesBody, lambda size: {"genres": list(range(size))}),
    "unknown fields": (PreferencesBody, lambda size: {f"m{nth}": 1 for nth in range(size)}),
    "marks in a long text": (
        Described,
        lambda size: {"text": "a\u0301\u0323" * size, "words": ["b"]},
    ),
    "marks in a list": (Described, lambda size: {"text": "a", "words": ["\u0301\u0323" * size]}),
    "nonsense for ratings": (RatingsBody, lambda size: ["nonsense"] * min(size, 1000)),
    "ratings with unknown fields": (
        RatingsBody,
        lambda size: [{f"m{nth}": 1 for nth in range(100)}] * min(size // 100, 1000),
    ),
    "too many ratings": (RatingsBody, lambda size: [{"movie_id": 1, "score": 7}] * size),
}


@pytest.mark.parametrize(("form", "make"), FORMS.values(), ids=FORMS)
def test_validating_fields_is_linear(form, make):
    assert is_linear(make, form.read)


def test_listing_errors_is_linear():
    def answer(size):
        return Invalid(errors=[FieldError(f"field.{nth}", "wrong") for nth in range(size)])

    assert is_linear(answer, lambda refused: problem_details.respond(refused, None))


QUERIES = {
    "ampersands": repeated("&"),
    "different parameters": lambda size: "&".join(f"p{nth}=1" for nth in range(size)),
    "one parameter again and again": repeated("genre=&"),
    "an encoded text": lambda size: "q=" + "%CC%81" * size,
    "percent signs": repeated("%"),
    "plus signs": lambda size: "q=" + "+" * size,
}


@pytest.mark.parametrize("make", QUERIES.values(), ids=QUERIES)
def test_reading_a_query_string_is_linear(make):
    assert is_linear(make, SearchParameters.of)


def request_of(**meta):
    request = HttpRequest()
    request.META |= meta
    return request


def forwarded(hops):
    meta = {"HTTP_X_FORWARDED_FOR": hops}
    return client_address._client("127.0.0.1", meta, networks("127.0.0.0/8"))


def send_through(content_type):
    environ = {"PATH_INFO": "/health/live", "CONTENT_TYPE": content_type}
    SecurityHeaders(lambda *_: [])(environ, lambda *_: None)


HEADERS = {
    "If-Match: versions": (repeated('"1", '), if_match.versions),
    "If-Match: one open quote": (lambda size: '"' + "a" * size, if_match.versions),
    "If-Match: blanks": (lambda size: '"1"' + " " * size + "x", if_match.versions),
    "If-None-Match: tags": (
        repeated('"1", '),
        lambda tags: render({"HTTP_IF_NONE_MATCH": tags}, b"{}", cache_policy="never", headers={}),
    ),
    "Prefer: separators": (repeated(";, "), wait_seconds),
    "Prefer: blanks": (lambda size: ";" + " " * size + "wait", wait_seconds),
    "Prefer: waits without a number": (repeated("wait = ,"), wait_seconds),
    "Log-Position: commas": (repeated(","), decode_positions),
    "Log-Position: tokens": (repeated("AAAA,"), decode_positions),
    "Log-Position: one long token": (repeated("A"), decode_positions),
    "Authorization: dots": (lambda size: "Bearer " + "a." * size, access_tokens.bearer),
    "Authorization: one long part": (
        lambda size: "Bearer " + "a" * size + ".a.a",
        access_tokens.bearer,
    ),
    "X-Request-ID: hyphens": (
        repeated("-"),
        lambda value: correlation_id(request_of(HTTP_X_REQUEST_ID=value)),
    ),
    "X-Forwarded-For: trusted hops": (repeated("127.0.0.1,"), forwarded),
    "Cookie: backslashes": (lambda size: 'a="' + "\\" * size + '"', read_cookies),
    "Cookie: separators": (repeated("; a="), read_cookies),
    "Content-Type: separators": (lambda size: 'a;"' + ";" * size, send_through),
}


@pytest.mark.parametrize(("make", "read"), HEADERS.values(), ids=HEADERS)
def test_reading_a_header_is_linear(make, read):
    assert is_linear(make, read)


def packed_spelling_index(words):
    index = SpellingIndex(words)
    return [index.pack(entry) for entry in index.entries]


SEARCHES = {
    "parse words": (repeated("word "), parse),
    "parse one word": (repeated("a"), parse),
    "parse a group of words": (repeated("a-"), parse),
    "parse apostrophes": (repeated("a'"), parse),
    "fold words": (repeated("Wörd "), fold),
    "fold signs": (repeated("&_'"), fold),
    "compounds": (repeated("a-b "), compounds),
    "without spaces": (repeated("the "), without_spaces),
    "highlight": (repeated("alien "), lambda title: highlight(title, "alien aliens heat")),
    "highlight a long query": (repeated("alein "), lambda query: highlight("Alien", query)),
    "suggestions of words": (repeated("go fish "), normalise_query),
    "forms of a title of words": (repeated("word "), indexed_forms),
    "forms of a title of groups": (repeated("a-b "), indexed_forms),
    "forms of one group": (repeated("a-"), indexed_forms),
    "spellings of a long word": (
        lambda size: "godftaher " + "x" * size,
        lambda text: (entries_for(text), spellings(text, [text], ["godfa"])),
    ),
    "spelling index": (
        lambda size: [f"{nth:07x}" for nth in range(size)],
        packed_spelling_index,
    ),
    "title keys": (repeated("The Title. "), title_keys.loose),
}


@pytest.mark.parametrize(("make", "work"), SEARCHES.values(), ids=SEARCHES)
def test_reading_a_search_or_a_title_is_linear(make, work):
    assert is_linear(make, work)


def added(size):
    created = PlaylistCreated(**ABOUT, name=EncryptedField("Noir"))
    return [
        created,
        *(PlaylistMovieAdded(**ABOUT, movie_id=movie, rank=movie) for movie in range(size)),
    ]


def moved(size):
    return [
        *added(size),
        *(PlaylistMovieMoved(**ABOUT, movie_id=movie, rank=-movie) for movie in range(size)),
    ]


def fold_playlist(events):
    assert playlist.evolve_all is not None
    return playlist.evolve_all(PlaylistState(), events).movies


def create_playlist(movies):
    name = PlaylistText("Noir", EncryptedField("sealed"))
    return playlist.decide(CreatePlaylist(**ABOUT, name=name, movies=movies), PlaylistState())


def plan_rated_again(ratings):
    """Import a file in which one user rates one movie often, once more."""
    stream = rating_stream.stream(RateMovie(ANN, 1, 7)).name
    times = [NOW + timedelta(seconds=nth) for nth in ratings]
    logged = [LoggedScore(nth % 10 + 1, at) for nth, at in enumerate(times)]
    batch = [TimedRating(RateMovie(ANN, 1, score), at) for score, at in logged]
    return plan_import(batch, {stream: StreamProgress(len(logged), logged=logged)})


MERGES = {
    "playlist of added movies": (added, fold_playlist),
    "playlist of moved movies": (moved, fold_playlist),
    "new playlist of many movies": (lambda size: range(min(size, 2000)), create_playlist),
    "rank without room": (range, lambda ranks: insert_rank(ranks, len(ranks) // 2)),
    "order of a stored playlist": (
        lambda size: {b"%d" % movie: b"%d" % -movie for movie in range(size)},
        read_order,
    ),
    "imported ratings of different movies": (
        lambda size: {nth: RatingInput(nth, 7) for nth in range(size)},
        lambda ratings: plan(ANN, ratings, {}, now=NOW),
    ),
    "imported ratings of one movie": (
        lambda size: {nth: RatingInput(1, 7, NOW) for nth in range(size)},
        lambda ratings: plan(ANN, ratings, {}, now=NOW),
    ),
    "file in which one movie is rated again and again": (range, plan_rated_again),
    "resemblance of such a file to the log": (
        lambda size: {1: [(nth % 10 + 1, nth**2) for nth in range(size)]},
        lambda ratings: compare([UserPair(ratings, ratings)], ()),
    ),
    "page of movies": (
        lambda size: [b'{"id":1}'] * size,
        lambda cards: pagination.render_page(
            (pagination.merge_objects(card, encode({"position": 1})) for card in cards), None
        ),
    ),
}


@pytest.mark.parametrize(("make", "work"), MERGES.values(), ids=MERGES)
def test_merging_is_linear(make, work):
    assert is_linear(make, work)


FILES = {
    "lines": repeated(b"1,Alien,Horror\n"),
    "blank lines": repeated(b"\n"),
    "one line": repeated(b"a"),
    "commas": repeated(b","),
    "quotes": repeated(b'"'),
    "closed quotes": repeated(b'"a",'),
}


@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_reading_a_table_is_linear(tmp_path, capsys, make):
    path = tmp_path / "movies.csv"

    def read(content):
        path.write_bytes(b"movieId,title,genres\n" + content)
        columns = ("movieId", "title", "genres")
        return list(csv_table.read(path, RejectedLines(path.name), columns=columns))

    assert is_linear(make, read)


def movie_line(**fields):
    return b'{"id":1,"title":"Alien",%b}' % b",".join(
        b'"%b":%b' % (name.encode(), value) for name, value in fields.items()
    )


LINES = {
    "a title of NULs": lambda size: movie_line(title=b'"' + b"x" * size + b'\\u0000"'),
    "a long cast": lambda size: movie_line(cast=b'["A"' + b',"B"' * size + b"]"),
    "long genres": lambda size: movie_line(genres=b'["A"' + b',"B"' * size + b"]"),
    "a long overview": lambda size: movie_line(overview=b'"' + b"x" * size + b'"'),
}


@pytest.mark.parametrize("make", LINES.values(), ids=LINES)
def test_reading_a_line_of_a_catalogue_is_linear(make):
    def read(content):
        with suppress(ValueError):
            catalogue_file.parse(content, Counter())

    assert is_linear(make, read)


def test_reading_a_movielens_title_is_linear_up_to_its_length():
    """Titles longer than 500 characters are refused before."""
    assert is_linear(lambda size: ["Alien (Alien 1) (1979)"] * size, titles_of)


def titles_of(titles):
    return [movielens_titles.parse(title) for title in titles]


def archive_of(size):
    header, line, *_ = ARCHIVE.read_bytes().splitlines()
    heads = msgspec.json.decode(header)["heads"]
    event = msgspec.json.decode(line) | {"partition": 0}
    return msgspec.json.Encoder().encode_lines(
        [
            msgspec.json.decode(header) | {"heads": [size, *heads[1:]]},
            *(event | {"offset": nth} for nth in range(1, size + 1)),
        ]
    )


@pytest.mark.parametrize("make", [archive_of, lambda size: archive_of(1) + b"x" * size])
def test_reading_an_archive_is_linear(tmp_path, make):
    path = tmp_path / "log.jsonl"

    def read(content):
        path.write_bytes(content)
        return list(archive._EventReader(path, archive.read_header(path)))

    assert is_linear(make, read)


def test_quadratic_work_is_found():
    """The measure itself: normalisation sorts marks by insertion."""
    assert not is_linear(TEXTS["unsorted marks"], lambda text: normalize("NFC", text))

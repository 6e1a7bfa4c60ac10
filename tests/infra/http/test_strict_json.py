"""Strict JSON: declared fields are taken, everything else is refused by name."""

from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from infra.config import config
from infra.errors import BadRequest, Invalid, TooLarge, TooLong
from infra.http.strict_json import (
    MAX_DEPTH,
    MAX_MEMBERS,
    MAX_PARAMETERS,
    MAX_QUERY_LENGTH,
    JSONParser,
    PageQuery,
    SecretField,
    StrictSerializer,
    TextField,
    decode,
    encode,
)
from infra.visible_text import MAX_MARKS


class Rating(StrictSerializer):
    score = serializers.IntegerField(min_value=1, max_value=10)
    note = serializers.CharField(max_length=10, required=False)
    genres = serializers.ListField(child=serializers.CharField(), required=False)
    public = serializers.BooleanField(required=False)


class Ratings(StrictSerializer):
    ratings = Rating(many=True)


def errors(refusal):
    return {error.field: error.reason for error in refusal.value.errors}


def test_declared_body_is_taken():
    data = {"score": 7, "note": "good", "genres": ["Drama"], "public": True}
    assert Rating.read(data) == data


@pytest.mark.parametrize("score", ["7", 7.0, 7.5, True, [7], {"a": 1}, "", 0, 11, None, 10**30])
def test_score_must_be_integer_from_1_to_10(score):
    with pytest.raises(Invalid) as refusal:
        Rating.read({"score": score})
    assert list(errors(refusal)) == ["score"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("note", 7),
        ("note", True),
        ("note", "x" * 11),
        ("note", "a\0b"),
        ("public", "true"),
        ("public", 1),
        ("genres", "Drama"),
        ("genres.1", ["Drama", 7]),
    ],
)
def test_types_are_not_coerced(field, value):
    with pytest.raises(Invalid) as refusal:
        Rating.read({"score": 7, field.partition(".")[0]: value})
    assert list(errors(refusal)) == [field]


def test_unknown_fields_are_named():
    with pytest.raises(Invalid) as refusal:
        Rating.read({"score": 7, "stars": 4, "user_id": 1})
    assert errors(refusal) == {
        "stars": "unknown field",
        "user_id": "unknown field",
    }


def test_nested_field_is_named_by_dots():
    with pytest.raises(Invalid) as refusal:
        Ratings.read({"ratings": [{"score": 7}, {"score": "7"}, {}]})
    assert set(errors(refusal)) == {"ratings.1.score", "ratings.2.score"}


@pytest.mark.parametrize("body", [[], "x", 7, None])
def test_body_must_be_object(body):
    with pytest.raises(Invalid):
        Rating.read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"score": NaN}',
        b"{'score': 7}",
        b"\xff",
        b'"\xed\xa0\x80"',
        b"[" * 100_000,
        b"{} x",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_malformed_json_is_refused(body):
    with pytest.raises(BadRequest, match="The body is not valid JSON"):
        decode(body)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"01", b"0x1"])
def test_non_finite_number_is_refused(number):
    with pytest.raises(BadRequest):
        decode(b'{"score": %b}' % number)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"score": 1, "score": 2}', {"score"}),
        (b'{"score": 1, "score": 1}', {"score"}),
        (b'{"score": 1, "sc\\u006fre": 2}', {"score"}),
        (b'[{"a": 1}, {"b": {"c": 1, "d": 1, "c": 2, "d": 3}}]', {"c", "d"}),
    ],
)
def test_duplicate_field_is_refused(body, names):
    with pytest.raises(Invalid) as refusal:
        decode(body)
    assert set(errors(refusal)) == names


def test_body_nesting_is_limited():
    deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert decode(deep) is not None
    for deeper in (b"[%b]" % deep, b'{"a": %b}' % deep):
        with pytest.raises(BadRequest, match="deep"):
            decode(deeper)


@pytest.mark.parametrize("shape", [b"%b", b"[%b]", b'{"a": [{"b": %b}]}'])
def test_members_of_an_object_are_limited(shape):
    def body(members):
        names = b",".join(b'"m%d": 1' % number for number in range(members))
        return shape % (b"{%b}" % names)

    assert decode(body(MAX_MEMBERS))
    with pytest.raises(BadRequest, match=f"more than {MAX_MEMBERS} members"):
        decode(body(MAX_MEMBERS + 1))


class Words(StrictSerializer):
    name = serializers.CharField(max_length=10, required=False)
    lines = TextField(max_length=20, required=False)
    list = serializers.ListField(child=serializers.CharField(), required=False)


class Marked(StrictSerializer):
    name = serializers.CharField(max_length=200, required=False)
    lines = TextField(max_length=200, required=False)
    list = serializers.ListField(child=serializers.CharField(), required=False)


class Few(StrictSerializer):
    genres = serializers.ListField(child=serializers.ChoiceField(["War"]), max_length=2)


@pytest.mark.parametrize("genre", ["War", "Nonsense", 7, None, {"a": 1}])
def test_list_with_too_many_items_is_refused_as_a_whole(genre):
    with pytest.raises(Invalid) as refusal:
        Few.read({"genres": [genre] * 3})
    assert errors(refusal) == {"genres": "This may have at most 2 items."}
    assert Few.read({"genres": ["War"] * 2})


def test_text_is_normalised_to_nfc():
    data = {"name": "Ame\u0301lie", "lines": "a\nb\tc", "list": ["e\u0301"]}
    assert Words.read(data) == {"name": "Am\u00e9lie", "lines": "a\nb\tc", "list": ["\u00e9"]}
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert Words.read({"name": family}) == {"name": family}


@pytest.mark.parametrize("hidden", "\0\x07\x1b\x7f\x85\u2028\u202e\u2066\ufeff")
@pytest.mark.parametrize("field", ["name", "lines", "list"])
def test_invisible_characters_are_refused(field, hidden):
    text = f"a{hidden}b"
    with pytest.raises(Invalid) as refusal:
        Words.read({field: [text] if field == "list" else text})
    assert [name.partition(".")[0] for name in errors(refusal)] == [field]
    assert f"U+{ord(hidden):04X}" in "".join(errors(refusal).values())


@pytest.mark.parametrize("hidden", "\u200b\u00ad\u2060\u2063\u180e\ufffa\U000e0041")
@pytest.mark.parametrize("field", ["name", "lines", "list"])
def test_characters_that_nobody_sees_are_refused(field, hidden):
    text = f"a{hidden}b"
    with pytest.raises(Invalid) as refusal:
        Words.read({field: [text] if field == "list" else text})
    assert f"U+{ord(hidden):04X}" in "".join(errors(refusal).values())


@pytest.mark.parametrize("blank", ["\u200d", "\u200e \u200f", "\u3164", "\u2800\u2800", "\u0301"])
@pytest.mark.parametrize("field", ["name", "lines", "list"])
def test_text_without_anything_to_see_is_blank(field, blank):
    with pytest.raises(Invalid) as refusal:
        Words.read({field: [blank] if field == "list" else blank})
    assert [*errors(refusal).values()] == ["This field may not be blank."]


class Login(StrictSerializer):
    password = SecretField(trim_whitespace=False)
    note = TextField(required=False, allow_blank=True)


def test_secret_may_be_invisible_and_optional_text_may_be_blank():
    body = {"password": "\u200b\u3164 ", "note": ""}
    assert Login.read(body) == body
    assert Login.read({"password": "x", "note": "\u3164"})["note"] == "\u3164"
    with pytest.raises(Invalid):
        Login.read({"password": "a\x07b"})


@pytest.mark.parametrize("mark", ["\u0301", "\u0323", "\u0f73", "\uff9e", "\U0001e8d0"])
@pytest.mark.parametrize("field", ["name", "lines", "list"])
def test_combining_marks_in_a_row_are_limited(field, mark):
    """Normalisation sorts a row of marks in quadratic time."""

    def text(marks):
        row = f"a{mark * marks}b"
        return {field: [row] if field == "list" else row}

    with pytest.raises(Invalid) as refusal:
        Marked.read(text(MAX_MARKS + 1))
    assert [name.partition(".")[0] for name in errors(refusal)] == [field]
    assert f"At most {MAX_MARKS} combining marks" in "".join(errors(refusal).values())
    assert Marked.read(text(MAX_MARKS)).keys() == {field}


def test_rows_of_marks_are_counted_apart():
    text = ("a" + "\u0301" * MAX_MARKS) * 3
    assert Marked.read({"name": text})


@pytest.mark.parametrize("line", "\n\r\t")
def test_line_break_in_name_is_refused(line):
    with pytest.raises(Invalid) as refusal:
        Words.read({"name": f"a{line}b"})
    assert list(errors(refusal)) == ["name"]


def test_lone_surrogate_is_refused():
    with pytest.raises(BadRequest):
        decode(b'"\\ud800"')


def test_html_is_kept_as_text():
    """Text is stored unchanged and encoded as JSON; clients must escape it when rendering."""
    assert Words.read({"name": "<b>&amp;"}) == {"name": "<b>&amp;"}


def test_malformed_json_names_the_place():
    with pytest.raises(BadRequest, match="byte 10"):
        decode(b'{"score": }')


def test_body_size_is_limited():
    limit = config().body_limit_bytes
    exact = b'"' + b"x" * (limit - 2) + b'"'
    assert len(JSONParser().parse(BytesIO(exact))) == limit - 2
    with pytest.raises(TooLarge, match=str(limit)):
        JSONParser().parse(BytesIO(exact + b" "))


def test_values_are_encoded_in_one_way():
    values = [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), UUID(int=1), ErrorDetail("no", "code")]
    assert encode(values) == (
        b'["2026-01-02T03:04:05Z","00000000-0000-0000-0000-000000000001","no"]'
    )


class Search(PageQuery):
    q = serializers.CharField(max_length=20)
    genre = serializers.ListField(child=serializers.CharField(), required=False)
    min_score = serializers.FloatField(required=False)


def test_query_parameters_have_types_and_defaults():
    query = Search.of("q=alien&genre=Drama&genre=War&limit=5&min_score=7.5")
    assert query == {
        "q": "alien",
        "genre": ["Drama", "War"],
        "limit": 5,
        "min_score": 7.5,
    }
    assert PageQuery.of("") == {"limit": 20}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=x&limit=0", "limit"),
        ("q=x&limit=101", "limit"),
        ("q=x&limit=7.0", "limit"),
        ("q=x&limit=+7", "limit"),
        ("q=x&limit=1_0", "limit"),
        ("q=x&limit=%D9%A7", "limit"),
        ("q=x&limit=", "limit"),
        ("q=x&limit=" + "9" * 3000, "limit"),
        ("q=x&limit=5&limit=6", "limit"),
        ("q=x&page=2", "page"),
        ("q=x&q=y", "q"),
        ("limit=5", "q"),
        ("q=x&cursor=" + "a" * 501, "cursor"),
        ("q=x&min_score=abc", "min_score"),
        ("q=x&min_score=nan", "min_score"),
        ("q=x&min_score=1e3", "min_score"),
        ("q=a%00b", "q"),
    ],
    ids=lambda word: word[:24],
)
def test_invalid_query_parameters_are_refused_by_name(query, field):
    with pytest.raises(Invalid) as refusal:
        Search.of(query)
    assert list(errors(refusal)) == [field]


def test_query_string_length_is_limited():
    with pytest.raises(TooLong, match=str(MAX_QUERY_LENGTH)):
        Search.of("q=" + "a" * MAX_QUERY_LENGTH)


@pytest.mark.parametrize(
    "query",
    [
        "&" * MAX_PARAMETERS,
        "&" * 1001,
        "&".join(["genre=War"] * (MAX_PARAMETERS + 1)),
        "&".join(f"p{nth}" for nth in range(600)),
    ],
    ids=lambda query: query[:9],
)
def test_number_of_query_parameters_is_limited(query):
    with pytest.raises(Invalid) as refusal:
        Search.of(query)
    assert errors(refusal) == {"": f"At most {MAX_PARAMETERS} parameters may be given."}


def test_query_parameters_up_to_the_limit_are_read():
    query = "&".join(["q=x", *["genre=War"] * (MAX_PARAMETERS - 1)])
    assert len(Search.of(query)["genre"]) == MAX_PARAMETERS - 1


def test_query_parameters_are_normalised_to_nfc():
    assert Search.of("q=e%CC%81")["q"] == "\u00e9"
    assert Search.of("q=Ali%C2%ADen%E2%80%8B")["q"] == "Alien"
    with pytest.raises(Invalid):
        Search.of("q=%E2%80%8B")
    with pytest.raises(Invalid) as refusal:
        Search.of("q=a%E2%80%AEb")
    assert list(errors(refusal)) == ["q"]

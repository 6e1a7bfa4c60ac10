"""If-Match is parsed as RFC 9110 says."""

import pytest

from command_api.http.if_match import versions
from infra.errors import Invalid


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("*", None),
        (" * ", None),
        ('"3"', {3}),
        ('"3","4" ,\t"5"', {3, 4, 5}),
        ('"0"', {0}),
        ('W/"3"', set()),
        ('W/"3", "4"', {4}),
        ('"abc"', set()),
        ('""', set()),
        ('"03"', set()),
        ('"-3"', set()),
        ('"99999999999"', set()),
        ('"a,b", "3"', {3}),
    ],
)
def test_if_match_parses_valid_headers(header, expected):
    assert versions(header) == (expected if expected is None else frozenset(expected))


@pytest.mark.parametrize("header", ["", "3", '"3', '3"', '"3" "4"', '"3",', ',"3"', "**", '*, "3"'])
def test_if_match_refuses_malformed_headers(header):
    with pytest.raises(Invalid) as refusal:
        versions(header)
    assert [error.field for error in refusal.value.errors] == ["If-Match"]

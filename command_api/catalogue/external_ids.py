"""Normal forms of external ids: one spelling for each, so that all sources match.

Tables and JSON of other programs hold numbers for texts, numbers with a fraction (``862.0``), ids
without their prefix or in capitals, and null. An id that can't be read is reported and left out:
it must not cost the movie, or its other ids.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from command_api.catalogue.decider import ExternalId
from command_api.catalogue.models import IMDB, TMDB

_LONGEST_SOURCE, _LONGEST_ID = 40, 500
_SOURCE = re.compile(r"[a-z0-9_]+")
_WHOLE_NUMBER = re.compile(r"\s*([0-9]{1,18})(?:\.0*)?\s*")
_IMDB = re.compile(r"(?:tt)?([0-9]{1,18})", re.IGNORECASE)
_WIKIDATA = re.compile(r"q?([1-9][0-9]{0,17})", re.IGNORECASE)
_FORMS = {
    IMDB: (_IMDB, "tt{:07d}", "tt0114369"),
    TMDB: (re.compile(r"([0-9]{1,18})"), "{}", "862"),
    "wikidata": (_WIKIDATA, "Q{}", "Q171048"),
}
"""Of each source: what is read, how it is written, and an example."""


def readable_ids(given: Mapping[str, Any], report: Callable[[str], object]) -> Iterator[ExternalId]:
    """The ids in their normal form, without null and blank ones; those unreadable are reported."""
    for name, value in given.items():
        try:
            source = _source(name)
            text = _text(value)
            if text:
                yield source, normal_form(source, text)
        except ValueError as error:
            report(f"{name!r:.60}: {error}")


def normal_form(source: str, text: str) -> str:
    """The normal form of an id; raises ValueError if it is none of its source."""
    if source not in _FORMS:
        if len(text) > _LONGEST_ID or not text.isprintable() or " " in text:
            raise ValueError(f"{text!r:.40} is not an id")
        return text
    pattern, form, example = _FORMS[source]
    number = whole_number(text)
    matched = pattern.fullmatch(text if number is None else str(number))
    if matched is None or not int(matched[1]):
        raise ValueError(f"{text!r:.40} is not an id like {example}")
    return form.format(int(matched[1]))


def whole_number(text: str) -> int | None:
    """The value of digits, also with a fraction of zeros; None for everything else."""
    matched = _WHOLE_NUMBER.fullmatch(text)
    return int(matched[1]) if matched else None


def _source(name: str) -> str:
    source = name.strip().lower()
    if (short := source.removesuffix("_id")) in _FORMS:  # as TMDb names them
        return short
    if len(source) > _LONGEST_SOURCE or not _SOURCE.fullmatch(source):
        raise ValueError(f"a source has 1 to {_LONGEST_SOURCE} letters, digits and _")
    return source


def _text(value: Any) -> str:
    """An id as text; empty for null."""
    match value:
        case None:
            return ""
        case bool():
            raise ValueError(f"{value} is not an id")
        case str():
            return value.strip()
        case int():
            return str(value)
        case float() if value.is_integer():
            return str(int(value))
        case _:
            raise ValueError(f"{value!r:.40} is not an id")

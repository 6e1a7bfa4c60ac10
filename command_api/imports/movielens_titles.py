"""Parser of MovieLens titles such as ``Usual Suspects, The (1995)``."""

import re
from typing import NamedTuple

from command_api.catalogue.articles import article_first
from infra import visible_text

LONGEST = 500
_YEAR = re.compile(r"\((\d{4})(?: ?[-\u2013] ?\d{0,4})?\)\s*\Z")
_BRACKETED = re.compile(r"\A(?P<head>.+?)(?P<bracketed>(?:\s*\([^()]*\))+)\Z")
_ALSO_KNOWN_AS = re.compile(r"\A(?:a\.?k\.?a\.?|aka)\s+", re.IGNORECASE)


class ParsedTitle(NamedTuple):
    """A title with its article in front, its year, and all names of the film."""

    title: str
    year: int | None
    names: tuple[str, ...]


def parse(text: str) -> ParsedTitle:
    """Parse a title; brackets at its end, except the year, hold other names.

    The title is empty if there is nothing to see in it. Raises ValueError for one with a control,
    or longer than the catalogue's titles: a normal form may be longer than the text.
    """
    text = visible_text.one_line(text)
    dated = _YEAR.search(text)
    name = (text[: dated.start()] if dated else text).strip()
    split = _BRACKETED.match(name)
    main = article_first(split["head"] if split else name)
    others = [
        article_first(_ALSO_KNOWN_AS.sub("", other.strip()))
        for other in (re.findall(r"\(([^()]*)\)", split["bracketed"]) if split else ())
    ]
    title = "".join((main, *(f" ({other})" for other in others)))
    title = "" if visible_text.is_blank(title) else title
    if len(title) > LONGEST:
        raise ValueError(f"a title longer than {LONGEST} characters")
    names = (name for name in (title, main, *others) if name)
    return ParsedTitle(title, int(dated[1]) if dated else None, tuple(dict.fromkeys(names)))

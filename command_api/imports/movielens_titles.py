"""Parser of MovieLens titles such as ``Usual Suspects, The (1995)``."""

import re
from typing import NamedTuple

_YEAR = re.compile(r"\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*\Z")
_BRACKETED = re.compile(r"\A(?P<head>.+?)(?P<bracketed>(?:\s*\([^()]*\))+)\Z")
_ALSO_KNOWN_AS = re.compile(r"\A(?:a\.?k\.?a\.?|aka)\s+", re.IGNORECASE)
_ARTICLE = re.compile(
    r"\A(?P<rest>.+), (?P<article>The|An?|L'|Les?|La|Las|Los|El|Il|Lo|Gli|Un|Une|Una|Der|Die|Das"
    r"|Ein|Eine|Det|Den|De|Een)\Z"
)


class ParsedTitle(NamedTuple):
    """A title with its article in front, its year, and all names of the film."""

    title: str
    year: int | None
    names: tuple[str, ...]


def parse(text: str) -> ParsedTitle:
    """Parse a title; brackets at its end, except the year, hold other names."""
    dated = _YEAR.search(text)
    name = (text[: dated.start()] if dated else text).strip()
    split = _BRACKETED.match(name)
    main = _article_first(split["head"] if split else name)
    others = [
        _article_first(_ALSO_KNOWN_AS.sub("", other.strip()))
        for other in (re.findall(r"\(([^()]*)\)", split["bracketed"]) if split else ())
    ]
    title = "".join((main, *(f" ({other})" for other in others)))
    names = (name for name in (title, main, *others) if name)
    return ParsedTitle(title, int(dated[1]) if dated else None, tuple(dict.fromkeys(names)))


def _article_first(name: str) -> str:
    split = _ARTICLE.match(name.strip())
    if not split:
        return name.strip()
    article = split["article"]
    return f"{article}{'' if article.endswith(chr(39)) else ' '}{split['rest']}"

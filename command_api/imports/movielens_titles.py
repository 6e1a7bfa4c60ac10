"""Which film does MovieLens mean by ``Usual Suspects, The (1995)``?"""

import re
from typing import NamedTuple

_YEAR = re.compile(r"\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*\Z")
_ASIDES = re.compile(r"\A(?P<head>.+?)(?P<asides>(?:\s*\([^()]*\))+)\Z")
_ALSO = re.compile(r"\A(?:a\.?k\.?a\.?|aka)\s+", re.IGNORECASE)
_ARTICLE = re.compile(
    r"\A(?P<rest>.+), (?P<article>The|An?|L'|Les?|La|Las|Los|El|Il|Lo|Gli|Un|Une|Una|Der|Die|Das"
    r"|Ein|Eine|Det|Den|De|Een)\Z"
)


class ParsedTitle(NamedTuple):
    """A title as people say it, its year, and every name under which it may be known."""

    title: str
    year: int | None
    names: tuple[str, ...]


def parse(text: str) -> ParsedTitle:
    """Articles go to the front; what stands in brackets at the end is another name."""
    dated = _YEAR.search(text)
    name = (text[: dated.start()] if dated else text).strip()
    split = _ASIDES.match(name)
    main = _article_first(split["head"] if split else name)
    others = [
        _article_first(_ALSO.sub("", aside.strip()))
        for aside in (re.findall(r"\(([^()]*)\)", split["asides"]) if split else ())
    ]
    title = "".join((main, *(f" ({other})" for other in others)))
    names = (name for name in (title, main, *others) if name)
    return ParsedTitle(title, int(dated[1]) if dated else None, tuple(dict.fromkeys(names)))


def _article_first(name: str) -> str:
    found = _ARTICLE.match(name.strip())
    if not found:
        return name.strip()
    article = found["article"]
    return f"{article}{'' if article.endswith(chr(39)) else ' '}{found['rest']}"

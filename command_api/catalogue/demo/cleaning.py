"""Cleaning of titles and casts: removes what Wikipedia's tables leave in them.

That is style sheets, markup, footnotes, notes and articles at the end of titles; signs, labels
("Voices of"), notes ("(narrator)", "nominee)"), awards, writers and subjects of documentaries in
casts. Cleaning what is clean changes nothing.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence

from command_api.catalogue import title_keys
from command_api.catalogue.articles import article_first

_MARKUP = re.compile(r"[\[\]{}<>&\u2044]|''")
"""A sign of any of the following, so that plain texts are recognised at once."""
_STYLE = re.compile(r"\.mw-parser-output\b[^{}]*\{[^{}]*\}")
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->")
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
_EMPHASIS = re.compile(r"'{2,}")
_FOOTNOTE = re.compile(
    r"\s*\[(?:\d{1,3}|[a-z]{1,3}|(?:note|nb|n|N) ?\d{1,3}|[a-z ]+ needed)\]", re.ASCII
)
_FRACTION = re.compile(r"(?<=\d)[+\s]+(\d{1,2}\u2044\d{1,2})(?!\d)")
_FRACTIONS = {unicodedata.normalize("NFKC", sign): sign for sign in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}

_PAGE_KIND = re.compile(r"\s*\((?:\d{4} )?(?:film|serial|TV special)\)\Z")
"""What Wikipedia adds to the name of a page to distinguish it from others."""
_TITLE_NOTE = re.compile(
    r"(?<=\S)\s+(?:aka\s.+"
    r"|\((?:UK as .+|Tom and Jerry|re-release|[A-Z][a-z]+ theatrical release)\))\Z"
)
"""Other titles, editions and series."""

_NOTE = re.compile(r"(.*\S)\s*\(([^()]*)\)\Z")
_NO_ACTOR = re.compile(
    r"writ|sc[rp]\w*play|screenp|story|teleplay|novel|book|produc|direct|music", re.IGNORECASE
)
_CONJUNCTION = re.compile(r"\A(?:and|with|&)\s+")
_LABEL = re.compile(
    r"(?:\A|.*\s)(?:of|with|on|at|in|from|within|against|for|to|a|an|[Bb]y|[Tt]he)\Z"
    r"|\A(?:Dir\.:.*|Cast:|Starring:?|Narrator:?|Voices:?)\Z"
)
_AWARD = re.compile(
    r"\A(?:(?:Academy|Golden Globe|BAFTA) Award\b|Best (?:Supporting )?(?:Actor|Actress)\Z)"
)
_BEFORE_A_NAME = " .,;:*-"
_GENERATION = re.compile(r",? (Jr|Sr)\.?\Z")
_STRAIGHT_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")
_FULL_STOP = re.compile(r"(?<=[a-z])(?<![JS]r)\.\Z")
_SECOND_PARTS = {"Jr.": " ", "Sr.": " ", "Stills & Nash": ", "}
"""Parts of one name that was split at its comma, and what joins them to the part before."""
_REPAIRED = {"Anahi de Crdenas": "Anahi de C\u00e1rdenas"}
_NOT_PEOPLE = frozenset(
    {
        *("1972 Summer Olympics", "Action", "Active Duty Navy SEALs", "Apartheid", "GNU", "Linux"),
        *("Big Brothers Big Sisters of America", "Brenton Butler case", "Britain's Got Talent"),
        *("Columbine High School massacre", "Dragon Tales", "Franny's Feet", "Hip hop music"),
        *("Holocaust", "Hormel Foods", "MotoGP", "Operation Babylift", "Scottsboro Boys"),
        *("Scripps National Spelling Bee", "Skateboarding", "South Africa"),
        *("South Africa under apartheid", "The life of Jonathan Caouette", "The Miracle Kid"),
        *("The Pool of Flame", "The Trans Continental Pop Festival", "Unknown", "V-Day"),
        *("Truth and Reconciliation Commission", "Various cameos"),
    }
)
"""Subjects of documentaries, titles and the like, as they stand in casts."""
_MOST_WORDS = 8
"""More are a description."""


def clean_title(title: str, year: int | None = None) -> str:
    """The title, article first, without markup, footnotes, notes and its page's name."""
    plain = _without_markup(title)
    shorter = _PAGE_KIND.sub("", plain).removesuffix(f"({year})").strip()
    return article_first(_TITLE_NOTE.sub("", shorter)) or plain or title


def clean_cast(names: Iterable[str]) -> tuple[str, ...]:
    """The names of people and groups, each once however it is spelled, in order."""
    cleaned: dict[str, str] = {}
    for name in filter(None, map(_clean_name, _joined(names))):
        cleaned.setdefault(title_keys.key(name), name)
    return tuple(cleaned.values())


def _joined(parts: Iterable[str]) -> Sequence[str]:
    names: list[str] = []
    for part in parts:
        if names and part in _SECOND_PARTS:
            names[-1] += f"{_SECOND_PARTS[part]}{part}"
        else:
            names.append(part)
    return names


def _without_markup(text: str) -> str:
    if _MARKUP.search(text):
        text = _TAG.sub("", _TEMPLATE.sub("", _STYLE.sub("", text)))
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
        text = _FOOTNOTE.sub("", _EMPHASIS.sub("", _LINK.sub(r"\1", text)))
        text = _FRACTION.sub(lambda found: _FRACTIONS.get(found[1], found[0]), text)
    if not text.isprintable():
        text = "".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(text.split())


def _clean_name(name: str) -> str | None:
    """The name without notes; None for what is no name of a cast."""
    plain = re.sub(r"[\[\]{}]", "", _without_markup(name))
    text = _CONJUNCTION.sub("", plain.lstrip(_BEFORE_A_NAME).rstrip(" ("))
    if note := _NOTE.match(text):
        text = "" if _NO_ACTOR.search(note[2]) else note[1]
    text = _FULL_STOP.sub("", _GENERATION.sub(r" \1.", text.translate(_STRAIGHT_QUOTES)))
    text = _REPAIRED.get(text, text)
    return text if _is_name(text) else None


def _is_name(text: str) -> bool:
    if not any(map(str.isalnum, text)) or text.count("(") != text.count(")"):
        return False
    if text in _NOT_PEOPLE:
        return False
    if text.startswith("(") or _LABEL.match(text) or _AWARD.match(text):
        return False
    words = text.split()
    # Stage names in small letters have a full stop (will.i.am) or a capital (muMs).
    is_phrase = words[0].islower() and "." not in words[0]
    return not is_phrase and len(words) <= _MOST_WORDS

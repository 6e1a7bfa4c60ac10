"""Enrichment of the demo catalogue: IMDb id, directors and prominence from films of Wikidata.

A line and a film match if each is the other's only candidate, by five rules in turn: equal titles
of one year; the same without articles and blanks; equal titles a year apart; the beginning or end
of the film's title, and the beginning of the movie's, of one year. The last three need a person in
common; the first two are doubted, and left out, if both casts are known and share nobody.

    prominence = 1 + 99 x log(1 + reviews + AWARD x awards) / the same of the best known film

rounded: as in any long tail, ten times the reviews add the same number of points each time.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log1p
from typing import NamedTuple

from command_api.catalogue import title_keys
from command_api.catalogue.demo.lines import CatalogueLine

AWARD = 25
"""An award counts as so many reviews."""
MOST_PROMINENT = 100
MOST_DIRECTORS = 10
ENRICHED = ("directors", "prominence", "external_ids")
"""The fields that are added to a line."""


class SourceFilm(NamedTuple):
    """A film as the source knows it."""

    title: str
    year: int
    imdb_id: str
    directors: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    reviews: int = 0
    awards: int = 0


class _Rule(NamedTuple):
    name: str
    titles_of: Callable[[str], Iterable[str]]
    key: Callable[[str], str]
    years_apart: Sequence[int]
    needs_people: bool
    titles_of_line: Callable[[str], Iterable[str]] = lambda title: (title,)


@dataclass
class MatchReport:
    """Films by line id; how many each rule matched; what was left out, a text each."""

    films: dict[int, SourceFilm] = field(default_factory=dict)
    by_rule: Counter[str] = field(default_factory=Counter)
    doubtful: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    unmatched: int = 0


def match(lines: Sequence[CatalogueLine], films: Iterable[SourceFilm]) -> MatchReport:
    """Match each film to the only line that it can be."""
    report = MatchReport()
    left = list(_first_versions(films))
    for rule in _RULES:
        left = _match_by(rule, lines, left, report)
    report.unmatched = len(left)
    return report


def _first_versions(films: Iterable[SourceFilm]) -> Iterable[SourceFilm]:
    """The earliest film of each IMDb id: a later one is another cut of it."""
    latest_first = sorted(films, key=lambda film: (film.imdb_id, -film.year))
    return {film.imdb_id: film for film in latest_first}.values()


def _match_by(
    rule: _Rule, lines: Sequence[CatalogueLine], films: Sequence[SourceFilm], report: MatchReport
) -> list[SourceFilm]:
    """Match by one rule; the films without a candidate."""
    by_title: defaultdict[tuple[str, int], list[CatalogueLine]] = defaultdict(list)
    for line in lines:
        if line["id"] not in report.films:
            for key in dict.fromkeys(map(rule.key, rule.titles_of_line(line["title"]))):
                by_title[key, line["year"]].append(line)
    candidates = [(film, _candidates(rule, film, by_title)) for film in films]
    claims = Counter(line["id"] for _, some in candidates for line in some)
    left = []
    for film, some in candidates:
        if rule.needs_people:
            some = [line for line in some if _share_people(line, film)]  # noqa: PLW2901 - narrowed
        if not some:
            left.append(film)
        elif len(some) > 1 or claims[some[0]["id"]] > 1:
            report.ambiguous.append(f"{_name(film)}: movie {_ids(some)}")
        elif _contradict(some[0], film):
            report.doubtful.append(f"{_name(film)}: movie {_ids(some)} has another cast")
        else:
            report.films[some[0]["id"]] = film
            report.by_rule[rule.name] += 1
    return left


def _candidates(
    rule: _Rule, film: SourceFilm, by_title: Mapping[tuple[str, int], Sequence[CatalogueLine]]
) -> list[CatalogueLine]:
    keys = dict.fromkeys(rule.key(title) for title in rule.titles_of(film.title))
    years = [film.year + apart for apart in rule.years_apart]
    return [line for key in keys for year in years for line in by_title.get((key, year), ())]


def _whole(title: str) -> Sequence[str]:
    return (title,)


def _parts(title: str) -> Sequence[str]:
    """ "Star Wars" and "The Empire Strikes Back" of "Star Wars: Episode V - The Empire ..."."""
    return title.partition(": ")[0], title.replace(" \u2013 ", ": ").rpartition(": ")[2]


def _beginnings(title: str) -> Sequence[str]:
    """ "Birdman" of "Birdman or (The Unexpected Virtue of Ignorance)"."""
    return [part for mark in (" or ", " (", "! ", ": ") if (part := title.partition(mark)[0])]


_RULES = (
    _Rule("title and year", _whole, title_keys.key, (0,), needs_people=False),
    _Rule("title without article, and year", _whole, title_keys.loose, (0,), needs_people=False),
    _Rule("title a year apart, and people", _whole, title_keys.key, (-1, 1), needs_people=True),
    _Rule("part of the title, year and people", _parts, title_keys.key, (0,), needs_people=True),
    _Rule(
        "beginning of the movie's title, year and people",
        _whole,
        title_keys.key,
        (0,),
        needs_people=True,
        titles_of_line=_beginnings,
    ),
)


def _people(names: Iterable[str]) -> set[str]:
    return set(map(title_keys.key, names))


def _share_people(line: CatalogueLine, film: SourceFilm) -> bool:
    return not _people(line["cast"]).isdisjoint(_people((*film.cast, *film.directors)))


def _contradict(line: CatalogueLine, film: SourceFilm) -> bool:
    return bool(line["cast"] and film.cast) and not _share_people(line, film)


def _name(film: SourceFilm) -> str:
    return f"{film.title} ({film.year}), {film.imdb_id}"


def _ids(lines: Iterable[CatalogueLine]) -> str:
    return " or ".join(str(line["id"]) for line in lines)


def enrich(lines: Sequence[CatalogueLine], films: Mapping[int, SourceFilm]) -> None:
    """Replace the enriched fields of all lines."""
    most = max((_standing(film) for film in films.values()), default=0.0) or 1.0
    for line in lines:
        for name in ENRICHED:
            line.pop(name, None)
        if film := films.get(line["id"]):
            if film.directors:
                line["directors"] = list(film.directors[:MOST_DIRECTORS])
            line["prominence"] = 1 + round((MOST_PROMINENT - 1) * _standing(film) / most)
            line["external_ids"] = {"imdb": film.imdb_id}


def _standing(film: SourceFilm) -> float:
    return log1p(film.reviews + AWARD * film.awards)

"""How is what someone typed asked of the index?

Every word must be found in the title, among the cast or as the year: as it is, as the beginning of
a longer word (the last one) or with a typo; of more than three words one in five may miss. The
title itself comes first, what many people rated a little before what few did.
"""

from itertools import zip_longest
from typing import Any, Literal, TypeAlias

import msgspec

from projectors.search.highlight import marked
from projectors.search.words import Word, folded, joined, runs, without_article

Sort: TypeAlias = Literal["relevance", "popularity", "score", "year"]
After: TypeAlias = tuple[int | float, ...]

_MOST_WORDS = 16
_LONGEST_WORD = 64
_YEAR_LENGTH = 4
_DECADE = 10
_MOST_GENRES = 100
_LAST_YEAR = {"year": {"order": "desc", "missing": "_last"}}
_KEYS: dict[Sort, list[Any]] = {
    "relevance": [{"_score": "desc"}, {"id": "asc"}],
    "popularity": [{"votes": "desc"}, {"average": "desc"}, {"id": "asc"}],
    "score": [{"average": "desc"}, {"votes": "desc"}, {"id": "asc"}],
    "year": [_LAST_YEAR, {"votes": "desc"}, {"id": "asc"}],
}


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for. Without ``q`` everything fits, and relevance means popularity."""

    q: str = ""
    genres: tuple[str, ...] = ()
    """All of them must fit; names as in the catalogue."""
    year_from: int | None = None
    year_to: int | None = None
    min_score: float | None = None
    """Of the community's average; movies without ratings then don't fit."""
    person: str | None = None
    """A whole name from the cast; accents and case don't matter."""
    sort: Sort = "relevance"
    limit: int = 20
    after: After | None = None
    """``next`` of the page before, for the same query."""


class Hit(msgspec.Struct, frozen=True):
    """A movie that fits, and its title as HTML with what was looked for in <em>."""

    id: int
    highlight: str


class Count(msgspec.Struct, frozen=True):
    """How many of all that fit, not only of this page, have something in common."""

    value: str
    count: int


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what fits; ``next`` is None behind the last one."""

    items: tuple[Hit, ...]
    total: int
    genres: tuple[Count, ...]
    decades: tuple[Count, ...]
    next: After | None


def body(asked: SearchQuery) -> dict[str, Any]:
    """The request to the index; one more than a page, to know whether there is a next."""
    asking: dict[str, Any] = {
        "size": asked.limit + 1,
        "track_total_hits": True,
        "_source": ["title"],
        "query": {"bool": {"must": [_text(asked.q)], "filter": _filters(asked)}},
        "sort": _KEYS[_sort(asked)],
        "aggs": {
            "genres": {"terms": {"field": "genres", "size": _MOST_GENRES}},
            "decades": {"histogram": {"field": "year", "interval": _DECADE, "min_doc_count": 1}},
        },
    }
    if asked.after is not None:
        asking["search_after"] = list(asked.after)
    return asking


def hits(answer: dict[str, Any], asked: SearchQuery) -> Hits:
    """The page that the index answered with."""
    found = answer["hits"]["hits"]
    page = found[: asked.limit]
    facets = answer["aggregations"]
    return Hits(
        items=tuple(Hit(int(hit["_id"]), marked(hit["_source"]["title"], asked.q)) for hit in page),
        total=answer["hits"]["total"]["value"],
        genres=tuple(
            Count(bucket["key"], bucket["doc_count"]) for bucket in facets["genres"]["buckets"]
        ),
        decades=tuple(
            Count(f"{int(bucket['key'])}s", bucket["doc_count"])
            for bucket in facets["decades"]["buckets"]
        ),
        next=tuple(page[-1]["sort"]) if len(found) > asked.limit else None,
    )


def _sort(asked: SearchQuery) -> Sort:
    if asked.sort == "relevance" and not asked.q.strip():
        return "popularity"
    return asked.sort


def _filters(asked: SearchQuery) -> list[dict[str, Any]]:
    years = {"gte": asked.year_from, "lte": asked.year_to}
    filters: list[dict[str, Any]] = [{"term": {"genres": genre}} for genre in asked.genres]
    if set(years.values()) != {None}:
        filters.append(
            {"range": {"year": {k: year for k, year in years.items() if year is not None}}}
        )
    if asked.min_score is not None:
        filters.append({"range": {"average": {"gte": asked.min_score}}})
        filters.append({"range": {"votes": {"gt": 0}}})
    if asked.person is not None:
        filters.append({"term": {"people": folded(asked.person)}})
    return filters


def _text(q: str) -> dict[str, Any]:
    if not q.strip():
        return {"match_all": {}}
    groups = _bounded(runs(q))
    if not groups:
        return {"match_none": {}}
    typed = " ".join(word.folded for group in groups for word in group)
    found = {
        "bool": {
            "should": [
                _group(group, is_last=following is None)
                for group, following in zip_longest(groups, groups[1:])
            ],
            "minimum_should_match": "3<80%",
        }
    }
    spaced_otherwise = _constant({"term": {"whole": typed.replace(" ", "")}}, 80)
    fits = {"dis_max": {"queries": [found, spaced_otherwise]}}
    return _a_little_by_votes({"bool": {"must": [fits], "should": _whole_titles(typed)}})


def _bounded(groups: list[list[Word]]) -> list[list[Word]]:
    """What of an endless query is asked at all; an index refuses too many clauses."""
    kept: list[list[Word]] = []
    left = _MOST_WORDS
    for group in groups:
        short = [word for word in group if len(word.folded) <= _LONGEST_WORD][:left]
        if short:
            kept.append(short)
            left -= len(short)
    return kept


def _whole_titles(typed: str) -> list[dict[str, Any]]:
    """The title itself, before all that merely has the words; with its year, too."""
    shoulds = [_exactly(typed, boost=100)]
    title, _, last = typed.rpartition(" ")
    if title and _is_year(last):
        in_year = {"term": {"year": int(last)}}
        shoulds.append({"bool": {"must": [_exactly(title, boost=120)], "filter": [in_year]}})
    if len(typed) <= _LONGEST_WORD:
        nearly = {"value": typed, "fuzziness": "AUTO", "prefix_length": 1}
        shoulds.append(_constant({"fuzzy": {"exact": nearly}}, 8))
    shoulds.append(_constant({"prefix": {"exact": typed}}, 5))
    shoulds.append({"match_phrase": {"words": {"query": typed, "boost": 2}}})
    return shoulds


def _exactly(title: str, *, boost: int) -> dict[str, Any]:
    return {
        "dis_max": {
            "queries": [
                _constant({"term": {"exact": title}}, boost),
                _constant({"term": {"bare": without_article(title)}}, boost * 0.6),
            ]
        }
    }


def _group(group: list[Word], *, is_last: bool) -> dict[str, Any]:
    """What is written without a space, in pieces or as one."""
    *others, end = group
    pieces = [_word(word.folded, is_last=False) for word in others]
    pieces.append(_word(end.folded, is_last=is_last))
    if not others:
        return pieces[0]
    one = joined(group)
    as_one = [_term("words", one, 4), _term("compounds", one, 4)]
    return {"dis_max": {"queries": [{"bool": {"must": pieces}}, *as_one]}}


def _word(word: str, *, is_last: bool) -> dict[str, Any]:
    queries = [
        _term("words", word, 4),
        _term("compounds", word, 3),
        _term("cast", word, 2),
        _typo("words", word, 1),
        _typo("cast", word, 0.5),
    ]
    if is_last:
        queries += [
            _constant({"prefix": {"words": word}}, 3),
            _constant({"prefix": {"compounds": word}}, 2),
            _constant({"prefix": {"cast": word}}, 1),
        ]
    if _is_year(word):
        queries.append(_constant({"term": {"year": int(word)}}, 10))
    return {"dis_max": {"queries": queries}}


def _term(field: str, word: str, boost: float) -> dict[str, Any]:
    return {"term": {field: {"value": word, "boost": boost}}}


def _typo(field: str, word: str, boost: float) -> dict[str, Any]:
    typo = {"query": word, "fuzziness": "AUTO", "prefix_length": 1, "boost": boost}
    return {"match": {field: typo}}


def _constant(condition: dict[str, Any], boost: float) -> dict[str, Any]:
    return {"constant_score": {"filter": condition, "boost": boost}}


def _is_year(word: str) -> bool:
    return len(word) == _YEAR_LENGTH and word.isascii() and word.isdecimal()


def _a_little_by_votes(condition: dict[str, Any]) -> dict[str, Any]:
    """Ten times the votes are worth one, beside tens for a rare word."""
    votes = {"field": "votes", "modifier": "log1p", "missing": 0}
    return {
        "function_score": {
            "query": condition,
            "functions": [{"field_value_factor": votes}],
            "boost_mode": "sum",
        }
    }

"""Elasticsearch query: request body of a search, and its hits."""

from collections.abc import Sequence
from typing import Any

from projectors.read_models.search import boosts
from projectors.read_models.search.highlight import highlight
from projectors.read_models.search.query import FacetCount, Hit, Hits, SearchQuery, SearchSort
from projectors.read_models.search.query_parser import (
    LONGEST_WORD,
    ParsedQuery,
    WordGroup,
    max_typos,
    parse,
    year_of,
)
from projectors.read_models.search.text_normalisation import fold, without_article

SEARCHABLE = {"exists": {"field": "votes"}}
"""Matches all movies but withdrawn ones, whose documents are tombstones without votes."""
_DECADE = 10
_MOST_GENRES = 100
_LAST_YEAR = {"year": {"order": "desc", "missing": "_last"}}
# An index that an earlier version made, and that answers until it is rebuilt, lacks the field.
_PROMINENT_FIRST = {"prominence": {"order": "desc", "missing": 0, "unmapped_type": "integer"}}
_KEYS: dict[SearchSort, list[Any]] = {
    "relevance": [{"_score": "desc"}, {"id": "asc"}],
    "popularity": [{"votes": "desc"}, {"average": "desc"}, _PROMINENT_FIRST, {"id": "asc"}],
    "score": [{"average": "desc"}, {"votes": "desc"}, _PROMINENT_FIRST, {"id": "asc"}],
    "year": [_LAST_YEAR, {"votes": "desc"}, _PROMINENT_FIRST, {"id": "asc"}],
}


def body(search_query: SearchQuery) -> dict[str, Any]:
    """Build the request; it asks for one hit beyond the page, to know whether there are more."""
    request: dict[str, Any] = {
        "size": search_query.limit + 1,
        "track_total_hits": True,
        "_source": ["title"],
        "query": {
            "bool": {
                "must": [_text(search_query.q)],
                "filter": [SEARCHABLE, *_filters(search_query)],
            }
        },
        "sort": _KEYS[search_query.order],
        "aggs": {
            "genres": {"terms": {"field": "genres", "size": _MOST_GENRES}},
            "decades": {"histogram": {"field": "year", "interval": _DECADE, "min_doc_count": 1}},
        },
    }
    if search_query.after is not None:
        request["search_after"] = list(search_query.after)
    return request


def hits(answer: dict[str, Any], search_query: SearchQuery) -> Hits:
    raw_hits = answer["hits"]["hits"]
    page = raw_hits[: search_query.limit]
    facets = answer["aggregations"]
    return Hits(
        items=tuple(
            Hit(int(hit["_id"]), highlight(hit["_source"]["title"], search_query.q)) for hit in page
        ),
        total=answer["hits"]["total"]["value"],
        genres=tuple(
            FacetCount(bucket["key"], bucket["doc_count"]) for bucket in facets["genres"]["buckets"]
        ),
        decades=tuple(
            FacetCount(f"{int(bucket['key'])}s", bucket["doc_count"])
            for bucket in facets["decades"]["buckets"]
        ),
        next=tuple(page[-1]["sort"]) if len(raw_hits) > search_query.limit else None,
    )


def _filters(search_query: SearchQuery) -> list[dict[str, Any]]:
    years = {"gte": search_query.year_from, "lte": search_query.year_to}
    filters: list[dict[str, Any]] = [{"term": {"genres": genre}} for genre in search_query.genres]
    if set(years.values()) != {None}:
        filters.append(
            {"range": {"year": {k: year for k, year in years.items() if year is not None}}}
        )
    if search_query.min_score is not None:
        filters.append({"range": {"average": {"gte": search_query.min_score}}})
        filters.append({"range": {"votes": {"gt": 0}}})
    if search_query.person is not None:
        filters.append({"term": {"people": fold(search_query.person)}})
    return filters


def _text(q: str) -> dict[str, Any]:
    if not q.strip():
        return {"match_all": {}}
    typed = parse(q)
    if not typed.groups:
        return {"match_none": {}}
    words_match = {
        "bool": {
            "should": [_group(group) for group in typed.groups],
            "minimum_should_match": typed.minimum_matches,
        }
    }
    other_spacing = _constant(
        {"term": {"whole": typed.text.replace(" ", "")}}, boosts.OTHER_SPACING
    )
    fits = {"dis_max": {"queries": [words_match, other_spacing]}}
    return _a_little_by_popularity({"bool": {"must": [fits], "should": _whole_titles(typed)}})


def _whole_titles(typed: ParsedQuery) -> list[dict[str, Any]]:
    """Clauses that rank an exact title first; also with its year."""
    text = typed.text
    shoulds = [_exactly(text, boosts.TITLE)]
    if typed.title_and_year:
        title, year = typed.title_and_year
        in_year = {"term": {"year": year}}
        shoulds.append(
            {"bool": {"must": [_exactly(title, boosts.TITLE_IN_YEAR)], "filter": [in_year]}}
        )
    if len(text) <= LONGEST_WORD and (typos := max_typos(text)):
        nearly = {"fuzzy": {"exact": _nearly(text, typos)}}
        shoulds.append(_constant(nearly, boosts.TITLE_WITH_TYPOS))
    shoulds.append(_constant({"prefix": {"exact": text}}, boosts.TITLE_PREFIX))
    shoulds.append({"match_phrase": {"words": {"query": text, "boost": boosts.PHRASE}}})
    return shoulds


def _exactly(title: str, weight: float) -> dict[str, Any]:
    return {
        "dis_max": {
            "queries": [
                _constant({"term": {"exact": title}}, weight),
                _constant(
                    {"term": {"bare": without_article(title)}}, weight * boosts.WITHOUT_ARTICLE
                ),
            ]
        }
    }


def _group(group: WordGroup) -> dict[str, Any]:
    """A word group, in pieces or as one word; scores a constant for matching at all."""
    *others, end = group.words
    pieces = [_word(word, is_last=False) for word in others]
    pieces.append(_word(end, is_last=group.is_last))
    as_one = [_term(field, group.joined, 4) for field in ("words", "compounds")]
    ways = [{"bool": {"must": pieces}}, *as_one] if others else pieces
    there = {"match_all": {"boost": boosts.WORD_FOUND}}
    return {"bool": {"must": [{"dis_max": {"queries": ways}}, there]}}


def _word(word: str, *, is_last: bool) -> dict[str, Any]:
    ways = [_term(field, word, boost) for field, boost in boosts.EXACT_WORD.items()]
    ways.append(_constant({"term": {"cast": word}}, boosts.CAST_WORD))
    for field, by_typos in boosts.TYPOS.items():
        ways += _typos(field, word, by_typos)
    if is_last:
        ways += [
            _constant({"prefix": {field: word}}, weight) for field, weight in boosts.PREFIX.items()
        ]
    if (year := year_of(word)) is not None:
        ways.append(_constant({"term": {"year": year}}, boosts.YEAR))
    return {"dis_max": {"queries": ways}}


def _term(field: str, word: str, boost: float) -> dict[str, Any]:
    return {"term": {field: {"value": word, "boost": boost}}}


def _typos(field: str, word: str, by_typos: Sequence[float]) -> list[dict[str, Any]]:
    """With one wrong letter, and with two."""
    return [
        _constant({"fuzzy": {field: _nearly(word, typos)}}, weight)
        for typos, weight in enumerate(by_typos[: max_typos(word)], start=1)
    ]


def _nearly(text: str, typos: int) -> dict[str, Any]:
    return {"value": text, "fuzziness": typos, "prefix_length": 1}


def _constant(condition: dict[str, Any], boost: float) -> dict[str, Any]:
    return {"constant_score": {"filter": condition, "boost": boost}}


def _a_little_by_popularity(condition: dict[str, Any]) -> dict[str, Any]:
    """Add log10 of the votes, and without votes some prominence.

    Ten times the votes score one more, beside tens for a rare word.
    """
    votes = {"field": "votes", "modifier": "log1p", "missing": 0}
    prominence = {"field": "prominence", "factor": boosts.PROMINENCE, "missing": 0}
    is_unrated = {"range": {"votes": {"lte": 0}}}
    return {
        "function_score": {
            "query": condition,
            "functions": [
                {"field_value_factor": votes},
                {"filter": is_unrated, "field_value_factor": prominence},
            ],
            "score_mode": "sum",
            "boost_mode": "sum",
        }
    }

"""tantivy query of a search: the same clauses and boosts as on Elasticsearch.

tantivy's BM25 is 2.2 times Lucene's, which leaves out a constant factor.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from tantivy import FieldType, Occur, Query

from projectors.read_models.search import boosts
from projectors.read_models.search.on_tantivy.schema import SCHEMA, guard_first_letters
from projectors.read_models.search.query import SearchQuery
from projectors.read_models.search.query_parser import (
    LONGEST_WORD,
    ParsedQuery,
    WordGroup,
    max_typos,
    parse,
    year_of,
)
from projectors.read_models.search.text_normalisation import fold, without_article

Bound: TypeAlias = int | float | None

_BM25 = 1 / 2.2

SEARCHABLE = Query.exists_query("votes")
"""Matches all movies but withdrawn ones, and not the document with the index's identity."""


def build(search_query: SearchQuery) -> Query:
    return _all(_text(search_query.q), *_filters(search_query))


def _filters(search_query: SearchQuery) -> Iterable[Query]:
    for genre in search_query.genres:
        yield _constant(_is("genres", genre), 0)
    if search_query.year_from is not None or search_query.year_to is not None:
        yield _between("year", FieldType.Integer, search_query.year_from, search_query.year_to)
    if search_query.min_score is not None:
        yield _between("average", FieldType.Float, float(search_query.min_score), None)
        yield _between("votes", FieldType.Integer, 1, None)
    if search_query.person is not None:
        yield _constant(_is("people", fold(search_query.person)), 0)


def _text(q: str) -> Query:
    if not q.strip():
        return _constant(SEARCHABLE, 0)
    typed = parse(q)
    if not typed.groups:
        return Query.empty_query()
    words_match = Query.boolean_query(
        [(Occur.Should, _group(group)) for group in typed.groups],
        minimum_number_should_match=typed.minimum_matches,
    )
    other_spacing = _constant(_is("whole", typed.text.replace(" ", "")), boosts.OTHER_SPACING)
    fits = _best(words_match, other_spacing)
    return Query.boolean_query(
        [(Occur.Must, fits), *((Occur.Should, title) for title in _whole_titles(typed))]
    )


def _whole_titles(typed: ParsedQuery) -> Iterable[Query]:
    """Clauses that rank an exact title first; also with its year."""
    text = typed.text
    yield _exactly(text, boosts.TITLE)
    if typed.title_and_year:
        title, year = typed.title_and_year
        yield _all(_exactly(title, boosts.TITLE_IN_YEAR), _constant(_is("year", year), 0))
    if len(text) <= LONGEST_WORD and (typos := max_typos(text)):
        nearly = Query.fuzzy_term_query(SCHEMA, "exact", text, distance=typos)
        yield _constant(nearly, boosts.TITLE_WITH_TYPOS)
    yield _constant(_begins("exact", text), boosts.TITLE_PREFIX)
    if len(words := text.split()) > 1:
        yield Query.boost_query(
            Query.phrase_query(SCHEMA, "words", [*words]), boosts.PHRASE * _BM25
        )


def _exactly(title: str, weight: float) -> Query:
    return _best(
        _constant(_is("exact", title), weight),
        _constant(_is("bare", without_article(title)), weight * boosts.WITHOUT_ARTICLE),
    )


def _group(group: WordGroup) -> Query:
    """A word group, in pieces or as one word; scores a constant for matching at all."""
    *others, end = group.words
    pieces = [_word(word, is_last=False) for word in others]
    pieces.append(_word(end, is_last=group.is_last))
    as_one = [_term(field, group.joined, 4) for field in ("words", "compounds")]
    ways = [_all(*pieces), *as_one] if others else pieces
    return _all(_best(*ways), _constant(Query.all_query(), boosts.WORD_FOUND))


def _word(word: str, *, is_last: bool) -> Query:
    ways = [_term(field, word, boost) for field, boost in boosts.EXACT_WORD.items()]
    ways.append(_constant(_is("cast", word), boosts.CAST_WORD))
    for field, by_typos in boosts.TYPOS.items():
        ways += _typos(f"{field}_typed", word, by_typos)
    if is_last:
        ways += [_constant(_begins(field, word), weight) for field, weight in boosts.PREFIX.items()]
    if (year := year_of(word)) is not None:
        ways.append(_constant(_is("year", year), boosts.YEAR))
    return _best(*ways)


def _term(field: str, word: str, boost: float) -> Query:
    return Query.boost_query(_is(field, word), boost * _BM25)


def _typos(field: str, word: str, by_typos: Sequence[float]) -> list[Query]:
    """With one wrong letter, and with two."""
    guarded = guard_first_letters(word)
    return [
        _constant(Query.fuzzy_term_query(SCHEMA, field, guarded, distance=typos), weight)
        for typos, weight in enumerate(by_typos[: max_typos(word)], start=1)
    ]


def _begins(field: str, word: str) -> Query:
    """Prefix match. A phrase prefix query would expand to the first 50 words only."""
    return Query.fuzzy_term_query(SCHEMA, field, word, distance=0, prefix=True)


def _is(field: str, value: str | int) -> Query:
    return Query.term_query(SCHEMA, field, value)


def _between(field: str, kind: FieldType, lowest: Bound, highest: Bound) -> Query:
    return _constant(Query.range_query(SCHEMA, field, kind, lowest, highest), 0)


def _all(*queries: Query) -> Query:
    return Query.boolean_query([(Occur.Must, query) for query in queries])


def _best(*queries: Query) -> Query:
    return Query.disjunction_max_query(queries)


def _constant(query: Query, weight: float) -> Query:
    return Query.const_score_query(query, weight)

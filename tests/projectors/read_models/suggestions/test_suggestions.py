"""Suggestions: most popular titles of a prefix, typos, incremental updates."""

from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from events.catalogue import (
    MovieAdded,
    MovieDescribed,
    MovieRated,
    MovieRestored,
    MovieWithdrawn,
    RatingWithdrawn,
)
from projectors.read_models.suggestions import prefix_index as module
from projectors.read_models.suggestions.builder import SuggestionsBuilder
from projectors.read_models.suggestions.prefix_index import PrefixIndex
from projectors.read_models.suggestions.projection import RankedSuggestion, Suggestion
from projectors.read_models.suggestions.query_normalisation import (
    indexed_forms,
    matches,
    normalise_query,
)
from projectors.read_models.suggestions.read_model import LIST_SIZE, Suggestions
from projectors.read_models.suggestions.spelling import (
    MOST_SPELLINGS,
    SpellingIndex,
    entries_for,
    spellings,
    unpack,
)
from tests.fixtures import model_access
from tests.fixtures.recording import NOON

TITLES = {
    1: "The Godfather",
    2: "The Godfather Part II",
    3: "Amélie",
    4: "Spider-Man",
    5: "Good Will Hunting",
    6: "Schindler's List",
}


def rated(user, movie, previous=None):
    return MovieRated(user_id=user, movie_id=movie, score=9, previous=previous)


class World:
    """A log, the model that applies it, and its builder."""

    def __init__(self, redis, recording):
        self.suggestions = Suggestions(redis, 1)
        self.builder = SuggestionsBuilder(self.suggestions)
        self.recording = recording
        for movie, title in TITLES.items():
            self.apply_event(MovieAdded(movie_id=movie, title=title, year=1970 + movie))

    def apply_event(self, event):
        model_access.apply(self.suggestions, [self.recording.record(event)])

    def build(self):
        self.builder.build(NOON)
        assert self.builder.check(NOON) == []

    def ids(self, text):
        text = normalise_query(text)
        with self.suggestions.redis.pipeline(transaction=False) as pipe:
            self.suggestions.enqueue(pipe, text)
            [results] = pipe.execute()
        return [one.id for one in self.suggestions.read_suggestions(text, results)]


@pytest.fixture
def world(redis, recording):
    world = World(redis, recording)
    for movie in (1, 1, 1, 2):
        world.apply_event(rated(uuid4(), movie))
    world.build()
    return world


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("g", [1, 2, 5]),
        ("go", [1, 2, 5]),
        ("godf", [1, 2]),
        ("the godfather p", [2]),
        ("PART ii", [2]),
        ("amelie", [3]),
        ("Amélie", [3]),
        ("spider m", [4]),
        ("spiderm", [4]),
        ("man", [4]),
        ("schindlers l", [6]),
        ("godftaher", [1, 2]),
        ("gidfather", [1, 2]),
        ("gdfath", [1, 2]),
        ("goodfather par", [2]),
        ("aemlie", [3]),
        ("amlie", [3]),
        ("sipder m", [4]),
        ("spidder-man", [4]),
        ("schindlars l", [6]),
        ("schindlrs", [6]),
        ("god will", [5]),
        ("huntimg", [5]),
        ("gidfather part", [2]),
        ("xyzzy", []),
        ("go fish", []),
        ("!!!", []),
        ("", []),
    ],
)
def test_suggestions_match_typed_prefix(world, text, expected):
    assert world.ids(text) == expected


def test_suggestions_that_nobody_rated_rank_by_prominence(world):
    assert world.ids("s") == [6, 4]  # the newer first
    described = MovieDescribed(movie_id=4, title="Spider-Man", year=1974, prominence=70)
    world.apply_event(described)
    world.apply_event(MovieDescribed(movie_id=3, title="Salome", year=1976, prominence=90))
    world.build()
    assert world.ids("s") == [3, 4, 6]
    assert world.ids("slaome") == [3]
    world.apply_event(rated(uuid4(), 6))
    world.build()
    assert world.ids("s") == [6, 3, 4]  # one rating comes before any prominence


def test_typos_suggest_the_more_prominent_first(world):
    for movie, prominence in ((7, 10), (8, 80), (9, 0)):
        title = f"Xanadu {movie}"
        world.apply_event(MovieAdded(movie_id=movie, title=title, year=1980, prominence=prominence))
    world.build()
    assert world.ids("xandau") == [8, 7, 9]
    [first, *_] = world.suggestions.titles_of([8])
    assert first.shown() == Suggestion(8, "Xanadu 8", 1980)


def test_suggestions_rank_by_rating_count(world):
    user = uuid4()
    for movie in (5, 5, 5, 5):
        world.apply_event(rated(uuid4(), movie))
    world.apply_event(rated(user, 5))
    world.build()
    assert world.ids("go") == [5, 1, 2]
    world.apply_event(rated(user, 5, previous=9))
    world.apply_event(RatingWithdrawn(user_id=user, movie_id=5, previous=9))
    world.build()
    assert world.suggestions.all_rating_counts() == {1: 3, 2: 1, 5: 4}


def test_new_title_replaces_old_suggestions(world):
    world.apply_event(MovieDescribed(movie_id=1, title="Il padrino", year=None))
    world.build()
    assert world.ids("pad") == [1]
    assert world.ids("godf") == [2]


def test_redelivered_ratings_count_once(world):
    batch = [world.recording.record(rated(UUID(int=1), 5))]
    model_access.apply(world.suggestions, batch)
    model_access.apply(world.suggestions, batch)
    assert world.suggestions.rating_counts_of([5]) == {5: 1}


def test_suggestions_do_not_depend_on_partition_order(redis, recording):
    for movie, title in TITLES.items():
        recording.record(MovieAdded(movie_id=movie, title=title, year=1990))
    chance = Random(3)
    for _ in range(50):
        recording.record(rated(UUID(int=chance.getrandbits(64)), chance.choice(list(TITLES))))
    results = []
    partitions = recording.by_partition()
    for generation, order in enumerate((sorted(partitions), sorted(partitions, reverse=True))):
        suggestions = Suggestions(redis, generation)
        for partition in order:
            model_access.apply(suggestions, partitions[partition])
        SuggestionsBuilder(suggestions).build(NOON)
        results.append(redis.hgetall(suggestions.lists_key))
    assert results[0] == results[1]


def test_lost_suggestion_lists_are_rebuilt(world):
    world.suggestions.redis.delete(world.suggestions.lists_key)
    world.suggestions.redis.delete(world.suggestions.all.derived("looker"))
    world.build()
    assert world.ids("godf") == [1, 2]


def test_suggestions_builder_waits_for_incoming_catalogue(world):
    for movie in range(100, 400):
        world.apply_event(MovieAdded(movie_id=movie, title=f"Zulu {movie}", year=1964))
    world.builder.build(NOON)
    assert world.ids("zulu") == []
    world.build()
    assert world.ids("zulu") == list(range(100, 110))
    assert world.ids("zulu 39") == list(range(390, 400))


def test_check_reports_wrong_suggestions(world):
    world.suggestions.redis.hset(world.suggestions.lists_key, "g", "[]")
    assert world.builder.check(NOON) == ["the suggestions for 'g' are not the most popular"]


def test_title_has_its_indexed_forms():
    assert indexed_forms("Spider-Man 2") == ["spider man 2", "man 2", "2", "spiderman 2"]
    assert indexed_forms("!!!") == []


def known_beginnings(index, text):
    """What the entries for a typed text hold."""
    entries = [entry for entry in entries_for(text) if entry in index.entries]
    return [beginning for entry in entries for beginning in unpack(index.pack(entry))]


@given(st.text(alphabet="abcdefg", min_size=3, max_size=8), st.data())
def test_spellings_of_a_typo_include_the_word(word, data):
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcxyz"))
    slips = {
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    }
    index = SpellingIndex([word, "abcde", "gfedcba"])
    for slip in slips:
        if len(slip) >= 3 and not word.startswith(slip):  # a beginning of the word matches it
            assert word in spellings(slip, [word], known_beginnings(index, slip))


words = st.text(alphabet="abc", min_size=1, max_size=14)


@given(words, st.lists(words, max_size=200))
def test_word_has_at_most_32_spellings(word, known):
    index = SpellingIndex(known)
    found = spellings(f"{word} rest", known, known_beginnings(index, word))
    assert len(found) <= MOST_SPELLINGS == 32
    assert len(set(found)) == len(found)
    assert word not in {spelling.partition(" ")[0] for spelling in found}
    assert len(entries_for(word)) <= 5


def test_spellings_are_no_longer_than_the_indexed_text():
    text = normalise_query("gdfather " + "x" * 60)
    assert {len(spelling) for spelling in spellings(text, [], ["godfa"])} <= {39, 40}


def test_spelling_index_names_the_most_frequent_beginnings_first():
    index = SpellingIndex(["gold rush", "goldfinger", "god", "golden eye", "god", "gad"])
    assert unpack(index.pack("~gd")) == ["god", "gad"]
    assert unpack(index.pack("~go")) == ["gol", "god"]
    changed = index.add(["gad", "gad", "up"])
    assert changed == {"~ad", "~gd", "~ga"}
    assert unpack(index.pack("~gd")) == ["gad", "god"]


def test_most_popular_movie_of_each_spelling_comes_first(world):
    for movie, title in ((11, "Beat One"), (12, "Beat Two"), (13, "Boat One"), (14, "Boat Two")):
        world.apply_event(MovieAdded(movie_id=movie, title=title, year=2000))
    for movie in (12, 13, 13, 13):
        world.apply_event(rated(uuid4(), movie))
    world.build()
    world.build()
    assert world.ids("bxat") in ([12, 13, 11, 14], [13, 12, 14, 11])


def test_check_reports_wrong_spelling_entry(world):
    world.suggestions.redis.hset(world.suggestions.lists_key, "~gd", "gid")
    assert world.builder.check(NOON) == ["the entry '~gd' of the spelling index is wrong"]


def test_new_movie_joins_suggestions(world):
    world.apply_event(MovieAdded(movie_id=7, title="Goodfellas", year=1990))
    world.apply_event(rated(uuid4(), 7))
    prefix_index = world.builder._index
    world.build()
    assert world.builder._index is prefix_index  # updated in place, not rebuilt
    assert world.ids("good") == [7, 5]


titles = st.lists(st.text(alphabet="ab -", min_size=1, max_size=7), min_size=1, max_size=30)


@settings(deadline=None)
@given(titles, st.lists(st.dictionaries(st.integers(0, 29), st.integers(0, 5)), max_size=4))
@example(["a"] * 5, [{0: 3, 1: 2, 2: 2, 3: 2}, {1: 1, 4: 3, 2: 0}])  # two fall, one enters
def test_each_list_has_the_most_popular_matches(titles, steps):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LIST_SIZE", 3)
        suggestions = [RankedSuggestion(movie, title, 1990) for movie, title in enumerate(titles)]
        index = PrefixIndex(suggestions, {})
        people: dict[int, int] = {}
        for step in steps:
            more = {movie: count for movie, count in step.items() if movie < len(titles)}
            people |= more
            before = {name: list(movies) for name, movies in index.lists.items()}
            changed = index.update(more)
            assert changed == {n for n, movies in index.lists.items() if before[n] != movies}
        for beginning, movies in index.lists.items():
            meant = [one.id for one in suggestions if matches(one.title, beginning)]
            assert movies == sorted(meant, key=lambda movie: (-people.get(movie, 0), movie))[:3]
    assert LIST_SIZE == 10


@settings(deadline=None)
@given(
    titles, st.lists(titles, max_size=3), st.dictionaries(st.integers(0, 120), st.integers(0, 5))
)
def test_incremental_prefix_index_equals_full_build(first, more, people):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LIST_SIZE", 3)
        suggestions = [RankedSuggestion(movie, title, 1990) for movie, title in enumerate(first)]
        index = PrefixIndex(suggestions, people)
        for some in more:
            new = [
                RankedSuggestion(len(suggestions) + nth, title, 1990)
                for nth, title in enumerate(some)
            ]
            before = {name: list(movies) for name, movies in index.lists.items()}
            changed = index.add(new)
            suggestions += new
            assert changed is not None
            assert set(changed) >= {
                n for n, movies in index.lists.items() if before.get(n) != movies
            }
        assert index.lists == PrefixIndex(suggestions, people).lists
    assert PrefixIndex(suggestions, {}).add([RankedSuggestion(0, "another", 1990)]) is None


def test_withdrawn_movie_is_not_suggested_until_restored(world):
    assert world.ids("godf") == [1, 2]
    world.apply_event(MovieWithdrawn(movie_id=1, reason="a double"))
    world.build()
    assert world.ids("godf") == [2]
    world.apply_event(rated(uuid4(), 1))
    world.apply_event(MovieDescribed(movie_id=1, title="The Godfather", year=1972))
    world.build()
    assert world.ids("godf") == [2]
    world.apply_event(MovieRestored(movie_id=1))
    world.build()
    assert world.ids("godf") == [1, 2]

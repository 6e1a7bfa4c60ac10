"""Simulated ratings: deterministic and distributed as on movie sites."""

import json
from collections import Counter, defaultdict
from statistics import mean, median

import pytest
from django.core.management import CommandError

from command_api.imports.popular_titles import WELL_KNOWN
from command_api.imports.simulated_ratings import DAYS, SimulationMovie, person_id, simulate

GENRES = ("Comedy", "Drama", "Western", "Horror")
PEOPLE = 200
CLASSICS = sorted(WELL_KNOWN)[:20]


def movies():
    for nth in range(2000):
        title, year = CLASSICS[nth] if nth < len(CLASSICS) else (f"Movie {nth}", 1920 + nth % 100)
        genres = frozenset({GENRES[nth % 4], GENRES[nth // 4 % 4]})
        yield SimulationMovie(nth + 1, title, year, genres, [f"Star {nth % 50}", f"Extra {nth}"])


@pytest.fixture(scope="module")
def simulation():
    return list(simulate(list(movies()), PEOPLE))


def test_simulation_is_deterministic(simulation):
    assert simulation == list(simulate(list(movies()), PEOPLE))


def test_simulated_people_rate_movies_once_each(simulation):
    pairs = [(rating.user, rating.film) for rating in simulation]
    assert len(set(pairs)) == len(pairs)
    counts = Counter(user for user, _ in pairs)
    assert len(counts) == PEOPLE
    assert 10 <= median(counts.values()) <= 25


def test_simulated_scores_are_in_range_and_mostly_good(simulation):
    assert {rating.score for rating in simulation} <= set(range(1, 11))
    assert 6 < mean(rating.score for rating in simulation) < 8


def test_simulated_popularity_is_concentrated_on_well_known_movies(simulation):
    counts = Counter(rating.film for rating in simulation)
    ranked = [count for _, count in counts.most_common()]
    assert sum(ranked[: len(ranked) // 5]) > 0.4 * sum(ranked)
    top = {film for film, _ in counts.most_common(20)}
    assert len(top & set(range(1, len(CLASSICS) + 1))) > 10


def test_simulated_people_rate_prominent_movies_more():
    unknown = [movie for movie in movies() if movie.movie_id > len(CLASSICS)]
    prominent = {movie.movie_id for movie in unknown[::20]}
    some = [movie._replace(prominence=50 * (movie.movie_id in prominent)) for movie in unknown]
    counts = Counter(rating.film for rating in simulate(some, PEOPLE))
    top = {film for film, _ in counts.most_common(len(prominent))}
    assert len(top & prominent) > 0.6 * len(prominent)
    before = Counter(rating.film for rating in simulate(unknown, PEOPLE))
    assert len({film for film, _ in before.most_common(len(prominent))} & prominent) < 20


def test_simulated_people_prefer_genres(simulation):
    genres = {movie.movie_id: movie.genres for movie in movies()}
    of_user: dict[int, Counter[str]] = defaultdict(Counter)
    for rating in simulation:
        of_user[rating.user].update(genres[rating.film])
    shares = [
        genre_counts.most_common(1)[0][1] / genre_counts.total()
        for genre_counts in of_user.values()
    ]
    assert median(shares) > 0.3


def test_simulated_ratings_are_of_two_weeks_and_mostly_recent(simulation):
    assert all(-(DAYS + 1) * 86_400 <= rating.at < 0 for rating in simulation)
    lately = sum(rating.at > -DAYS * 86_400 / 2 for rating in simulation)
    assert lately > 0.6 * len(simulation)


def test_simulated_people_have_distinct_ids():
    assert len({person_id(nth) for nth in range(1000)}) == 1000


def test_repeated_simulation_appends_nothing(command, store, tmp_path):
    with pytest.raises(CommandError, match="no movies to rate"):
        command("simulate_community")
    lines = [{"id": nth, "title": f"Movie {nth}", "genres": ["Drama"]} for nth in range(1, 41)]
    path = tmp_path / "movies.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    command("import_catalogue", path)
    before = sum(store.heads())
    first = command("simulate_community", "--people", 5)
    added = sum(store.heads()) - before
    assert added > 0
    assert f"5 simulated people: {added} ratings" in first
    assert ": 0 ratings" in command("simulate_community", "--people", 5)
    assert sum(store.heads()) == before + added

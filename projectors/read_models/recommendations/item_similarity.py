"""Neighbour scores: item-based part of a recommendation, from the movies that a user liked last.

    score(movie) = WEIGHT x sum over the LATEST_LIKED movies, the k-th latest:
                   2^(-k / HALF_LIFE) x weight(score) x similarity

A sum, so the part of each liked movie is known exactly. Liked is a movie rated 8 at least, or a
favourite.
"""

from collections.abc import Mapping, Sequence

from projectors.read_models.similarity.types import Neighbour

WEIGHT = 1.5
LATEST_LIKED = 10
HALF_LIFE = 5.0


def neighbour_scores(
    latest: Sequence[int],
    weights: Mapping[int, float],
    neighbours: Mapping[int, Sequence[Neighbour]],
) -> dict[int, dict[int, float]]:
    """Return movie -> liked movie -> its part; ``latest`` is newest first."""
    found: dict[int, dict[int, float]] = {}
    for nth, liked in enumerate(latest[:LATEST_LIKED]):
        weight = WEIGHT * 2.0 ** (-nth / HALF_LIFE) * weights[liked]
        for neighbour in neighbours.get(liked, ()):
            found.setdefault(neighbour.movie, {})[liked] = weight * neighbour.score
    return found

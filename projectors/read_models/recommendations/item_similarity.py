"""What do the movies that someone liked last give to those that are like them?

    near(movie) = WEIGHT x sum over the LATEST liked movies, the k-th latest:
                  2^(-k / HALF_LIFE) x weight(score) x similarity

A sum, so what each liked movie gives to a score is known exactly. Liked is what was rated 8 at
least, or is a favourite.
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
    """Movie -> liked movie -> what it gives; ``latest`` begins with what was liked last."""
    found: dict[int, dict[int, float]] = {}
    for nth, liked in enumerate(latest[:LATEST_LIKED]):
        gives = WEIGHT * 2.0 ** (-nth / HALF_LIFE) * weights[liked]
        for neighbour in neighbours.get(liked, ()):
            found.setdefault(neighbour.movie, {})[liked] = gives * neighbour.score
    return found

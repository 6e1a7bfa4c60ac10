"""What must be there for questions to be answered?"""

from functools import partial

from infra import health
from infra.health import Need
from projectors.library.read_model import Library
from projectors.movies.read_model import Movies
from projectors.playlists.read_model import Playlists
from projectors.recommendations.read_model import Recommendations
from projectors.search import engines
from projectors.search.read_model import Search
from projectors.sessions.read_model import Sessions
from projectors.similarity.read_model import Similarity
from projectors.suggestions.read_model import Suggestions
from projectors.trending.read_model import Trending
from query_api.asking import live

ANSWERING = (
    Sessions,
    Movies,
    Library,
    Playlists,
    Similarity,
    Suggestions,
    Recommendations,
    Trending,
    Search,
)


def needs() -> dict[str, Need]:
    """The stores, and a live generation of each read model."""
    models: dict[str, Need] = {
        f"model {model.name}": partial(_is_live, model.name) for model in ANSWERING
    }
    return {"redis": health.redis, "search": engines.reach, **models}


def _is_live(name: str) -> None:
    live().generation(name)

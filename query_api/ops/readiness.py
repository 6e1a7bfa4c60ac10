"""What must be there for questions to be answered?"""

from functools import partial

from infra.http import health
from infra.http.health import Need
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.playlists.read_model import Playlists
from projectors.read_models.recommendations.read_model import Recommendations
from projectors.read_models.search import engine_factory
from projectors.read_models.search.read_model import Search
from projectors.read_models.sessions.read_model import SessionRevocations
from projectors.read_models.similarity.read_model import Similarity
from projectors.read_models.suggestions.read_model import Suggestions
from projectors.read_models.trending.read_model import Trending
from query_api.http.request import live

ANSWERING = (
    SessionRevocations,
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
    return {"redis": health.redis, "search": engine_factory.reach, **models}


def _is_live(name: str) -> None:
    live().generation(name)

"""On which engine does search run?"""

from infra import clients, health
from infra.config import config
from projectors.search.engine import Engine, IndexAway
from projectors.search.on_elasticsearch.index import ElasticsearchIndex


def of_generation(generation: int) -> Engine:
    """The index of a generation; names carry the number, and there are no aliases."""
    name = f"{config().namespace}-search-{generation}"
    match config().search:
        case "elasticsearch":
            return ElasticsearchIndex(clients.elasticsearch(), name)
        case "tantivy":
            from projectors.search.on_tantivy.index import (  # noqa: PLC0415 - only there with the extra
                TantivyIndex,
            )

            return TantivyIndex(config().search_dir / name)


def reach() -> None:
    """Raises when there is nothing that could search."""
    match config().search:
        case "elasticsearch":
            health.elasticsearch()
        case "tantivy":
            if not config().search_dir.is_dir():
                raise IndexAway(f"{config().search_dir} is not there")

"""Search engine of the configuration: Elasticsearch, or tantivy in a directory."""

from pathlib import Path

from infra import clients
from infra.config import config
from projectors.read_models.search.engine import IndexUnavailable, SearchEngine


def engine_of(generation: int) -> SearchEngine:
    """The index of a generation; names carry the number, and there are no aliases."""
    name = f"{config().namespace}-search-{generation}"
    match config().search:
        case "elasticsearch":
            return _on_server(name)
        case "tantivy":
            return _in_files(config().search_dir / name)


def reach() -> None:
    """Raise if the search engine can't be reached."""
    match config().search:
        case "elasticsearch":
            # Not info(): some distributions refuse that.
            clients.elasticsearch().options(request_timeout=2).cluster.health()
        case "tantivy":
            place = config().search_dir
            if not place.is_dir():
                raise IndexUnavailable(f"the search directory {place} does not exist")
            _in_files(place)  # imports it now rather than at the first search: 0.2 s


def _on_server(name: str) -> SearchEngine:
    from projectors.read_models.search.on_elasticsearch.index import ElasticsearchIndex  # noqa: PLC0415 - slow to import

    return ElasticsearchIndex(clients.elasticsearch(), name)


def _in_files(directory: Path) -> SearchEngine:
    from projectors.read_models.search.on_tantivy.index import TantivyIndex  # noqa: PLC0415 - only there with the extra

    return TantivyIndex(directory)

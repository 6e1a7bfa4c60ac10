"""Is the engine the one that the settings name?"""

import pytest

from infra.config import Config
from projectors.search import engines
from projectors.search.engine import IndexAway
from projectors.search.on_elasticsearch.index import ElasticsearchIndex
from projectors.search.on_tantivy.index import TantivyIndex


def test_a_server_unless_told_otherwise(monkeypatch):
    monkeypatch.setattr(engines, "config", lambda: Config(namespace="here"))
    index = engines.of_generation(3)
    assert isinstance(index, ElasticsearchIndex)
    assert index.name == "here-search-3"


def test_files(monkeypatch, tmp_path):
    place = tmp_path / "search"
    chosen = Config(namespace="here", search="tantivy", search_dir=place)
    monkeypatch.setattr(engines, "config", lambda: chosen)
    with pytest.raises(IndexAway, match="is not there"):
        engines.reach()
    index = engines.of_generation(3)
    assert isinstance(index, TantivyIndex)
    index.create()
    assert [path.name for path in place.iterdir()] == ["here-search-3"]
    engines.reach()

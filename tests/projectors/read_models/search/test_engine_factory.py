"""Engine factory: the engine that the settings name."""

import pytest

from infra.config import Config
from projectors.read_models.search import engine_factory
from projectors.read_models.search.engine import IndexUnavailable
from projectors.read_models.search.on_elasticsearch.index import ElasticsearchIndex
from projectors.read_models.search.on_tantivy.index import TantivyIndex


def test_default_engine_is_elasticsearch(monkeypatch):
    monkeypatch.setattr(engine_factory, "config", lambda: Config(namespace="here"))
    index = engine_factory.engine_of(3)
    assert isinstance(index, ElasticsearchIndex)
    assert index.name == "here-search-3"


def test_tantivy_engine_uses_its_directory(monkeypatch, tmp_path):
    directory = tmp_path / "search"
    chosen = Config(namespace="here", search="tantivy", search_dir=directory)
    monkeypatch.setattr(engine_factory, "config", lambda: chosen)
    with pytest.raises(IndexUnavailable, match="does not exist"):
        engine_factory.reach()
    index = engine_factory.engine_of(3)
    assert isinstance(index, TantivyIndex)
    index.create()
    assert [path.name for path in directory.iterdir()] == ["here-search-3"]
    engine_factory.reach()

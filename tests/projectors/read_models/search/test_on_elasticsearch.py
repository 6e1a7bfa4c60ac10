"""Elasticsearch index: loss, outage and faults of its server."""

import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from elasticsearch import ApiError, Elasticsearch

from projectors.read_models.search.builder import flush
from projectors.read_models.search.engine import IndexUnavailable
from projectors.read_models.search.on_elasticsearch.index import (
    ElasticsearchIndex,
    translating_errors,
)
from projectors.read_models.search.query import SearchQuery
from projectors.read_models.search.read_model import Search
from tests.contracts.search.conftest import Library

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def index(elasticsearch_url, namespace):
    with Elasticsearch(elasticsearch_url, request_timeout=60) as client:
        yield ElasticsearchIndex(client, f"{namespace}-search-1")


def test_flush_keeps_marks_while_server_is_away(index, redis):
    library = Library(Search(redis, 1, index=index))
    library.add("Alien")
    with Elasticsearch(NOWHERE, request_timeout=1, max_retries=0) as nowhere:
        lost = Search(redis, 1, index=ElasticsearchIndex(nowhere, index.name))
        with pytest.raises(IndexUnavailable):
            flush(lost)
        with pytest.raises(IndexUnavailable):
            lost.search(SearchQuery())
    assert library.found("alien") == ["<em>Alien</em>"]


def test_index_with_foreign_mapping_is_recreated(index, redis, elasticsearch_url):
    library = Library(Search(redis, 1, index=index))
    library.add("Alien")
    flush(library.search)
    index.drop()
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.create(index=index.name)  # as servers with auto-creation do
        client.index(index=index.name, id="1", document={"stray": 1})
    assert library.found("alien") == ["<em>Alien</em>"]
    assert index.get([1])[1][1]["title"] == "Alien"


def answer(status: int) -> ApiError:
    node = NodeConfig("http", "127.0.0.1", 9200)
    return ApiError("fault", ApiResponseMeta(status, "1.1", HttpHeaders(), 0.0, node), {})


@pytest.mark.parametrize("status", [404, 429, 500, 502, 503, 504])
def test_fault_that_passes_raises_index_unavailable(status):
    with pytest.raises(IndexUnavailable), translating_errors():
        raise answer(status)


@pytest.mark.parametrize("status", [400, 401, 403, 409])
def test_refusal_that_no_retry_mends_is_not_hidden(status):
    with pytest.raises(ApiError), translating_errors():
        raise answer(status)

"""Readiness of the query API: its stores, and a live generation of each read model."""

from functools import partial

from infra.http import health
from infra.http.health import ReadinessCheck
from projectors.read_models.search import engine_factory
from projectors.registry import MODELS
from query_api.http.request import live


def readiness_checks() -> dict[str, ReadinessCheck]:
    models: dict[str, ReadinessCheck] = {
        f"model {model.name}": partial(_is_live, model.name) for model in MODELS
    }
    return {"redis": health.redis, "search": engine_factory.reach, **models}


def _is_live(name: str) -> None:
    live().generation(name)

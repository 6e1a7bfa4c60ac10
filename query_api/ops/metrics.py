"""Metrics of the query API's read models."""

from math import nan
from time import time

from redis.exceptions import RedisError

from infra.observability import set_gauge
from projectors.registry import MODELS
from query_api.http.request import live


def refresh() -> None:
    """Set the age of every read model; NaN while Redis can't tell it."""
    for model in MODELS:
        try:
            level_at = live().level_at(model.name)
        except RedisError:
            set_gauge("marquee_model_age_seconds", nan, model=model.name)
            continue
        if level_at is not None:
            set_gauge("marquee_model_age_seconds", max(0.0, time() - level_at), model=model.name)

"""Metrics: labels have few values, whatever clients send."""

import pytest
from prometheus_client import REGISTRY

from infra.observability import logging_config, observe_response


def methods_counted(view: str) -> dict[str, float]:
    return {
        sample.labels["method"]: sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "marquee_http_requests_total" and sample.labels["view"] == view
    }


def test_made_up_methods_share_one_label():
    for number in range(400):
        observe_response("MadeUp", f"METHOD{number}", 405, 0.001)
    for odd in ("get", "", "GET\n", "\u0130", "PROPFIND"):
        observe_response("MadeUp", odd, 405, 0.001)
    assert methods_counted("MadeUp") == {"other": 405}


@pytest.mark.parametrize("name", ["django.request", "django.security.DisallowedHost"])
def test_refused_requests_are_not_logged(name):
    loggers = logging_config()["loggers"]
    [parent] = [each for each in loggers if name.startswith(each)]
    assert loggers[parent]["level"] == "CRITICAL"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_known_method_has_its_own_label(method):
    observe_response(f"Known{method}", method, 200, 0.001)
    assert methods_counted(f"Known{method}") == {method: 1}

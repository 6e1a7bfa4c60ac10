"""Problem details: the shape of every refusal and fault."""

import json
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.db import OperationalError
from django.http import Http404
from django.test import RequestFactory
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework import exceptions
from rest_framework.views import APIView

from infra import errors
from infra.http import problem_details
from infra.http.permissions import Anybody
from infra.http.problem_details import MAX_ERROR_LENGTH, MAX_ERRORS


def raising(fault):
    class View(APIView):
        permission_classes = (Anybody,)

        def get(self, request):
            raise fault

    return View.as_view()


def ask(fault, method="GET", **headers):
    request = RequestFactory().generic(method, "/v1/thing", headers=headers)
    request.resolver_match = None
    return raising(fault)(request)


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (errors.BadRequest("x"), 400, "bad-request"),
        (errors.Unauthenticated("x"), 401, "unauthenticated"),
        (errors.Forbidden("x"), 403, "forbidden"),
        (errors.NotFound("x"), 404, "not-found"),
        (errors.Conflict("x"), 409, "conflict"),
        (errors.PreconditionFailed("x"), 412, "precondition-failed"),
        (errors.TooLarge("x"), 413, "too-large"),
        (errors.Unsupported("x"), 415, "unsupported-media-type"),
        (errors.Invalid("x"), 422, "invalid"),
        (errors.TooMany("x", retry_after_seconds=3), 429, "too-many-requests"),
        (errors.Unavailable("x"), 503, "unavailable"),
        (exceptions.ParseError("x"), 400, "bad-request"),
        (exceptions.NotAuthenticated("x"), 401, "unauthenticated"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported-media-type"),
        (exceptions.ValidationError({"score": ["x"]}), 422, "invalid"),
        (Http404(), 404, "not-found"),
        (RequestDataTooBig(), 413, "too-large"),
        (SuspiciousOperation(), 400, "bad-request"),
        (TooManyFieldsSent("secret"), 400, "bad-request"),
        (OperationalError("password=secret"), 503, "unavailable"),
        (RedisConnectionError("secret"), 503, "unavailable"),
        (RuntimeError("secret"), 500, "fault"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_problems_have_one_shape(fault, status, kind):
    answer = ask(fault)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.content)
    assert set(problem) == {"type", "title", "status", "detail", "errors"}
    assert (problem["type"], problem["status"]) == (f"/problems/{kind}", status)
    assert "secret" not in answer.content.decode()


def test_log_of_a_fault_has_the_route_and_not_the_path(caplog):
    request: Any = RequestFactory().get("/v1/chosen-by-a-client")
    request.resolver_match = SimpleNamespace(route="v1/<str:name>")
    raising(RuntimeError("x"))(request)
    assert "v1/<str:name>" in caplog.text
    assert "chosen-by-a-client" not in caplog.text


def test_problem_names_invalid_fields():
    problem = json.loads(ask(errors.Invalid("no", errors=[("score", "too high")])).content)
    assert problem["errors"] == [{"field": "score", "reason": "too high"}]


def test_problem_lists_the_first_errors_and_tells_how_many_there_are():
    few = [(f"genres.{nth}", "unknown") for nth in range(MAX_ERRORS)]
    problem = json.loads(ask(errors.Invalid("No.", errors=few)).content)
    assert (len(problem["errors"]), problem["detail"]) == (MAX_ERRORS, "No.")
    problem = json.loads(ask(errors.Invalid("No.", errors=few * 300)).content)
    assert [error["field"] for error in problem["errors"]] == [field for field, _ in few]
    assert problem["detail"] == "No. The first 100 of 30000 errors are listed."


@pytest.mark.parametrize("length", [MAX_ERROR_LENGTH + 1, 200_000])
def test_problem_cuts_long_names_and_reasons(length):
    long = errors.Invalid("No.", errors=[("x" * length, "y" * length)])
    [error] = json.loads(ask(long).content)["errors"]
    shown = MAX_ERROR_LENGTH - 1
    assert error == {"field": "x" * shown + "\u2026", "reason": "y" * shown + "\u2026"}


def test_problem_says_that_there_are_too_many_parameters():
    problem = json.loads(ask(TooManyFieldsSent()).content)
    assert problem["detail"] == "There are too many parameters or form fields."


def test_problem_has_headers_that_http_requires():
    assert ask(errors.Unauthenticated())["WWW-Authenticate"] == "Bearer"
    assert ask(errors.TooMany(retry_after_seconds=7))["Retry-After"] == "7"
    assert ask(errors.Unavailable(retry_after_seconds=2))["Retry-After"] == "2"
    assert ask(OperationalError())["Retry-After"] == "1"
    assert ask(errors.NotFound())["Cache-Control"] == "no-store"


def test_unsupported_method_is_405_with_allow():
    answer = ask(RuntimeError(), method="DELETE")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, OPTIONS"
    assert json.loads(answer.content)["title"] == "Method Not Allowed"


def test_fault_names_its_log_entry(caplog):
    number = uuid4()
    answer = ask(RuntimeError("secret"), **{"X-Request-ID": str(number)})
    assert answer["X-Request-ID"] == str(number)
    assert str(number) in json.loads(answer.content)["detail"]
    assert any(str(number) in str(line.msg) for line in caplog.records)


def test_unknown_url_is_404_problem():
    answer = problem_details.not_found(RequestFactory().get("/nowhere"), Http404())
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"

"""Access to the admin pages: each request passes these checks.

In this order: method and form, body (read as those of commands), log-in, and the CSRF token of a
POST. Errors become problem details, as everywhere else.
"""

from collections.abc import Callable
from functools import update_wrapper
from time import perf_counter
from typing import Any, TypeAlias, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from rest_framework.exceptions import MethodNotAllowed

from command_api.admin import current_staff, session_cookie
from command_api.http.request_body import read_body
from infra.errors import BadRequest, Forbidden, TooLong
from infra.http import problem_details
from infra.http.strict_json import MAX_QUERY_LENGTH
from infra.observability import observe_response

View: TypeAlias = Callable[..., Any]
READ = ("GET", "HEAD")
LOGIN = f"{session_cookie.PATH}login/"
_FORM = "application/x-www-form-urlencoded"


def open_to_all(view: View, *methods: str) -> View:
    protected = csrf_protect(never_cache(view))

    def checked_view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        request.COOKIES = read_cookies(request.META.get("HTTP_COOKIE", ""))
        _refuse_unexpected(request, methods)
        read_body(request)
        request.user = current_staff.of(request)  # type: ignore[assignment] # has what the pages use
        return protected(request, *args, **kwargs)

    return _named(_with_problem_details(checked_view, methods), view, methods)


def for_staff(view: View) -> View:
    """A page for staff; others are redirected to the log-in page."""

    def for_staff_only(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.is_staff:
            query = urlencode({"next": request.get_full_path()})
            return HttpResponseRedirect(f"{LOGIN}?{query}")
        return view(request, *args, **kwargs)

    return _named(open_to_all(for_staff_only, *READ), view, READ)


def refuse_forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a request without a valid CSRF token (Django's CSRF_FAILURE_VIEW)."""
    return problem_details.respond(
        Forbidden(f"The form was not sent by an admin page: {reason}"), request
    )


def read_cookies(header: str) -> dict[str, str]:
    """The cookies as they were sent; ours are never quoted.

    Django would unquote them, which takes Python before 3.11.10 and 3.12.6 quadratic time.
    """
    pairs = (cookie.partition("=") for cookie in header.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _refuse_unexpected(request: HttpRequest, methods: tuple[str, ...]) -> None:
    """Raise for requests that no admin page sends."""
    if request.method not in methods:
        raise MethodNotAllowed(request.method or "")
    if len(request.META.get("QUERY_STRING", "")) > MAX_QUERY_LENGTH:
        raise TooLong(f"The query string may have at most {MAX_QUERY_LENGTH} characters.")
    if "\0" in request.path or any("\0" in value for value in request.GET.values()):
        raise BadRequest("Path and parameters must not contain the character U+0000.")
    if request.method == "POST" and request.content_type != _FORM:
        raise BadRequest(f"A form must be sent as {_FORM}.")


def _with_problem_details(view: View, methods: tuple[str, ...]) -> View:
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        begun = perf_counter()
        try:
            response: HttpResponse = view(request, *args, **kwargs)
            if hasattr(response, "render"):
                response = response.render()  # here, so that its errors become problems, too
        except MethodNotAllowed as fault:
            response = problem_details.respond(fault, request)
            response.headers["Allow"] = ", ".join(methods)
        except Exception as fault:  # noqa: BLE001 - every error becomes a problem
            response = problem_details.respond(fault, request)
        seconds = perf_counter() - begun
        observe_response("AdminPages", request.method or "", response.status_code, seconds)
        return response

    return answer


def _named(page: Any, view: View, methods: tuple[str, ...]) -> View:
    """Give the page the name of its view and list its methods."""
    named: Any = update_wrapper(page, view)
    named.methods = methods
    return cast("View", named)

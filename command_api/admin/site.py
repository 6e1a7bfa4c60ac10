"""Which admin pages are there?

Django's admin without its users, sessions and messages, and without all that writes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, include, path

from command_api.admin import login as entering
from command_api.admin import session_cookie
from command_api.admin.access import READ, for_staff, open_to_all
from infra.errors import Refused


class StaffSite(AdminSite):
    """The pages of the staff."""

    site_title = site_header = "Marquee"
    index_title = "Catalogue"
    site_url = None

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Only what is looked at; Django's own would change passwords and show what was changed."""
        return [
            path("", for_staff(self.index), name="index"),
            path("login/", open_to_all(self.login, *READ, "POST"), name="login"),
            path("logout/", open_to_all(self.logout, "POST"), name="logout"),
            *self._of_models(),
        ]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django calls it so
        """A page of a model."""
        return for_staff(view)

    def login(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        """The form, and what was typed into it."""
        wanted = request.POST.get(entering.NEXT) or request.GET.get(entering.NEXT, "")
        if request.method != "POST":
            return self._form(request, wanted)
        try:
            kept = entering.log_in(request.POST.dict(), request.META)
        except Refused as refused:
            return self._form(request, wanted, refused)
        response = HttpResponseRedirect(entering.where_to(wanted))
        session_cookie.give(response, kept)
        return response

    def logout(  # type: ignore[override] # Django's shows a page
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        """The end of a log-in; it has no page of its own."""
        entering.log_out(request)
        response = HttpResponseRedirect(session_cookie.PATH)
        session_cookie.take_back(response)
        return response

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Nothing is changed here, so there is nothing to tell."""
        return ()

    def _of_models(self) -> Iterator[URLPattern | URLResolver]:
        metas = {model._meta: pages for model, pages in self._registry.items()}  # noqa: SLF001 - Django's public name
        for label in dict.fromkeys(meta.app_label for meta in metas):
            view = for_staff(self.app_index)
            yield path(f"{label}/", view, {"app_label": label}, name="app_list")
        for meta, pages in metas.items():
            yield path(f"{meta.app_label}/{meta.model_name}/", include(pages.get_urls()))

    def _form(
        self, request: HttpRequest, wanted: str, refused: Refused | None = None
    ) -> HttpResponse:
        said, status = entering.told(refused) if refused else ("", 200)
        context = {
            **self.each_context(request),
            "title": "Log in",
            "said": said,
            "login": request.POST.get("login", ""),
            "next": wanted,
        }
        request.current_app = self.name
        headers = refused.headers if refused and status != 200 else {}  # noqa: PLR2004 - the form's own
        return TemplateResponse(
            request, "admin/log_in.html", context, status=status, headers=headers
        )

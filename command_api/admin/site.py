"""Admin site of the staff: Django's admin without its users, sessions, messages and writes."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, include, path

from command_api.admin import login, session_cookie
from command_api.admin.access import READ, for_staff, open_to_all
from command_api.admin.movies import MovieAdmin
from command_api.admin.people import GenreAdmin, KeywordAdmin, PersonAdmin
from command_api.admin.sync import FilmAdmin, SyncRunAdmin
from command_api.admin.trends import BoardAdmin
from command_api.catalogue.models import (
    Genre,
    Keyword,
    Movie,
    Person,
    SyncRun,
    TmdbFilm,
    TrendObservation,
)
from infra.errors import Refused


class StaffSite(AdminSite):
    site_title = site_header = "Marquee"
    index_title = "Catalogue"
    site_url = None

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """The pages that read; Django's own also change passwords and show a history."""
        return [
            path("", for_staff(self.index), name="index"),
            path("login/", open_to_all(self.login, *READ, "POST"), name="login"),
            path("logout/", open_to_all(self.logout, "POST"), name="logout"),
            *self._of_models(),
        ]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django calls it so
        return for_staff(view)

    def login(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        requested_url = request.POST.get(login.NEXT) or request.GET.get(login.NEXT, "")
        if request.method != "POST":
            return self._form(request, requested_url)
        try:
            cookie = login.log_in(request.POST.dict(), request.META)
        except Refused as refused:
            return self._form(request, requested_url, refused)
        response = HttpResponseRedirect(login.redirect_target(requested_url))
        session_cookie.set_on(response, cookie)
        return response

    def logout(  # type: ignore[override] # Django's shows a page
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        login.log_out(request)
        response = HttpResponseRedirect(session_cookie.PATH)
        session_cookie.delete_from(response)
        return response

    def get_log_entries(self, request: HttpRequest) -> Any:
        """None: nothing is changed here."""
        return ()

    def _of_models(self) -> Iterator[URLPattern | URLResolver]:
        metas = {model._meta: pages for model, pages in self._registry.items()}  # noqa: SLF001 - Django's public name
        for label in dict.fromkeys(meta.app_label for meta in metas):
            view = for_staff(self.app_index)
            yield path(f"{label}/", view, {"app_label": label}, name="app_list")
        for meta, pages in metas.items():
            yield path(f"{meta.app_label}/{meta.model_name}/", include(pages.get_urls()))

    def _form(
        self, request: HttpRequest, requested_url: str, refused: Refused | None = None
    ) -> HttpResponse:
        message, status = login.form_error(refused) if refused else ("", 200)
        context = {
            **self.each_context(request),
            "title": "Log in",
            "message": message,
            "login": request.POST.get("login", ""),
            "next": requested_url,
        }
        request.current_app = self.name
        headers = refused.headers if refused and status != 200 else {}  # noqa: PLR2004 - the form's own
        return TemplateResponse(
            request, "admin/log_in.html", context, status=status, headers=headers
        )


site = StaffSite(name="admin")
site.register(Movie, MovieAdmin)
site.register(Person, PersonAdmin)
site.register(Genre, GenreAdmin)
site.register(Keyword, KeywordAdmin)
site.register(TrendObservation, BoardAdmin)
site.register(SyncRun, SyncRunAdmin)
site.register(TmdbFilm, FilmAdmin)

"""Upsert of TMDb films: fetch, match, and write them to tables and log."""

from collections.abc import Iterable, Mapping, Sequence

import structlog
from django.db import DataError, IntegrityError

from command_api.catalogue import inline_projection
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import AddMovie, DetailMovie, MovieCommand
from command_api.catalogue.tmdb.errors import (
    FilmNotFound,
    MalformedResponse,
    TmdbError,
    TmdbUnavailable,
)
from command_api.catalogue.tmdb.schemas import FetchedFilm, FilmResponse
from command_api.imports.session import import_lock
from command_api.sync import fetch_queue
from command_api.sync.fetcher import FetchRequest, FetchResult, fetch
from command_api.sync.job_context import JobContext
from command_api.sync.mapping import details_of, facts_of, unknown_genres
from command_api.sync.matching import TmdbMatch, matcher_for
from infra.config import config
from infra.progress_bar import Advance

BATCH = 50
_LOCK_WAIT_SECONDS = 30.0

_log = structlog.get_logger(__name__)


def fetch_and_upsert(requests: Iterable[FetchRequest], job: JobContext, advance: Advance) -> None:
    """Fetch films and write them, one transaction per batch.

    Raises a TmdbError after writing what was fetched before it.
    """
    batch: list[FetchResult] = []
    results = fetch(job.tmdb, requests)
    try:
        for result in results:
            batch.append(result)
            if job.is_over():
                break
            if len(batch) == BATCH:
                full, batch = batch, []
                _upsert(full, job, advance)
    except TmdbError:
        _upsert(batch, job, advance)
        raise
    finally:
        results.close()
    _upsert(batch, job, advance)


def _upsert(results: Sequence[FetchResult], job: JobContext, advance: Advance) -> None:
    """Write the films, then record the results: a crash in between only fetches them again."""
    # Gone films first: a film that TMDb merged is matched because its old one is gone.
    fetch_queue.record([each for each in results if isinstance(each.outcome, FilmNotFound)])
    films = [
        result.outcome.film
        for result in results
        if isinstance(result.outcome, FetchedFilm) and result.outcome.film is not None
    ]
    if films:
        # Imports match movies, too: without the lock both could add the same movie.
        with import_lock(_LOCK_WAIT_SECONDS):
            refused = _write(films, job)
        results = [_unless_refused(result, refused) for result in results]
    fetch_queue.record(results)
    _count(results, job)
    job.save()
    advance(len(results))


def _unless_refused(result: FetchResult, refused: Mapping[int, str]) -> FetchResult:
    match result.outcome:
        case FetchedFilm(film=FilmResponse(id=film_id)) if film_id in refused:
            why = f"TMDb's film {film_id} can't be written: {refused[film_id]}"
            return result._replace(outcome=MalformedResponse(why))
        case _:
            return result


def _write(films: Sequence[FilmResponse], job: JobContext) -> Mapping[int, str]:
    """Write the films; return the errors of those that the database refuses, by id."""
    for _ in range(3):
        try:
            _write_once(films, job)
        except IntegrityError:  # another movie got one of the external ids: match again
            continue
        except (DataError, ValueError):
            break
        else:
            return {}
    refused: dict[int, str] = {}
    for film in films:
        try:
            _write_once([film], job)
        except (DataError, IntegrityError, ValueError) as fault:
            refused[film.id] = str(fault)
    return refused


def _write_once(films: Sequence[FilmResponse], job: JobContext) -> None:
    matcher = matcher_for(films)
    matches = [matcher.match(film) for film in films]
    states = inline_projection.movie_states([match.movie_id for match in matches])
    commands: list[MovieCommand] = []
    for film, match in zip(films, matches, strict=True):
        movie = states.get(match.movie_id)
        facts = facts_of(film, movie.facts if movie else None, image_url=config().tmdb_image_url)
        commands.append(AddMovie(match.movie_id, facts, tuple(match.links)))
        commands.append(DetailMovie(match.movie_id, details_of(film)))
    decided = handle_all(commands, job.store, origin=job.origin)
    job.counts["events"] += sum(len(events) for events in decided)
    changed = {
        match.movie_id
        for nth, match in enumerate(matches)
        if decided[2 * nth] or decided[2 * nth + 1]
    }
    job.counts["changed"] += len(changed)
    _count_matches(films, matches, job)


def _count_matches(
    films: Sequence[FilmResponse], matches: Sequence[TmdbMatch], job: JobContext
) -> None:
    for film, match in zip(films, matches, strict=True):
        job.counts[match.how] += 1
        if match.how == "ambiguous":
            year = film.release_date or "?"
            job.warn(f"{film.title} ({year[:4]}), film {film.id}, matches several movies: added")
        for name in unknown_genres(film):
            job.warn(f"unknown genre, left out: {name}")


def _count(results: Sequence[FetchResult], job: JobContext) -> None:
    for result in results:
        match result.outcome:
            case FetchedFilm(film=None):
                job.counts["unchanged"] += 1
            case FetchedFilm():
                job.counts["fetched"] += 1
            case FilmNotFound():
                job.counts["gone"] += 1
            case MalformedResponse() as fault:
                job.counts["unreadable"] += 1
                job.warn(str(fault))
                _log.warning("TMDb film is unreadable", film=result.tmdb_id, fault=str(fault))
            case TmdbUnavailable() as fault:
                job.counts["postponed"] += 1
                job.warn(f"film {result.tmdb_id} could not be fetched, retried later: {fault}")
                _log.warning("TMDb film can't be fetched", film=result.tmdb_id, fault=str(fault))

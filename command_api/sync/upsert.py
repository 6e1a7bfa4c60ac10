"""How do films of TMDb get into the catalogue?"""

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


def bring(wanted: Iterable[FetchRequest], run: JobContext, advance: Advance) -> None:
    """Fetch and take in, a batch a transaction; raises a TmdbError after what came until then."""
    told: list[FetchResult] = []
    answers = fetch(run.tmdb, wanted)
    try:
        for each in answers:
            told.append(each)
            if run.is_over():
                break
            if len(told) == BATCH:
                batch, told = told, []
                _take_in(batch, run, advance)
    except TmdbError:
        _take_in(told, run, advance)
        raise
    finally:
        answers.close()
    _take_in(told, run, advance)


def _take_in(told: Sequence[FetchResult], run: JobContext, advance: Advance) -> None:
    """Write what is new, and then that it was written: in between, it is only fetched again."""
    # Who was merged is recognised by its being gone.
    fetch_queue.record([each for each in told if isinstance(each.answer, FilmNotFound)])
    films = [
        each.answer.film
        for each in told
        if isinstance(each.answer, FetchedFilm) and each.answer.film is not None
    ]
    if films:
        # Imports recognise movies, too: two at once could add one twice.
        with import_lock(_LOCK_WAIT_SECONDS):
            refused = _write(films, run)
        told = [_unless_refused(each, refused) for each in told]
    fetch_queue.record(told)
    _count(told, run)
    run.note()
    advance(len(told))


def _unless_refused(told: FetchResult, refused: Mapping[int, str]) -> FetchResult:
    match told.answer:
        case FetchedFilm(film=FilmResponse(id=film_id)) if film_id in refused:
            why = f"TMDb's film {film_id} can't be written: {refused[film_id]}"
            return told._replace(answer=MalformedResponse(why))
        case _:
            return told


def _write(films: Sequence[FilmResponse], run: JobContext) -> Mapping[int, str]:
    """Write them all but those that the database refuses; why it does, by id."""
    for _ in range(3):
        try:
            _write_once(films, run)
        except IntegrityError:  # an id that was nobody's is another's now: recognise them again
            continue
        except (DataError, ValueError):
            break
        else:
            return {}
    refused: dict[int, str] = {}
    for film in films:
        try:
            _write_once([film], run)
        except (DataError, IntegrityError, ValueError) as fault:
            refused[film.id] = str(fault)
    return refused


def _write_once(films: Sequence[FilmResponse], run: JobContext) -> None:
    known = matcher_for(films)
    matches = [known.find(film) for film in films]
    there = inline_projection.movie_states([match.movie_id for match in matches])
    commands: list[MovieCommand] = []
    for film, match in zip(films, matches, strict=True):
        movie = there.get(match.movie_id)
        facts = facts_of(film, movie.facts if movie else None, image_url=config().tmdb_image_url)
        commands.append(AddMovie(match.movie_id, facts, tuple(match.links)))
        commands.append(DetailMovie(match.movie_id, details_of(film)))
    decided = handle_all(commands, run.store, origin=run.origin)
    run.counts["events"] += sum(len(events) for events in decided)
    changed = {
        match.movie_id
        for nth, match in enumerate(matches)
        if decided[2 * nth] or decided[2 * nth + 1]
    }
    run.counts["changed"] += len(changed)
    _count_matches(films, matches, run)


def _count_matches(
    films: Sequence[FilmResponse], matches: Sequence[TmdbMatch], run: JobContext
) -> None:
    for film, match in zip(films, matches, strict=True):
        run.counts[match.how] += 1
        if match.how == "ambiguous":
            year = film.release_date or "?"
            run.tell(f"{film.title} ({year[:4]}), film {film.id}, could be several of ours")
        for name in unknown_genres(film):
            run.tell(f"our table of genres lacks {name}")


def _count(told: Sequence[FetchResult], run: JobContext) -> None:
    for each in told:
        match each.answer:
            case FetchedFilm(film=None):
                run.counts["unchanged"] += 1
            case FetchedFilm():
                run.counts["fetched"] += 1
            case FilmNotFound():
                run.counts["gone"] += 1
            case MalformedResponse() as fault:
                run.counts["unreadable"] += 1
                run.tell(str(fault))
                _log.warning("a film can't be read", film=each.tmdb_id, fault=str(fault))
            case TmdbUnavailable() as fault:
                run.counts["postponed"] += 1
                run.tell(f"film {each.tmdb_id} could not be had: {fault}")
                _log.warning("a film can't be had", film=each.tmdb_id, fault=str(fault))

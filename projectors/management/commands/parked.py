"""manage.py parked: list, show, retry or skip events that a read model could not apply."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from events.notifications import waiting_readers_channel
from events.store.generations import version_of
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from infra.progress_bar import progress
from projectors.consumer.decryption import decryptor
from projectors.errors import TRANSIENT_ERRORS, StopProjector
from projectors.generations.live import Live, NotReady
from projectors.management.arguments import find_model, open_live, print_line
from projectors.parking.retry import (
    ParkedStreamKey,
    ParkedStreamRetry,
    RetryResult,
    parked_stream_keys,
)
from projectors.parking.store import (
    ParkedEvent,
    count_parked,
    read_parked_events,
    read_skipped_events,
)
from projectors.registry import BY_NAME, MODELS, dependents_of
from projectors.storage.read_model import ReadModel


class Command(BaseCommand):
    help = (
        "An event that a read model could not apply is parked with what follows in its stream,"
        " and everything else continues. Safe while projectors are running."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="the streams that are parked")
        listing.add_argument("name", nargs="*", metavar="NAME", help=", ".join(BY_NAME))
        show = actions.add_parser("show", help="each event with its payload and its reason")
        show.add_argument("name", metavar="NAME", help=", ".join(BY_NAME))
        show.add_argument("stream", nargs="?", metavar="STREAM", help="only this one")
        retry = actions.add_parser(
            "retry", help="apply what is parked, in order; exit 1 if something fails again"
        )
        retry.add_argument("name", nargs="?", metavar="NAME", help=", ".join(BY_NAME))
        retry.add_argument("stream", nargs="*", metavar="STREAM")
        retry.add_argument(
            "--all", action="store_true", help="all streams, of all read models if none is named"
        )
        skip = actions.add_parser(
            "skip", help="skip the first parked event of a stream and retry the rest"
        )
        skip.add_argument("name", metavar="NAME", help=", ".join(BY_NAME))
        skip.add_argument("stream", metavar="STREAM")
        skip.add_argument("--all", action="store_true", help="skip all parked events of the stream")
        skip.add_argument("--note", required=True, help="why, for the record")
        for action in (listing, show, retry, skip):
            action.add_argument(
                "--generation",
                type=int,
                metavar="NUMBER",
                help="this generation instead of the live one",
            )

    def handle(self, *_args: object, **options: Any) -> None:
        action: Literal["list", "show", "retry", "skip"] = options["action"]
        is_done = True
        try:
            match action:
                case "list":
                    _list(_models(options["name"], options["generation"]))
                case "show":
                    _show(_one(options), options["stream"])
                case "retry":
                    is_done = _retry(_streams_to_retry(options))
                case "skip":
                    is_done = _skip(_one(options), options)
        except (*TRANSIENT_ERRORS, StopProjector) as error:
            raise CommandError(
                f"Not finished: {error}. What was done stays; run it again."
            ) from error
        if not is_done:
            sys.exit(1)


# ------------------------------------------------------------------------------ selection


def _models(names: Sequence[str], generation: int | None) -> list[ReadModel]:
    """The models named, by default all that are live."""
    named = [find_model(name) for name in names]
    if generation is not None:
        if len(named) != 1:
            raise CommandError("--generation needs the name of one read model.")
        return [named[0](clients.redis(), generation)]
    live = Live(clients.redis())
    if named:
        return [open_live(model, live) for model in named]
    models = []
    for model in MODELS:
        with suppress(NotReady):
            models.append(live.open(model))
    return models


def _one(options: dict[str, Any]) -> ReadModel:
    [model] = _models([options["name"]], options["generation"])
    return model


def _streams_to_retry(options: dict[str, Any]) -> list[tuple[ReadModel, list[ParkedStreamKey]]]:
    """The streams to retry, by model."""
    name, streams, is_all = options["name"], options["stream"], options["all"]
    if bool(streams) == is_all or (streams and not name):
        raise CommandError("Name a read model and its streams, or give --all.")
    models = _models([name] if name else [], options["generation"])
    streams_by_model = [(model, parked_stream_keys(model, config().partitions)) for model in models]
    if is_all:
        return streams_by_model
    [(model, parked)] = streams_by_model
    return [(model, _named(parked, streams))]


def _named(parked: Sequence[ParkedStreamKey], streams: Sequence[str]) -> list[ParkedStreamKey]:
    by_stream = {key.stream: key for key in parked}
    if unknown := [stream for stream in streams if stream not in by_stream]:
        raise CommandError(f"Not parked: {', '.join(unknown)}.")
    return [by_stream[stream] for stream in streams]


# ------------------------------------------------------------------------------ list and show


def _list(models: Sequence[ReadModel]) -> None:
    table = Table("read model", "generation", "stream", "events", "since", "tried", "reason")
    skipped_count = 0
    for model in models:
        for key in parked_stream_keys(model, config().partitions):
            if waiting := read_parked_events(model.redis, *key):
                first = waiting[0]
                row = (model.generation, key.stream, f"{len(waiting):,}", _moment(first.since))
                table.add_row(model.name, *map(str, row), str(first.tries), first.reason)
        skipped_count += count_parked(model, config().partitions).skipped
    console = Console()
    console.print(table if table.row_count else "Nothing is parked.")
    if skipped_count:
        console.print(f"{skipped_count:,} skipped for good: see parked show NAME", highlight=False)


def _show(model: ReadModel, stream: str | None) -> None:
    lines = [*_parked(model, stream), *_skipped(model, stream)]
    for line in lines or ["Nothing is parked."]:
        print_line(line)


def _parked(model: ReadModel, stream: str | None) -> Iterator[str]:
    for key in parked_stream_keys(model, config().partitions):
        if stream not in (None, key.stream):
            continue
        yield f"{model.name}, generation {model.generation}: {key.stream}"
        for event in read_parked_events(model.redis, *key):
            tried = f", tried {event.tries} times" if event.tries else ""
            yield (
                f"  {event.partition}:{event.offset} version {event.version},"
                f" since {_moment(event.since)}{tried}"
            )
            yield from _contents(event)
            yield from (f"      {line}" for line in event.trace.splitlines())


def _skipped(model: ReadModel, stream: str | None) -> Iterator[str]:
    for shard in model.shards(config().partitions):
        for skipped in read_skipped_events(model.redis, shard):
            if stream in (None, skipped.stream):
                position = f"{skipped.entry.partition}:{skipped.entry.offset}"
                yield f"{skipped.stream} {position} skipped {_moment(skipped.at)}: {skipped.note}"
                yield from _contents(skipped.entry)


def _contents(event: ParkedEvent) -> Iterator[str]:
    yield f"    {event.type} {event.data}"
    yield f"    {event.reason}"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(sep=" ", timespec="seconds")


# ------------------------------------------------------------------------------ retry and skip


def _retry(streams_by_model: Sequence[tuple[ReadModel, list[ParkedStreamKey]]]) -> bool:
    """Retry all and print the results; return whether nothing is left."""
    results: list[RetryResult] = []
    for model, parked in streams_by_model:
        if not parked:
            continue
        parked_retry = _parked_retry(model)
        with progress(model.name, len(parked)) as advance:
            for key in parked:
                results.append(parked_retry.retry(key))
                _report(model, key, results[-1])
                advance(1)
        for kind in (type(model), *dependents_of(type(model))):
            model.redis.publish(waiting_readers_channel(), kind.name)
    applied = sum(result.applied for result in results)
    print_line(
        f"{applied:,} events of {len(results):,} streams applied."
        if results
        else "Nothing to retry."
    )
    return not any(result.left for result in results)


def _report(model: ReadModel, key: ParkedStreamKey, result: RetryResult) -> None:
    if result.left:
        reason = f": {result.reason}" if result.reason else ""
        counts = f"{result.applied:,} applied, {result.left:,} still parked"
        print_line(f"{model.name} {key.stream}: {counts}{reason}")


def _skip(model: ReadModel, options: dict[str, Any]) -> bool:
    """Skip, then retry the rest; return whether nothing is left."""
    [key] = _named(parked_stream_keys(model, config().partitions), [options["stream"]])
    parked_retry, which = _parked_retry(model), _arguments(key, options)
    try:
        skipped_count = parked_retry.skip(key, options["note"], is_all=options["all"])
    except TRANSIENT_ERRORS as error:
        raise CommandError(
            f"Unknown whether it was skipped: {error}. A second skip could skip the next event,"
            f" so look first: parked show {which}"
        ) from error
    meanwhile = "" if skipped_count else ": another process changed the stream meanwhile"
    print_line(f"{model.name} {key.stream}: {skipped_count:,} skipped{meanwhile}")
    try:
        return _retry([(model, [key])])
    except (*TRANSIENT_ERRORS, StopProjector) as error:
        raise CommandError(
            f"{skipped_count:,} skipped, but the rest is not applied: {error}."
            f" Do not skip again, that would skip the next event. Run: parked retry {which}"
        ) from error


def _arguments(key: ParkedStreamKey, options: dict[str, Any]) -> str:
    """The arguments that name the stream in another command."""
    number = options["generation"]
    chosen = "" if number is None else f" --generation {number}"
    return f"{options['name']} {key.stream}{chosen}"


def _parked_retry(model: ReadModel) -> ParkedStreamRetry:
    made_by = version_of(model.name, model.generation)
    if made_by != model.version:
        raise CommandError(
            f"Generation {model.generation} of {model.name} has the format of version {made_by};"
            f" this is version {model.version}. Rebuild it: that applies these events, too."
        )
    return ParkedStreamRetry(model, PostgresStore(config().partitions), decryptor())

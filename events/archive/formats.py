"""Archive file formats: the header line, and the event lines of every release so far."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from events import cloudevent
from events.recorded import Stored

Format: TypeAlias = Literal["marquee-log.v1", "marquee-log.v2"]

FORMAT: Format = "marquee-log.v2"
"""The format that is written."""


class InvalidArchive(Exception):
    """The archive can't be imported into this log; the message says why."""


class ArchiveHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of an archive: ``heads`` has the last offset of each partition."""

    format: Format
    partitions: Annotated[int, Meta(ge=1)]
    heads: list[Annotated[int, Meta(ge=0, le=2**63 - 1)]]


class ArchiveLineV1(msgspec.Struct, frozen=True, kw_only=True):
    """An event line of ``marquee-log.v1``: the columns of the log, in their order."""

    partition: int
    offset: int
    stream: str
    version: int
    type: str
    data: msgspec.Raw
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: UUID
    causation_id: str | None = None
    traceparent: str | None = None


_v1_decoder = msgspec.json.Decoder(ArchiveLineV1)


def decode_v1_line(line: bytes) -> Stored:
    """Decode an event line; raises msgspec.MsgspecError for anything else."""
    event = _v1_decoder.decode(line)
    fields = msgspec.structs.asdict(event) | {"data": cloudevent.decode_text(event.data)}
    return Stored(**fields)


LINE_DECODERS: Mapping[Format, Callable[[bytes], Stored]] = MappingProxyType(
    {"marquee-log.v1": decode_v1_line, "marquee-log.v2": cloudevent.unwrap}
)

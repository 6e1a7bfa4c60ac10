"""If-Match (RFC 9110): the versions that a client requires a resource to have."""

import re

from infra.errors import Invalid

HEADER = "If-Match"
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")
_VERSION = re.compile(r'(?<!W/)"(0|[1-9][0-9]{0,8})"')


def versions(header: str | None) -> frozenset[int] | None:
    """Parse the header; None accepts any version. Raises Invalid if it is not a list of tags."""
    tags = None if header is None else header.strip(" \t")
    if tags is None or tags == "*":
        return None
    if not _LIST.fullmatch(tags):
        reason = 'If-Match must be versions in double quotes, like "3" or "3", "4", or *.'
        raise Invalid("The If-Match header is invalid.", errors=[(HEADER, reason)])
    # Other well-formed tags are valid, but match no version.
    return frozenset(int(version) for version in _VERSION.findall(tags))

"""Which versions does a client insist on (If-Match, RFC 9110)?"""

import re

from infra.errors import Invalid

HEADER = "If-Match"
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")
_VERSION = re.compile(r'(?<!W/)"(0|[1-9][0-9]{0,8})"')


def versions(header: str | None) -> frozenset[int] | None:
    """The versions that fit; None when any does; raises Invalid for what is no list of tags."""
    wanted = None if header is None else header.strip(" \t")
    if wanted is None or wanted == "*":
        return None
    if not _LIST.fullmatch(wanted):
        reason = 'This must be a version in double quotes, as "3", several with commas, or *.'
        raise Invalid("The condition can't be understood.", errors=[(HEADER, reason)])
    # Other tags are somebody's, but no version of ours ever equals them.
    return frozenset(int(version) for version in _VERSION.findall(wanted))

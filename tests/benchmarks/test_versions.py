"""Versions of the measured servers."""

import re

from benchmarks.versions import versions
from infra.services.lifecycle import SERVERS


def test_versions_of_all_servers_are_read(services):
    versions_by_name = versions(services)
    assert len(versions_by_name) == len(SERVERS) if services.bus_admin else len(SERVERS) - 1
    assert all(re.match(r"\d+\.\d+", version) for version in versions_by_name.values())

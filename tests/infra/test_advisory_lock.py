"""Advisory locks: exclusion between sessions, waiting, and release."""

from contextlib import contextmanager

import pytest
from django.db import connections, transaction

from infra.advisory_lock import (
    session_lock,
    transaction_lock,
    try_session_lock,
    try_transaction_lock,
)

KEYS = [0x4D52_0001, (7, 1), (7, "one"), ("seven", "one")]


@contextmanager
def other_session():
    connection = connections.create_connection("default")
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_session_lock_excludes_other_sessions_until_its_block_ends(log_database, key):
    with other_session() as cursor:
        with session_lock(key) as is_held:
            assert is_held
            assert not try_session_lock(cursor, key)
        assert try_session_lock(cursor, key)
        with session_lock(key, wait_seconds=0.1) as is_held:
            assert not is_held
    with session_lock(key, wait_seconds=5) as is_held:
        assert is_held


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_transaction_lock_excludes_other_transactions_until_commit(log_database, key):
    with other_session() as cursor:
        with transaction.atomic(), connections["default"].cursor() as own:
            transaction_lock(own, key)
            assert not try_transaction_lock(cursor, key)
        assert try_transaction_lock(cursor, key)

"""Failures of data stores that pass, told from faults of ours."""

import psycopg2
import pytest
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)
from redis import exceptions
from redis.exceptions import ResponseError

from infra.clients import is_store_failure, refuses_writes


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "fault",
    [
        exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        exceptions.ReadOnlyError("You can't write against a read only replica."),
        ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
        ResponseError("NOREPLICAS Not enough good replicas to write."),
        ResponseError("Command # 1 (SET a 1) of pipeline caused error: MISCONF Errors writing"),
    ],
)
def test_refusing_redis_is_a_store_failure(fault):
    assert refuses_writes(fault)
    assert is_store_failure(fault)


@pytest.mark.parametrize(
    "fault",
    [
        exceptions.ConnectionError("refused"),
        exceptions.TimeoutError("timed out"),
        exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
        exceptions.MasterDownError("Link with MASTER is down"),
        exceptions.ClusterDownError("The cluster is down"),
        exceptions.TryAgainError("Multiple keys request during rehashing of slot"),
        ResponseError("BUSY Redis is busy running a script."),
        OperationalError("could not connect"),
        InterfaceError("connection already closed"),
        caused(DatabaseError("error with status PGRES_TUPLES_OK"), psycopg2.DatabaseError("x")),
    ],
)
def test_lost_or_starting_store_is_a_store_failure(fault):
    assert is_store_failure(fault)


@pytest.mark.parametrize(
    "fault",
    [
        ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
        ResponseError("ERR syntax error"),
        ResponseError("ERR MISCONF is only named"),
        ResponseError("Command # 1 (SET a 1) of pipeline caused error: ERR MISCONF is named"),
        exceptions.NoPermissionError("this user has no permissions"),
        exceptions.NoScriptError("No matching script."),
        exceptions.DataError("Invalid input"),
        ProgrammingError("relation does not exist"),
        caused(IntegrityError("duplicate key"), psycopg2.IntegrityError("duplicate key")),
        caused(DataError("out of range"), psycopg2.DataError("out of range")),
        InternalError("current transaction is aborted"),
        DatabaseError("Save with update_fields did not affect any rows."),
        RuntimeError("x"),
        OSError("x"),
    ],
)
def test_fault_of_ours_is_none(fault):
    assert not is_store_failure(fault)

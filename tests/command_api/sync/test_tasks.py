"""Celery task of the sync: when it starts the next run."""

import pytest

from command_api import tasks
from command_api.catalogue.models import SyncRun
from command_api.sync.job_runner import TIME_IS_UP


@pytest.mark.parametrize(
    ("note", "goes_on"), [(TIME_IS_UP, True), ("", False), ("TMDb limits us for 60 s", False)]
)
def test_sync_task_starts_the_next_run_only_after_using_up_its_time(monkeypatch, note, goes_on):
    sent = []
    monkeypatch.setattr(
        tasks, "run_job", lambda kind: SyncRun(kind=kind, state="waiting", note=note)
    )
    monkeypatch.setattr(tasks.sync, "apply_async", lambda args, **_: sent.append(args))
    assert tasks.sync("films") == "waiting"
    assert sent == ([("films",)] if goes_on else [])

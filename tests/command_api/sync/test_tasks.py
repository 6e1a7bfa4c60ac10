"""Does the clock's task leave TMDb no time in which nobody asks?"""

import pytest

from command_api.catalogue.models import SyncRun
from command_api.sync import tasks
from command_api.sync.job_runner import TIME_IS_UP


@pytest.mark.parametrize(
    ("note", "goes_on"), [(TIME_IS_UP, True), ("", False), ("TMDb limits us for 60 s", False)]
)
def test_it_goes_on_at_once_where_only_its_time_was_up(monkeypatch, note, goes_on):
    sent = []
    monkeypatch.setattr(
        tasks, "run_job", lambda kind: SyncRun(kind=kind, state="waiting", note=note)
    )
    monkeypatch.setattr(tasks.sync, "apply_async", lambda args, **_: sent.append(args))
    assert tasks.sync("films") == "waiting"
    assert sent == ([("films",)] if goes_on else [])

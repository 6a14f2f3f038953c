"""What is relied upon of gunicorn: a new version that changes it is seen here, not in a cluster."""

from __future__ import annotations

import asyncio
import importlib.metadata
import inspect
import signal
import sys

import pytest
from gunicorn import glogging
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers import base

from webhook.server import worker
from webhook.server.program import Log, Program


def test_its_version_is_the_one_that_was_read() -> None:
    assert importlib.metadata.version("gunicorn").startswith("27.")


def test_a_worker_is_made_and_run_as_it_was() -> None:
    assert list(inspect.signature(base.Worker.__init__).parameters) == [
        "self", "age", "ppid", "sockets", "app", "timeout", "cfg", "log",
    ]  # fmt: skip
    for name in ("init_process", "init_signals", "run", "notify"):
        assert callable(getattr(base.Worker, name)), name
    made = inspect.getsource(base.Worker.__init__)
    for name in ("age", "ppid", "sockets", "app", "cfg", "alive"):
        assert f"self.{name} = " in made, name
    assert "self.tmp = WorkerTmp(cfg)" in made
    started = inspect.getsource(base.Worker.init_process)
    assert started.index("self.init_signals()") < started.index("self.load_wsgi()")
    assert started.rstrip().endswith("self.run()")
    assert signal.SIGTERM in base.Worker.SIGNALS


def test_its_heartbeat_is_ours_and_beats() -> None:
    assert base.WorkerTmp is worker.Heartbeat
    beat = worker.Heartbeat(object())
    first = beat.last_update()
    beat.notify()
    assert beat.last_update() != first
    beat.close()


def test_what_it_says_of_a_dead_worker_begins_as_it_did() -> None:
    reaps = inspect.getsource(Arbiter.reap_workers)
    assert 'msg = "Worker (pid:%s) was sent %s!"' in reaps
    assert 'self.log.error("Worker (pid:%s) exited with code %s."' in reaps
    assert "self.cfg.child_exit(self, worker)" in reaps
    assert 'self.log.critical("WORKER TIMEOUT (pid:%s)"' in inspect.getsource(
        Arbiter.murder_workers
    )
    assert issubclass(Log, glogging.Logger)
    assert issubclass(Program, BaseApplication)


def test_the_master_can_be_told_to_stop_from_a_handler_and_tells_its_listeners() -> None:
    assert list(inspect.signature(Arbiter.signal).parameters) == ["self", "sig", "frame"]
    assert "LISTENERS" in vars(Arbiter)


def test_without_uvloop_the_loop_is_asyncios_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = worker._loop()  # noqa: SLF001  # what a worker starts with
    assert type(found).__module__.startswith("uvloop")
    found.close()
    monkeypatch.setitem(sys.modules, "uvloop", None)
    found = worker._loop()  # noqa: SLF001
    assert isinstance(found, asyncio.SelectorEventLoop)
    found.close()

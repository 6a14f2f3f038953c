"""The runner itself, with an API server and lives that only tell what is asked of them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.controlplane.client import Answer
from tests.cluster.installation import runner
from tests.cluster.installation.runner import Runner

SECONDS = 10.0


def pod(uid: str, **more: Any) -> dict[str, Any]:
    metadata = {"name": "hybrid-guard-test", "uid": uid, "labels": {}, **more}
    return {"metadata": metadata, "spec": {"nodeName": "onprem-1"}}


class Plane:
    """Answers each list of pods with the next of what is given, then with the last again."""

    def __init__(self, *answers: list[dict[str, Any]] | OSError) -> None:
        self._answers = list(answers)
        self.was_asked_for_all = threading.Event()

    def raw(self, *_: Any) -> Answer:
        given = self._answers[0]
        if len(self._answers) > 1:
            self._answers.pop(0)
        else:
            self.was_asked_for_all.set()
        if isinstance(given, OSError):
            raise given
        return Answer(status=200, body=json.dumps({"items": given}).encode(), warnings=())


class Life:
    """A life that has a folder and nothing else."""

    begun: list[tuple[str, Path]]

    def __init__(
        self, _plane: Any, given: dict[str, Any], _image: Any, folder: Path, **_: Any
    ) -> None:
        self._uid, self._folder = given["metadata"]["uid"], folder

    def start(self) -> None:
        self.begun.append((self._uid, self._folder))

    def delete(self) -> None: ...
    def abandon(self) -> None: ...
    def join(self) -> None: ...


@pytest.fixture(autouse=True)
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    monkeypatch.setattr(Life, "begun", [], raising=False)
    monkeypatch.setattr(runner, "PodLife", Life)
    return Life.begun


def watched(plane: Plane) -> BaseException | None:
    """Run until every answer was given, or the runner gives up; return why it did."""
    with Runner(plane, image=None) as running:  # type: ignore[arg-type]
        plane.was_asked_for_all.wait(SECONDS)
    return running.error


def test_a_second_pod_of_the_same_name_lives_in_a_folder_of_its_own(
    begun: list[tuple[str, Path]],
) -> None:
    error = watched(Plane([pod("a")], [pod("a", deletionTimestamp="now")], [pod("b")]))

    assert error is None
    assert [uid for uid, _ in begun] == ["a", "b"]
    assert begun[0][1] != begun[1][1]


def test_an_api_server_that_is_away_is_asked_again(begun: list[tuple[str, Path]]) -> None:
    assert watched(Plane(ConnectionRefusedError(), [pod("a")])) is None
    assert [uid for uid, _ in begun] == ["a"]


def test_what_fails_on_this_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    error = FileExistsError("there already")

    def fails(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Life, "start", fails)

    assert watched(Plane([pod("a")])) is error

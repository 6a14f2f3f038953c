"""Read from a cluster, or ask it what it would do. Only verbs come here, the server never does."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

TIMEOUT = (5, 30)  # seconds to connect, and between two bytes
_PAGE = 500  # objects an answer; kubectl asks for as many
_JSON = "application/json"
_APPLY, _MANAGER = "application/apply-patch+yaml", "hybrid-guard-probe"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
_WARNING = re.compile(r'299 \S+ "(.*)"')
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class ClusterError(Exception):
    """The cluster could not be looked at: why, in a line; `status` where it gave an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the API server said to one call: its status, the JSON object, its warnings."""

    status: int
    body: dict[str, Any]
    warnings: tuple[str, ...]

    @property
    def message(self) -> str:
        """What it says, where it is a Status."""
        return str(self.body.get("message") or "")


class ExpiredError(ClusterError):
    """The snapshot of a list is gone; `token` goes on in the next one behind the last object."""

    def __init__(self, message: str, token: str) -> None:
        super().__init__(message, HTTPStatus.GONE)
        self.token = token


class Cluster:
    """A connection by kubeconfig (the file, or what KUBECONFIG says), or from inside a pod."""

    def __init__(self, kubeconfig: Path | None = None, context: str | None = None) -> None:
        """Read the configuration. Raises ClusterError."""
        try:
            if kubeconfig is None and context is None and "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config()  # type: ignore[no-untyped-call]
            else:
                file = None if kubeconfig is None else str(kubeconfig)
                config.load_kube_config(file, context)  # type: ignore[no-untyped-call]
            self._api = client.ApiClient()
            _strip(self._api.configuration.api_key)
        except (ConfigException, OSError) as error:
            raise ClusterError(f"no usable kubeconfig: {_unquoted(error)}") from None
        except Exception:  # noqa: BLE001  # the library raises whatever the odd part of it raises
            raise ClusterError("no usable kubeconfig: it is not written as one") from None

    def crd_names(self) -> list[str]:
        """Return the names of all CustomResourceDefinitions; their bodies are not asked for."""
        return [item["metadata"]["name"] for item in self.list(_CRDS, accept=METADATA_ONLY)]

    def serves(self, api: str) -> bool:
        """Tell whether an API such as `apps/v1` is served, as far as the API server says."""
        try:
            self.get(f"/apis/{api}")
        except ClusterError:
            return False
        return True

    def list(
        self,
        path: str,
        *,
        page: int = _PAGE,
        accept: str = _JSON,
        left: Callable[[int], object] = int,
        **query: str,
    ) -> Iterator[dict[str, Any]]:
        """Yield the objects of an API path such as `/apis/apps/v1/daemonsets`, page by page.

        `query` narrows: `fieldSelector`, `labelSelector`. `left` hears before each page how many
        objects are still to come. Each object carries its apiVersion and kind, which the API server
        leaves out of lists. Where the snapshot of the list is gone before its end, the rest comes
        from the next one. Raises ClusterError.
        """
        token = ""
        while True:
            try:
                answer = self._read(path, accept, {**query, "limit": page, "continue": token})
            except ExpiredError as error:
                token = error.token
                continue
            about = answer.get("metadata") or {}
            items = answer.get("items") or []
            left(len(items) + (about.get("remainingItemCount") or 0))
            named = {
                "apiVersion": answer.get("apiVersion"),
                "kind": str(answer.get("kind")).removesuffix("List"),
            }
            for item in items:
                yield named | item
            token = about.get("continue") or ""
            if not token:
                return

    def get(self, path: str) -> dict[str, Any]:
        """Return the object at an API path, or whatever else is there. Raises ClusterError."""
        return self._read(path, _JSON, {})

    def try_apply(self, path: str, obj: dict[str, Any]) -> Answer:
        """Apply an object at its own path as a dry run: admission sees it, nothing is written.

        Where there is none yet, the mutating hooks see it before the API server asks whether the
        caller may create it at all (apiserver, endpoints/handlers/patch.go).
        """
        query = {"dryRun": "All", "fieldManager": _MANAGER, "force": "true"}
        body = orjson.dumps(obj).decode()  # JSON is YAML
        return self.ask("PATCH", path, query, body, content_type=_APPLY)

    def ask(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: Any = None,
        *,
        content_type: str = _JSON,
    ) -> Answer:
        """Make one call and return what the API server says, refusals included.

        Raises ClusterError where it says nothing.
        """
        response = self._call(method, path, _JSON, query or {}, body, content_type)
        try:
            content = orjson.loads(response.read())
        except ValueError:
            content = None  # such as what a proxy in between has to say
        return Answer(
            status=response.status,
            body=content if isinstance(content, dict) else {"message": response.reason},
            warnings=tuple(_WARNING.findall("\n".join(response.headers.getlist("Warning")))),
        )

    def _read(self, path: str, accept: str, query: dict[str, Any]) -> dict[str, Any]:
        response = self._call("GET", path, accept, query)
        if response.status != HTTPStatus.OK:
            raise _refused(response.status, response.reason, response.read())
        try:
            body = orjson.loads(response.read())
        except ValueError as error:
            raise ClusterError(f"the API server does not answer: {_first_line(error)}") from None
        if not isinstance(body, dict):
            raise ClusterError("what answers is no API server")
        return body

    def _call(
        self,
        method: str,
        path: str,
        accept: str,
        query: dict[str, Any],
        body: Any = None,
        content_type: str = _JSON,
    ) -> Any:
        """Return a response of which the body was received."""
        try:
            method, url, headers, content, _ = self._api.param_serialize(
                method, path, query_params=[pair for pair in query.items() if pair[1]],
                header_params={"Accept": accept, "Content-Type": content_type}, body=body,
                auth_settings=["BearerToken"],
            )  # fmt: skip
            response = self._api.call_api(method, url, headers, content, _request_timeout=TIMEOUT)
            response.read()  # type: ignore[no-untyped-call]
        except ApiException as error:
            raise _refused(error.status, error.reason, error.body) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterError(f"the API server does not answer: {_first_line(error)}") from None
        except Exception:  # noqa: BLE001  # such as http.client's, which quotes the token
            raise ClusterError(
                "no call can be made with this kubeconfig: its token, server or proxy-url holds a "
                "line break, a letter that is not ASCII, or the like"
            ) from None
        return response


def _strip(tokens: dict[str, str]) -> None:
    """Take line breaks off the ends of tokens, as client-go does with those of files."""
    for name, token in tokens.items():
        tokens[name] = token.strip()


def _unquoted(error: BaseException) -> str:
    """Return the library's message without the part of the file that it quotes."""
    return _first_line(error).partition("/{")[0].partition("{")[0]


def _refused(status: int | None, reason: str | None, body: bytes | str | None) -> ClusterError:
    message = f"the API server refuses: {status} {reason}"
    if status == HTTPStatus.GONE:
        token = _next_token(body or "")
        if token:
            return ExpiredError(message, token)
    return ClusterError(message, status)


def _next_token(body: bytes | str) -> str:
    """Return the token that the API server offers instead of one that expired."""
    try:
        return str(orjson.loads(body)["metadata"]["continue"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]

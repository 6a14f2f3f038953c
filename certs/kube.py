"""The few calls to the API server, on raw objects: get, and merge patches guarded by version."""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException

TIMEOUT = (3, 10)  # seconds to connect, and between two bytes


class ApiError(Exception):
    """The API server refused or did not answer. `status` is 0 where there was no answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}" if status else reason)
        self.status = status


class Kube:
    """A connection from inside a pod, or by kubeconfig."""

    def __init__(self, kubeconfig: Path | None = None) -> None:
        """Read the configuration. Raises ApiError."""
        try:
            if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config()  # type: ignore[no-untyped-call]
            else:
                file = None if kubeconfig is None else str(kubeconfig)
                config.load_kube_config(file)  # type: ignore[no-untyped-call]
            self._api = client.ApiClient()
            _strip(self._api.configuration.api_key)
        except (ConfigException, OSError) as error:
            raise ApiError(0, f"no usable kubeconfig: {_unquoted(error)}") from None
        except Exception:  # noqa: BLE001  # the library raises whatever the odd part of it raises
            raise ApiError(0, "no usable kubeconfig: it is not written as one") from None

    def get(self, path: str) -> dict[str, Any]:
        """Return an object, or a list. Raises ApiError."""
        return self._call("GET", path)

    def merge(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Merge-patch an object; with a resourceVersion in it, only that version."""
        return self._call("PATCH", path, body, "application/merge-patch+json")

    def patch(self, path: str, ops: list[dict[str, Any]]) -> dict[str, Any]:
        """JSON-patch an object."""
        return self._call("PATCH", path, ops, "application/json-patch+json")

    def _call(
        self, method: str, path: str, body: Any = None, content_type: str | None = None
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        if content_type:
            headers["Content-Type"] = content_type
        response = self._sent(method, path, headers, None if body is None else json.dumps(body))
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise ApiError(response.status, response.reason or "refused")
        try:
            found: dict[str, Any] = json.loads(response.data)
        except ValueError as error:
            raise _unanswered(error) from None
        return found

    def _sent(self, method: str, path: str, headers: dict[str, str], body: str | None) -> Any:
        try:
            _, url, sent, *_ = self._api.param_serialize(
                method, path, header_params=headers, auth_settings=["BearerToken"]
            )
            return self._api.rest_client.pool_manager.request(
                method, url, headers=sent, body=body,
                timeout=urllib3.Timeout(*TIMEOUT), retries=False,
            )  # fmt: skip
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unanswered(error) from None
        except Exception:  # noqa: BLE001  # such as http.client's, which quotes the token
            raise ApiError(
                0,
                "no call can be made with this kubeconfig: its token, server or proxy-url holds a "
                "line break, a letter that is not ASCII, or the like",
            ) from None


def _unanswered(error: BaseException) -> ApiError:
    return ApiError(0, f"the API server does not answer: {_first_line(error)}")


def _strip(tokens: dict[str, str]) -> None:
    """Take line breaks off the ends of tokens, as client-go does with those of files."""
    for name, token in tokens.items():
        tokens[name] = token.strip()


def _unquoted(error: BaseException) -> str:
    """Return the library's message without the part of the file that it quotes."""
    return _first_line(error).partition("/{")[0].partition("{")[0]


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]

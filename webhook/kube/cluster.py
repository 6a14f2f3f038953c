"""Read from a cluster. Only the verbs with --cluster come here; serving makes no API call."""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

TIMEOUT = (5, 30)  # seconds to connect, and between two bytes
_PAGE = 500


class ClusterError(Exception):
    """The cluster could not be looked at: why, in a line."""


class Cluster:
    """A connection by kubeconfig (the file, or what KUBECONFIG says), or from inside a pod."""

    def __init__(self, kubeconfig: Path | None = None) -> None:
        """Read the configuration. Raises ClusterError."""
        try:
            if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config()  # type: ignore[no-untyped-call]
            else:
                file = None if kubeconfig is None else str(kubeconfig)
                config.load_kube_config(file)  # type: ignore[no-untyped-call]
            self._api = client.ApiClient()
        except (ConfigException, OSError, TypeError, ValueError) as error:
            raise ClusterError(f"no usable kubeconfig: {_first_line(error)}") from None

    def crd_names(self) -> list[str]:
        """Return the names of all CustomResourceDefinitions; their bodies are not asked for."""
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        names: list[str] = []
        token: str | None = None
        while token is None or token:
            page = self._get(path, {"limit": _PAGE, **({"continue": token} if token else {})})
            names += [item["metadata"]["name"] for item in page["items"]]
            token = page["metadata"].get("continue") or ""
        return names

    def _get(self, path: str, query: dict[str, Any]) -> dict[str, Any]:
        """Return a list of objects with their metadata alone."""
        accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
        try:
            method, url, headers, *_ = self._api.param_serialize(
                "GET", path, query_params=list(query.items()), header_params={"Accept": accept},
                auth_settings=["BearerToken"],
            )  # fmt: skip
            response = self._api.call_api(method, url, headers, _request_timeout=TIMEOUT)
            data = response.read()  # type: ignore[no-untyped-call]
            if response.status != HTTPStatus.OK:
                raise ClusterError(f"the API server refuses: {response.status} {response.reason}")
            body: dict[str, Any] = json.loads(data)
        except ApiException as error:
            raise ClusterError(f"the API server refuses: {error.status} {error.reason}") from None
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ClusterError(f"the API server does not answer: {_first_line(error)}") from None
        return body


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]

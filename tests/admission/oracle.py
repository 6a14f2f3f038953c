"""What the API server checks of an answer, written from its source and not from ours.

apiserver v0.37.2: pkg/admission/plugin/webhook/request/admissionreview.go (VerifyAdmissionResponse),
mutating/dispatcher.go, generic/webhook.go; apimachinery: metav1.Status.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

_MEMBERS = {
    "uid": str, "allowed": bool, "status": dict, "patch": str, "patchType": str,
    "auditAnnotations": dict, "warnings": list,
}  # fmt: skip
# What Flux deletes and recreates an object for: fluxcd/pkg, ssa/errors/immutable.go. Wider here:
# any case, any blanks.
RECREATED = re.compile(r"is\s+immutable|immutable\s+field", re.IGNORECASE)
_QUALIFIED_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def verify(answer: dict[str, Any], uid: str, *, mutating: bool) -> None:
    """Fail where the API server would refuse the answer, drop a part of it, or cut it."""
    assert set(answer) == {"apiVersion", "kind", "response"}
    assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response = answer["response"]
    for key, value in response.items():
        assert type(value) is _MEMBERS[key], f"{key} does not decode"
    assert response["uid"] == uid
    _verify_patch(response, mutating=mutating)
    _verify_status(response)
    for key, value in response.get("auditAnnotations", {}).items():
        assert _QUALIFIED_NAME.fullmatch(key), "the hook's name and a slash go in front of it"
        assert type(value) is str
    warnings = response.get("warnings", [])
    assert len(set(warnings)) == len(warnings)
    assert sum(map(len, warnings)) <= 4096
    for warning in warnings:
        assert type(warning) is str
        assert 0 < len(warning) <= 120
        assert warning.isprintable(), "it travels in an HTTP header"
        assert not RECREATED.search(warning)


def _verify_patch(response: dict[str, Any], *, mutating: bool) -> None:
    if not mutating:
        assert "patch" not in response
        assert "patchType" not in response
    if "patch" not in response:
        assert "patchType" not in response, "patchType but not response.patch"
        return
    assert response["patchType"] == "JSONPatch"
    assert response["allowed"], "a denied write is not patched"
    operations = json.loads(base64.b64decode(response["patch"], validate=True))
    assert operations
    for operation in operations:
        assert set(operation) == {"op", "path", "value"}
        assert operation["path"].startswith("/")


def _verify_status(response: dict[str, Any]) -> None:
    if response["allowed"]:
        assert "status" not in response
        return
    status = response["status"]
    assert status["code"] == 403, "a code below 400 would become 400, another could be retried"
    assert status.get("status", "Failure") == "Failure"
    assert status["reason"] == "Forbidden", "Invalid and Conflict make Flux recreate the object"
    assert not RECREATED.search(status["message"])
    assert status["message"].strip(), "denied without explanation"

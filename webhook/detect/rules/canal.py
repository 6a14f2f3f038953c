"""Canal: Flannel's data path with Calico's policies, so it is as Flannel is."""

from __future__ import annotations

from webhook.detect.model import Reading
from webhook.detect.rules import flannel
from webhook.detect.seen import Scope


def read(scope: Scope) -> Reading:
    """Read Flannel's backend; canal-etcd's is in etcd."""
    return flannel.read(scope, usual="canal-config")

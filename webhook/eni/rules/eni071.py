"""A rate limit blocks an API, or is for none.

The value is calls a minute; with 0 or less each wait for the limiter fails, so that API is never
called again (pkg/aliyun/client/ratelimit.go:53-62, v1.17.5). Unknown names limit nothing.

Wrong: eni_conf: {"rate_limit": {"DescribeVSwitches": 0}}
Right: eni_conf: {"rate_limit": {"DescribeVSwitches": 300}}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import RATE_LIMIT_APIS
from webhook.findings import Level

NAME = "rate-limit"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield an error for each limit that blocks, a warning for each unknown API."""
    for name, limit in ((document.values or {}).get("rate_limit") or {}).items():
        path = (document.conf.key, "rate_limit", name)
        if limit <= 0 and path[1:] not in document.wrong_paths:
            yield Fault(
                path=path,
                message=f"{limit} blocks every call of this API",
                fix="write calls per minute, above 0",
            )
        if name not in RATE_LIMIT_APIS:
            yield Fault(
                path=path,
                message="Terway limits no API of this name",
                fix="write the API's exact name, such as DescribeVSwitches",
                level=Level.WARNING,
            )

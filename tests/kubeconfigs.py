"""Files that are no kubeconfig, each of which the library fails on in another way."""

from __future__ import annotations

NONE = {
    "text": "text",
    "a list": "[]",
    "no YAML": "a: [",
    "a tag of Python": '!!python/object/apply:os.system ["echo"]',
    "a server that is a number": (
        "clusters: [{name: a, cluster: {server: 5}}]\n"
        "contexts: [{name: a, context: {cluster: a, user: a}}]\n"
        "users: [{name: a, user: {}}]\ncurrent-context: a\n"
    ),
}


SECRET = "S3CR3T"


def _one(cluster: str = "", user: str = "") -> str:
    """A kubeconfig of one cluster that nobody answers for."""
    return (
        f"apiVersion: v1\nkind: Config\nclusters: [{{name: a, cluster: {{{cluster}}}}}]\n"
        "contexts: [{name: a, context: {cluster: a, user: a}}]\n"
        f"users: [{{name: a, user: {{{user}}}}}]\ncurrent-context: a\n"
    )


_NOBODY = '"server": "http://127.0.0.1:1"'
ODD = {
    "a token that ends its line": _one(_NOBODY, f'"token": "{SECRET}\\n"'),
    "a token of two lines": _one(_NOBODY, f'"token": "{SECRET}\\nX: y"'),
    "a token that is not ASCII": _one(_NOBODY, f'"token": "{SECRET}\\u2028\\u0416"'),
    "a token that is a number": _one(_NOBODY, '"token": 5'),
    "a server that is empty": _one('"server": ""', f'"token": "{SECRET}"'),
    "no server beside a proxy": _one(f'"server": null, "proxy-url": "http://u:{SECRET}@h:1"'),
    "a proxy that is none": _one(f'{_NOBODY}, "proxy-url": "x"', f'"token": "{SECRET}"'),
    "a proxy that is a number": _one(f'{_NOBODY}, "proxy-url": 5', f'"token": "{SECRET}"'),
    "a proxy without a library": _one(f'{_NOBODY}, "proxy-url": "socks5://u:{SECRET}@h:1"'),
    "a proxy with half an address": _one(f'{_NOBODY}, "proxy-url": "http://[::1"'),
    "a proxy with a port that is none": _one(f'{_NOBODY}, "proxy-url": "http://a:x"'),
    "a program that fails": _one(
        _NOBODY,
        '"exec": {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", '
        f'"command": "sh", "args": ["-c", "echo {SECRET} >&2; exit 3"]}}',
    ),
    "a program that is missing": _one(
        _NOBODY,
        '"exec": {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", '
        '"command": "/no/such/program"}',
    ),
}
"""Kubeconfigs that can be read, and with which no call comes to an answer."""

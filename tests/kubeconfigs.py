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

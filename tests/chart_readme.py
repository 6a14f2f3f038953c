"""Write the chart's README from its values: `python -m tests.chart_readme`, by `make docs`.

Each value's comment, the lines right above it, is its description; a table row a value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import yaml

from tests.conftest import ROOT
from webhook.policy.safety_net import pinned

CHART = ROOT / "charts" / "hybrid-guard"
_HEAD = """\
# hybrid-guard

Keeps CNI add-ons and workloads on their side of a hybrid cluster, and Terway's eni-config correct.

```
helm install hybrid-guard charts/hybrid-guard --namespace kube-system --set network=bgp
```

`network` is how packets move between the on-prem nodes: `overlay`, `bgp` or `host`; without it the
chart refuses and says how to find out. Two Deployments come up: the server, whose ServiceAccount
has no rights, and the rotator, which may write one Secret, one Lease and the two webhook
configurations. Until the certificate is in, writes of eni-config are refused, and no others.

With `network: bgp` a ValidatingAdmissionPolicy of the API server keeps the pin on known add-ons
also while the server is down; [below](#the-safety-net) is what it covers.

## Is it in force?

```
helm test hybrid-guard --namespace kube-system
```

asks the API server for what hybrid-guard must refuse and pin, as dry runs: a broken eni-config, a CNI
add-on without affinity. A dry run needs the rights of a write, and none of RBAC's says "dry runs
only": so the test's account, which exists for as long as the test, may create nothing. It may patch
one ConfigMap that is made for it and goes with it, and one DaemonSet that is never there: the
mutating hooks are asked before the API server finds that it may not be created. `hybrid-guard probe`
does the same with your own rights.

## The safety net

An update of a DaemonSet is refused (HG107) where the stored object is an add-on of the catalogue, its
pods were kept on the side that policy asks for, and they no longer would be. However that is said:
`NotIn`, `DoesNotExist`, `In` with other values, `Gt`, `Lt`, `nodeSelector`, in one expression or by
several; one spelling may become another. The stored object tells the add-on, by its name or by its
image. Your rules, placement labels where `overrides` lets them count, and the namespace's label go
before the catalogue, and where `action` is `warn` the net lets everything pass, as the server does.

The API server bounds what a policy may cost. A pod spec of at most about 3,700 plain node terms, or
400,000 values in one expression, is judged; what is larger and changes on which nodes the pods run
is refused (HG109), unless the new one is small and pinned. Other updates of it pass.

Not covered:

- Kubernetes before 1.30, networks other than `bgp`, workloads that are no DaemonSets, workloads that
  rules of yours place and the catalogue does not know.
- CREATE, so a cluster can be built from nothing: an add-on that is deleted and made again while the
  server is down comes without a pin.
- An object with a `deletionTimestamp`, and an object that had no pin: nothing adds one meanwhile.
- A term that no node matches counts as pinned. That is not seen where its `In` lists are longer than
  SHORT values, where `NotIn` excludes every spelling of each integer that `Gt` and `Lt` leave, or
  where an old API server let in a value that no label has: such a term counts as one without a pin.
- Sets in globs: `[abc]` in a rule counts as any one character.
- An API server counts the cost of rules too: hundreds of rules with `images`, on an object with dozens
  of containers, are more than it grants, and then the update passes.

If an update must take a pin off: `kubectl delete validatingadmissionpolicybinding
hybrid-guard-safety-net`; `helm upgrade` puts it back.

## When a write must pass while it is down

Only writes of eni-config wait for the server; all other hooks are `Ignore`. The API server itself
refuses them then, and what it shows of ours is the hook's path. That path is the command to type:

```
failed calling webhook "validate-eni-config.hybrid-guard.io": failed to call webhook: Post
"https://hybrid-guard.kube-system.svc:443/validate/break-glass/kubectl/delete/validatingwebhookconfiguration/hybrid-guard?timeout=5s": ...

kubectl delete validatingwebhookconfiguration hybrid-guard
```

`helm upgrade` with the same values puts the hooks back, and the rotator their CA within a minute.

## What a compromised server could do

An admission webhook is trusted by the API server. Somebody who runs code in the server's pod

- can change any field of what its mutating hooks match (DaemonSets, Deployments, StatefulSets,
  ReplicaSets, Jobs, CronJobs, ReplicationControllers and `policy.templates`, on CREATE and UPDATE)
  in kube-system, the other namespaces of the catalogue, those that rules or a placement label name,
  or in every namespace where a rule has a glob or names none. A privileged container or another
  ServiceAccount in one of those is root on the nodes its pods reach, and every right in kube-system;
- can so also change the rotator's Deployment at its next write, and through it the hooks themselves;
- can refuse those writes, and those of eni-config. `failurePolicy: Ignore` forgives silence, not a
  denial. `kubectl delete mutatingwebhookconfiguration,validatingwebhookconfiguration hybrid-guard`
  ends all of it;
- can read what it is sent: those workloads with the values in their environment, who writes them,
  and eni-config before and after a write, with the AccessKey in it (`credentials: inline`);
- can read its own TLS key, until the rotator's next one; the CA's key is not mounted;
- cannot call the API server: it has no token and its ServiceAccount no rights, so it acts only when
  somebody else writes. It is never sent Secrets, Nodes, Leases, Pods of controllers, or other
  ConfigMaps, and cannot hold those writes up;
- cannot open a connection, where the pod network enforces NetworkPolicy and the pods are not on the
  nodes' network.

So guard it as you guard kube-system: pin the image by `image.digest`, and let nobody exec into it.

## Uninstall

```
helm uninstall hybrid-guard --namespace kube-system
```

Helm deletes the webhook configurations first, so no write waits for a server that is going. The node
affinity stays on the workloads that have it: taking it off would start a rollout, and let them move.

## Values

Generated from `values.yaml` by `make docs`; a test compares the two.

| value | default | meaning |
|---|---|---|
"""


def text() -> str:
    """Return the README."""
    root = yaml.compose((CHART / "values.yaml").read_text())
    lines = (CHART / "values.yaml").read_text().splitlines()
    assert isinstance(root, yaml.MappingNode)
    rows = (
        f"| `{name}` | `{default}` | {meaning} |" for name, default, meaning in _rows(root, lines)
    )
    return _HEAD.replace("SHORT", str(pinned.SHORT)) + "\n".join(rows) + "\n"


def _rows(
    node: yaml.MappingNode, lines: list[str], prefix: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Yield name, default and meaning of every value that has a comment above it."""
    for key, value in node.value:
        name, comment = f"{prefix}{key.value}", _comment(lines, key.start_mark.line)
        is_group = isinstance(value, yaml.MappingNode) and not value.flow_style
        if comment and not is_group:
            yield name, _default(value), comment
        elif is_group:
            if comment and not any(_comment(lines, k.start_mark.line) for k, _ in value.value):
                yield name, _default(value), comment
            yield from _rows(value, lines, f"{name}.")


def _comment(lines: list[str], at: int) -> str:
    found: list[str] = []
    while at and lines[at - 1].lstrip().startswith("# "):
        at -= 1
        found.insert(0, lines[at].lstrip()[2:])
    return " ".join(found)


def _default(node: yaml.Node) -> str:
    loader = yaml.SafeLoader("")
    return json.dumps(loader.construct_document(node))


if __name__ == "__main__":
    (CHART / "README.md").write_text(text())

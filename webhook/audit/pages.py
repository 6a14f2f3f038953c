"""The manual's pages of the placement and network rules and of the probe's: HG1xx, HG2xx, HG3xx.

Wrong and right are parts of manifests; where they are pod specs, a test judges them: those of
calico-node in the bgp network.
"""

from __future__ import annotations

from webhook.eni.manual import Page
from webhook.findings import Level

_OFF_CLOUD = '{key: alibabacloud.com/external, operator: NotIn, values: ["true"]}'
_ON_CLOUD = '{key: alibabacloud.com/external, operator: In, values: ["true"]}'


def _required(*expressions: str) -> tuple[str, ...]:
    """Return the lines of a pod spec with one term."""
    return (
        "affinity:",
        "  nodeAffinity:",
        "    requiredDuringSchedulingIgnoredDuringExecution:",
        "      nodeSelectorTerms:",
        "        - matchExpressions:",
        *(f"            - {expression}" for expression in expressions),
    )


PAGES = (
    Page(
        rule="HG100",
        name="unreadable",
        level=Level.ERROR,
        summary="A pod template or placement label cannot be read.",
        why="Kubernetes would not decode it: a map where a list belongs, a number where a text "
        "belongs. So nobody can tell where the pods land. A placement label that is none of "
        "on-prem, cloud and any is a warning and does not count.",
        wrong=("nodeSelector: [alibabacloud.com/external]",),
        right=("nodeSelector: {kubernetes.io/os: linux}", *_required(_OFF_CLOUD)),
    ),
    Page(
        rule="HG101",
        name="can-land-on-cloud",
        level=Level.ERROR,
        summary="A workload can land on cloud nodes and must not.",
        why="Policy, or the catalogue of CNI add-ons, wants it on-prem, and one of its "
        "nodeSelectorTerms admits a cloud node: terms are ORed, so each needs the expression. A "
        "BGP node agent on a cloud node finds no peer there and fights Terway for the node's "
        "network. Admission adds the expression; an audit judges the manifest as it is written.",
        wrong=("nodeSelector: {kubernetes.io/os: linux}",),
        right=_required(_OFF_CLOUD),
    ),
    Page(
        rule="HG102",
        name="can-land-on-prem",
        level=Level.ERROR,
        summary="A workload can land on on-prem nodes and must not.",
        why="Policy, or the catalogue, wants it on cloud nodes: Terway asks the cloud for network "
        "interfaces that an on-prem machine does not have. Each of its nodeSelectorTerms needs "
        "the expression, or its nodeSelector the label.",
        wrong=("nodeSelector: {kubernetes.io/os: linux}",),
        right=_required(_ON_CLOUD),
    ),
    Page(
        rule="HG103",
        name="contradiction",
        level=Level.ERROR,
        summary="Policy and the object's own selector exclude each other.",
        why="With the expression added nothing could match, and the pods would be Pending for "
        "ever, so nothing is added. What somebody wrote on the object wins over our guess: "
        "against the catalogue this is a warning. It is one, too, for a single term of several "
        "that can match nothing.",
        wrong=("nodeSelector: {alibabacloud.com/external: 'true'}",),
        right=_required(_OFF_CLOUD),
    ),
    Page(
        rule="HG104",
        name="matches-no-node",
        level=Level.WARNING,
        summary="A workload matches no node at all.",
        why="Its nodeSelector and its terms exclude each other, or the list of terms is empty: "
        "an empty term matches nothing. The API server refuses an empty list; the rest it stores, "
        "and no pod ever runs.",
        wrong=_required(
            "{key: zone, operator: In, values: [a]}", "{key: zone, operator: DoesNotExist}"
        ),
        right=_required(_OFF_CLOUD),
    ),
    Page(
        rule="HG105",
        name="only-prefers-its-side",
        level=Level.NOTE,
        summary="A workload only prefers its side.",
        why="The rule says enforcement: preferred, so the scheduler may still choose the other "
        "side where its own is full. It is meant as a reminder; write enforcement: required in the "
        "policy to be strict. The DaemonSet controller ignores preferences altogether.",
        wrong=("enforcement: preferred",),
        right=("enforcement: required",),
    ),
    Page(
        rule="HG106",
        name="volume-on-the-other-side",
        level=Level.WARNING,
        summary="A volume binds pods to the other side.",
        why="A PersistentVolume with node affinity, a local disk or a zone's cloud disk, can be "
        "attached on its own side only. A pod that policy sends to the other one stays Pending. "
        "At admission the volumes are not known: there every StatefulSet with "
        "volumeClaimTemplates is told of once.",
        wrong=("placement: on-prem   # and its volume lives in cn-hangzhou-g",),
        right=("placement: cloud",),
    ),
    Page(
        rule="HG107",
        name="update-drops-terms",
        level=Level.WARNING,
        summary="An update drops node terms that the stored object had.",
        why="nodeSelectorTerms is one field: an apply or a patch that brings a list replaces it "
        "as a whole, with what others, or the cloud's own document, had put there. Told at "
        "admission; audits see no updates. With network bgp the API server itself, by the chart's "
        "safety net, refuses an update that leaves a known add-on's DaemonSet without its pin, as "
        "one can while no server puts it back.",
        wrong=("kubectl patch ds cni -p '{...nodeSelectorTerms: [one new term]}'",),
        right=("kubectl patch ds cni -p '{...nodeSelectorTerms: [every term, the new one too]}'",),
    ),
    Page(
        rule="HG108",
        name="bound-to-a-node",
        level=Level.WARNING,
        summary="A pod template names a node, so nothing can keep its pods on a side.",
        why="The scheduler is not asked about a pod with nodeName, but the kubelet of that node "
        "checks its required node affinity: where that does not fit, the pod fails with reason "
        "NodeAffinity and its owner makes a new one, without end. So nothing is added, and the "
        "validating hook denies it only where a rule of yours says action: deny. DaemonSets are "
        "pinned as ever: their controller looks at both before it makes a pod.",
        wrong=("nodeName: cn-hangzhou.10.0.3.7",),
        right=_required(_OFF_CLOUD),
    ),
    Page(
        rule="HG109",
        name="cannot-be-judged",
        level=Level.ERROR,
        summary="A workload is beyond a bound of what is judged.",
        why="Its pod template nests over 240 levels, its node affinity has over 10,000 terms, "
        "20,000 expressions or 100,000 values, its review is over 32 MiB or over 3,000,000 items, "
        "or JSON readers would read it in different ways. Whoever is asked about it would be too "
        "late, or wrong, and a write that nobody answers is "
        "stored as it is. So the mutating hook says that it adds nothing, and the validating one "
        "denies it, unless policy asks nothing of it or the write leaves template and placement "
        "label byte for byte as they are stored. No real manifest known is within a hundredth.",
        wrong=("affinity: {}  # with ten thousand and one nodeSelectorTerms",),
        right=_required(_OFF_CLOUD),
    ),
    Page(
        rule="HG110",
        name="image-not-pullable",
        level=Level.WARNING,
        summary="An image cannot be pulled from cloud nodes.",
        why="A workload that may run on cloud nodes names a registry of the office network: a "
        "private address, a name without a domain, a suffix such as .local or .corp. The pods "
        "there end in ImagePullBackOff, and with a CNI's the node never becomes Ready. Looked at "
        "by name alone: a mirror in containerd's hosts.toml may still serve it.",
        wrong=("image: 10.0.0.5:5000/flannel/flannel:v0.27.4",),
        right=("image: registry.cn-hangzhou.aliyuncs.com/corp/flannel:v0.27.4",),
    ),
    Page(
        rule="HG201",
        name="network-differs",
        level=Level.ERROR,
        summary="The network in the policy is not the one these objects show.",
        why="The policy's network decides which CNI add-ons keep off cloud nodes. With overlay "
        "where the CNI speaks BGP, it is let onto nodes where it cannot work; with bgp where it "
        "is an overlay, cloud nodes lose the network they have. A warning where the evidence is a "
        "default or a hint that something unseen may overrule, and for encapsulation between "
        "subnets only. `hybrid-guard detect` shows the evidence.",
        wrong=("network: bgp   # and every IPPool has vxlanMode: Always",),
        right=("network: overlay",),
    ),
    Page(
        rule="HG202",
        name="companion-left-behind",
        level=Level.WARNING,
        summary="A companion of the CNI stays where the CNI does not run.",
        why="A CNI brings more DaemonSets than its agent. One that is pinned without the others "
        "leaves pods that crash, or that go on writing a node's CNI configuration.",
        wrong=("calico-node keeps off cloud nodes, csi-node-driver does not",),
        right=("both have the expression",),
    ),
    Page(
        rule="HG203",
        name="not-one-cni",
        level=Level.WARNING,
        summary="Two CNIs can meet on a node, or none, or leftovers of one.",
        why="The kubelet takes the first file in /etc/cni/net.d, so with two CNIs chance decides "
        "which one makes a pod's network; with none the node stays NotReady.",
        wrong=("calico-node and terway-eniip both admit cloud nodes",),
        right=("calico-node on-prem, terway-eniip on cloud nodes",),
    ),
    Page(
        rule="HG204",
        name="network-policy-without-crds",
        level=Level.WARNING,
        summary="Terway's NetworkPolicy is on without its CRDs.",
        why="Terway v1.17.5 runs Felix for NetworkPolicy (cmd/terway-cli/policy.go:104), and "
        "Felix reads eight CRDs of Calico's. Without them, or with v1beta1 ones on a cluster "
        "since 1.22, it never starts, and no policy is enforced.",
        wrong=('disable_network_policy: "false"   # and no crd.projectcalico.org CRD',),
        right=("hybrid-guard crds print --cluster | kubectl apply --server-side -f -",),
    ),
    Page(
        rule="HG205",
        name="network-policy-beside-calico",
        level=Level.WARNING,
        summary="Terway's NetworkPolicy is on beside Calico.",
        why="Felix and calico-node own the same chains and the same port: they must never share "
        "a node, and one GlobalNetworkPolicy acts on both. A CRD of Terway's chart whose schema "
        "has no spec empties the objects of a real Calico (Terway issue 107).",
        wrong=('disable_network_policy: "false"   # and calico-node admits cloud nodes',),
        right=('disable_network_policy: "true"',),
    ),
    Page(
        rule="HG207",
        name="forged-owner",
        level=Level.ERROR,
        summary="An object names a controller that did not make it.",
        why="What a Deployment or a DaemonSet makes is judged by that one's template, so its "
        "ReplicaSets and Pods pass. Anybody who may write an object may write such a reference. In "
        "a cluster the owner must be there with the uid that is named, and its selector must fit "
        "the object's labels; templates are not compared, since an old ReplicaSet's differs. The "
        "object is judged as if it had no owner.",
        wrong=(
            "metadata:",
            "  labels: {app: miner}",
            "  ownerReferences:",
            "    - {apiVersion: apps/v1, kind: DaemonSet, name: x, uid: y, controller: true}",
        ),
        right=("metadata:", "  labels: {app: miner}"),
    ),
    Page(
        rule="HG301",
        name="no-server-ready",
        level=Level.ERROR,
        summary="No server behind the Service is ready.",
        why="The probe asks for /readyz through the API server's proxy to the Service. While no "
        "server is ready nothing is judged: the API server refuses writes of eni-config, and takes "
        "all others as they are.",
        wrong=("kubectl -n kube-system scale deployment hybrid-guard --replicas=0",),
        right=("kubectl -n kube-system scale deployment hybrid-guard --replicas=2",),
    ),
    Page(
        rule="HG302",
        name="eni-config-gets-past",
        level=Level.ERROR,
        summary="A broken eni-config gets past hybrid-guard.",
        why="The probe applies a ConfigMap whose eni_conf is no JSON, as a dry run. The API server "
        "took it, so the validating hook is missing or looks at another namespace; or refused it "
        "without asking hybrid-guard, so no server answers, or it does not trust its certificate.",
        wrong=("kubectl delete validatingwebhookconfiguration hybrid-guard",),
        right=("helm upgrade hybrid-guard charts/hybrid-guard -n kube-system --reuse-values",),
    ),
    Page(
        rule="HG303",
        name="add-on-gets-past",
        level=Level.ERROR,
        summary="A CNI add-on gets past hybrid-guard.",
        why="The probe applies a DaemonSet with an add-on's image and without affinity, as a dry "
        "run. It must be pinned, or refused or warned about where policy's action says so. It was "
        "not: the mutating hook is missing, no server answers, or the server has another policy "
        "than the probe was given.",
        wrong=("kubectl delete mutatingwebhookconfiguration hybrid-guard",),
        right=("helm upgrade hybrid-guard charts/hybrid-guard -n kube-system --reuse-values",),
    ),
)

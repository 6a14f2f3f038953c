"""Who reconciles a workload, what that does to an injected affinity, and the knob of their own.

Data, one row a reconciler, in the order they are told. Sources: tigera operator
pkg/controller/utils/component.go and api/v1/calico_node_types.go; Argo CD
docs/user-guide/diff-strategies.md; OpenShift cluster-network-operator pkg/apply/apply.go;
Submariner internal/controllers/apply/apply.go; Cilium's Helm reference.

`explanation` fills in the words of a knob's lines that begin with `$`, quoted for the shell
(`$shell_...`) or for YAML.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """A writer, how it is known, what it does, and what to write instead of fighting it.

    `owners`: API groups in ownerReferences. `managers`: globs of field managers. `labels` and
    `annotations`: keys, or `key=value` for one value.
    """

    name: str
    does: str
    knob: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()


RECONCILERS: tuple[Reconciler, ...] = (
    Reconciler(
        name="tigera-operator",
        owners=("operator.tigera.io",),
        does="its PUT brings the whole spec and no affinity, and admission puts the term back into "
        "it: nothing changes while admission answers, the pin goes while it does not",
        knob=(
            "the operator's own field, since v1.28 (it replaces the affinity, it does not merge):",
            "kubectl patch installation default --type merge -p $shell_installation",
            "moving from manifests to it, take the pin off first: it refuses one (calico#6357)",
        ),
    ),
    Reconciler(
        name="Submariner operator",
        owners=("submariner.io",),
        does="it writes the whole spec whenever it differs, and admission puts the term back",
        knob=(
            "its own field, which takes labels that a node must have:",
            "Submariner.spec.nodeSelector",
        ),
    ),
    Reconciler(
        name="OpenShift cluster-network-operator",
        owners=("operator.openshift.io", "config.openshift.io"),
        managers=("cluster-network-operator*",),
        does="it applies with force: an affinity that nobody owns stays, terms of its own manifest "
        "come back, and admission adds to them again",
    ),
    Reconciler(
        name="RKE2 or k3s helm-controller",
        labels=("objectset.rio.cattle.io/hash",),
        annotations=("objectset.rio.cattle.io/owner-gvk", "helm.cattle.io/chart-url"),
        managers=("helm-controller@*", "deploy@*"),
        does="it upgrades when chart or values change, and applies its manifests again when a "
        "server starts: what they do not set stays",
        knob=(
            "where the chart has a value for it (rke2-canal has none):",
            "apiVersion: helm.cattle.io/v1",
            "kind: HelmChartConfig",
            "metadata: {name: $release, namespace: kube-system}",
            "spec: {valuesContent: $values_text}",
        ),
    ),
    Reconciler(
        name="Argo CD",
        labels=("argocd.argoproj.io/instance",),
        annotations=("argocd.argoproj.io/tracking-id",),
        managers=("argocd-controller", "argocd-application-controller"),
        does="a field that Git does not have is left alone; terms that Git has as well make the "
        "application OutOfSync for ever, and self-heal writes in vain",
        knob=(
            "in the Application (or the pinned term in Git: `hybrid-guard patch --in-place`):",
            "ignoreDifferences:",
            "- group: $group",
            "  kind: $kind",
            "  namespace: $namespace",
            "  name: $name",
            "  jqPathExpressions:",
            "  - $jq",
            "with server-side diff, on the Application instead:",
            "argocd.argoproj.io/compare-options: ServerSideDiff=true,IncludeMutationWebhook=true",
        ),
    ),
    Reconciler(
        name="Flux helm-controller",
        labels=("helm.toolkit.fluxcd.io/name",),
        does="its dry runs pass admission, so nothing drifts while that answers; what it upgrades "
        "meanwhile goes in without the term",
        knob=(
            "in the spec of the HelmRelease, where drift detection is on:",
            "driftDetection:",
            "  mode: enabled",
            "  ignore: [{paths: [$pointer], target: {kind: $kind, name: $name}}]",
            "or the chart's own value:",
            "values: $values",
        ),
    ),
    Reconciler(
        name="Flux kustomize-controller",
        labels=("kustomize.toolkit.fluxcd.io/name",),
        managers=("kustomize-controller",),
        does="it applies server-side each interval, and its dry runs pass admission, so nothing "
        "drifts while that answers",
        knob=("put the term into Git: `hybrid-guard patch --in-place`",),
    ),
    Reconciler(
        name="kops",
        labels=("addon.kops.k8s.io/name", "app.kubernetes.io/managed-by=kops"),
        does="it applies its channel again on updates: what that does not set stays, terms that it "
        "sets come back, and admission adds to them again",
    ),
    Reconciler(
        name="Helm",
        labels=("app.kubernetes.io/managed-by=Helm",),
        annotations=("meta.helm.sh/release-name",),
        managers=("helm",),
        does="an upgrade keeps what the chart does not set; terms of the chart come back, and "
        "admission adds to them again",
        knob=(
            "the chart's value, where it has one:",
            "helm upgrade $shell_release CHART -n $shell_namespace --reuse-values \\",
            "  --set-json $shell_setting",
        ),
    ),
    Reconciler(
        name="addon-manager",
        labels=("addonmanager.kubernetes.io/mode=Reconcile",),
        managers=("kube-addon-manager",),
        does="it applies every minute: what its file does not set stays",
        knob=("the file in /etc/kubernetes/addons: `hybrid-guard patch --in-place`",),
    ),
    Reconciler(
        name="kubectl apply",
        annotations=("kubectl.kubernetes.io/last-applied-configuration",),
        managers=("kubectl-client-side-apply", "kubectl"),
        does="the next apply keeps what its file does not set; a list of terms in the file "
        "replaces the one that is stored, and admission adds to it again",
        knob=("put the term into the file: `hybrid-guard patch --in-place`",),
    ),
)

# Installation's field for each workload that the operator makes (operator api/v1).
INSTALLATION_FIELDS = {
    "calico-node": "calicoNodeDaemonSet",
    "calico-node-windows": "calicoNodeWindowsDaemonSet",
    "csi-node-driver": "csiNodeDriverDaemonSet",
    "calico-typha": "typhaDeployment",
    "calico-kube-controllers": "calicoKubeControllersDeployment",
}
# The value of a chart that sets a workload's affinity; charts commonly call it so.
CHART_VALUES = {
    "cilium-envoy": "envoy.affinity",
    "cilium-operator": "operator.affinity",
    "cilium-node-init": "nodeinit.affinity",
    "hubble-relay": "hubble.relay.affinity",
    "hubble-ui": "hubble.ui.affinity",
}
CHART_VALUE = "affinity"

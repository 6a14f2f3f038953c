{{- define "guard.labels" -}}
app.kubernetes.io/name: hybrid-guard
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* The pods of one component, and nothing that an upgrade changes: selectors are immutable. */ -}}
{{- define "guard.selector" -}}
app.kubernetes.io/name: hybrid-guard
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "guard.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}{{ $image.repository }}@{{ $image.digest }}
{{- else -}}{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end }}

{{- /* Everything that must hold before anything is rendered; each refusal says what to do. */ -}}
{{- define "guard.check" -}}
{{- if not .Values.network -}}
{{- fail "network is required: how do packets move between the on-prem nodes?\n  overlay  Flannel VXLAN, Calico IPIP or VXLAN, Cilium VXLAN or Geneve\n  bgp      Calico with BGP, Cilium native routing or BGP, Flannel host-gw: anything a cloud node cannot join\n  host     no pod network on-prem\nFind out: hybrid-guard detect --cluster, or kubectl get ippools -o yaml (ipipMode, vxlanMode), kubectl -n kube-system get cm cilium-config -o yaml (routing-mode), kubectl -n kube-flannel get cm kube-flannel-cfg -o yaml (Backend.Type)\nThen: helm install hybrid-guard ... --set network=bgp" -}}
{{- end -}}
{{- if ne .Release.Namespace "kube-system" -}}
{{- fail "hybrid-guard belongs into kube-system, which no admission rule of ours can lock out: helm install --namespace kube-system" -}}
{{- end -}}
{{- if and (eq .Values.network "host") (eq (toString .Values.server.hostNetwork) "false") -}}
{{- fail "server.hostNetwork: false does not work with network: host: without a pod network on-prem the API server could not reach the webhook" -}}
{{- end -}}
{{- if semverCompare "<1.28.0-0" .Capabilities.KubeVersion.Version -}}
{{- fail "Kubernetes 1.28 or newer is needed: before it the API server drops matchConditions, and a hook with failurePolicy Fail would see every ConfigMap" -}}
{{- end -}}
{{- $seen := dict -}}
{{- range $at, $template := .Values.policy.templates -}}
{{- range $key := list "kind" "resource" -}}
{{- $named := printf "%s of %s" (get $template $key) $template.apiGroup -}}
{{- if hasKey $seen (printf "%s %s" $key $named) -}}
{{- fail (printf "policy.templates[%d].%s: %s stands above already: keep one, with all its apiVersions" $at $key $named) -}}
{{- end -}}
{{- $_ := set $seen (printf "%s %s" $key $named) true -}}
{{- end -}}
{{- end -}}
{{- with .Values.certificates -}}
{{- if and (eq .mode "provided") (not (and .secretName .caBundle)) -}}
{{- fail "certificates.mode: provided needs certificates.secretName (type kubernetes.io/tls) and certificates.caBundle (PEM)" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "guard.hostNetwork" -}}
{{- if or (eq .Values.network "host") .Values.server.hostNetwork -}}true{{- end -}}
{{- end }}

{{- /* Kubernetes before 1.30 has no ValidatingAdmissionPolicy v1. */ -}}
{{- define "guard.safetyNet" -}}
{{- if and .Values.safetyNet.enabled (eq .Values.network "bgp") .Values.policy.catalogue (semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version) -}}true{{- end -}}
{{- end }}

{{- define "guard.tlsSecret" -}}
{{- if eq .Values.certificates.mode "provided" -}}{{ .Values.certificates.secretName }}{{- else -}}hybrid-guard-tls{{- end -}}
{{- end }}

{{- /* Pods of ours stay on-prem, on any node that is up, also before it has a pod network. */ -}}
{{- define "guard.placement" -}}
priorityClassName: system-cluster-critical
{{- if include "guard.hostNetwork" .root }}
hostNetwork: true
dnsPolicy: Default
{{- end }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - key: {{ .root.Values.cloudNodes.key | quote }}
              operator: NotIn
              values: {{ toJson .root.Values.cloudNodes.values }}
            - {key: kubernetes.io/os, operator: In, values: [linux]}
  {{- if include "guard.hostNetwork" .root }}
  # The port is the node's: a second pod would find it taken.
  podAntiAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels: {{- include "guard.selector" . | nindent 12 }}
  {{- end }}
tolerations:
  - {key: node-role.kubernetes.io/control-plane, operator: Exists, effect: NoSchedule}
  - {key: node-role.kubernetes.io/master, operator: Exists, effect: NoSchedule}
  - {key: CriticalAddonsOnly, operator: Exists}
  {{- if include "guard.hostNetwork" .root }}
  # Whatever the effect: a node without a pod network is not ready for as long as it has none.
  - {key: node.kubernetes.io/not-ready, operator: Exists}
  - {key: node.kubernetes.io/network-unavailable, operator: Exists}
  {{- end }}
{{- if not (include "guard.hostNetwork" .root) }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "guard.selector" . | nindent 8 }}
{{- end }}
{{- end }}

{{- /* On the nodes' network a new pod waits for the old one's node; else it comes up first. */ -}}
{{- define "guard.rollingUpdate" -}}
{{- if include "guard.hostNetwork" . -}}{maxUnavailable: 1, maxSurge: 0}{{- else -}}{maxUnavailable: 0, maxSurge: 1}{{- end -}}
{{- end }}

{{- define "guard.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "guard.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

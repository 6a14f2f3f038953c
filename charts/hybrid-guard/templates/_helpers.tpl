{{- define "guard.labels" -}}
app.kubernetes.io/name: hybrid-guard
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "guard.selector" -}}
app.kubernetes.io/name: hybrid-guard
app.kubernetes.io/component: server
{{- end }}

{{- define "guard.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}{{ $image.repository }}@{{ $image.digest }}
{{- else -}}{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end }}

{{- /* Everything that must hold before anything is rendered; each refusal says what to do. */ -}}
{{- define "guard.check" -}}
{{- if not .Values.network -}}
{{- fail "network is required: how do packets move between the on-prem nodes?\n  overlay  Flannel VXLAN, Calico IPIP or VXLAN, Cilium VXLAN or Geneve\n  bgp      Calico with BGP, Cilium native routing or BGP, Flannel host-gw: anything a cloud node cannot join\n  host     no pod network on-prem\nFind out: kubectl get ippools -o yaml (ipipMode, vxlanMode), kubectl -n kube-system get cm cilium-config -o yaml (routing-mode), kubectl -n kube-flannel get cm kube-flannel-cfg -o yaml (Backend.Type)\nThen: helm install hybrid-guard ... --set network=bgp" -}}
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
{{- with .Values.certificates -}}
{{- if and (eq .mode "provided") (not (and .secretName .caBundle)) -}}
{{- fail "certificates.mode: provided needs certificates.secretName (type kubernetes.io/tls) and certificates.caBundle (PEM)" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "guard.hostNetwork" -}}
{{- if or (eq .Values.network "host") .Values.server.hostNetwork -}}true{{- end -}}
{{- end }}

{{- define "guard.tlsSecret" -}}
{{- if eq .Values.certificates.mode "provided" -}}{{ .Values.certificates.secretName }}{{- else -}}hybrid-guard-tls{{- end -}}
{{- end }}

{{- /* Pods of ours stay on-prem, on any node that is up, before a pod network is. */ -}}
{{- define "guard.placement" -}}
priorityClassName: system-cluster-critical
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - key: {{ .Values.cloudNodes.key }}
              operator: NotIn
              values: {{ toJson .Values.cloudNodes.values }}
            - {key: kubernetes.io/os, operator: In, values: [linux]}
tolerations:
  - {key: node-role.kubernetes.io/control-plane, operator: Exists, effect: NoSchedule}
  - {key: node-role.kubernetes.io/master, operator: Exists, effect: NoSchedule}
  - {key: CriticalAddonsOnly, operator: Exists}
{{- if include "guard.hostNetwork" . }}
  - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoSchedule}
  - {key: node.kubernetes.io/network-unavailable, operator: Exists, effect: NoSchedule}
{{- end }}
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

{{- define "guard.client" -}}
admissionReviewVersions: [v1]
clientConfig:
  service: {name: hybrid-guard, namespace: {{ .root.Release.Namespace }}, path: {{ .path }}, port: 443}
  {{- if eq .root.Values.certificates.mode "provided" }}
  caBundle: {{ b64enc .root.Values.certificates.caBundle | quote }}
  {{- end }}
matchPolicy: Equivalent
sideEffects: None
{{- end }}

{{- define "guard.annotations" -}}
admissions.enforcer/disabled: "true"
{{- if eq .Values.certificates.mode "cert-manager" }}
cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/hybrid-guard
{{- end }}
{{- end }}

{{- define "guard.workloadRules" -}}
- {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [daemonsets, deployments, statefulsets, replicasets], scope: Namespaced}
- {apiGroups: [batch], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [cronjobs, jobs], scope: Namespaced}
- {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [replicationcontrollers], scope: Namespaced}
{{- range .Values.policy.templates }}
- {apiGroups: [{{ .apiGroup | quote }}], apiVersions: {{ toJson .apiVersions }}, operations: [CREATE, UPDATE], resources: [{{ .resource | quote }}], scope: Namespaced}
{{- end }}
{{- end }}

{{- define "guard.podRules" -}}
- {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods], scope: Namespaced}
{{- end }}

{{- /* No Pod that a controller makes, none that is bound already: a dead webhook keeps no node from coming up. */ -}}
{{- define "guard.podConditions" -}}
- name: no-controller-owner
  expression: "!has(object.metadata.ownerReferences) || !object.metadata.ownerReferences.exists(o, has(o.controller) && o.controller)"
- name: no-mirror
  expression: "!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)"
- name: not-bound
  expression: "!has(object.spec.nodeName) || object.spec.nodeName == ''"
{{- end }}

{{- /* The literal namespaces that rules and overrides name, as JSON; "open" where one has a glob or says none. */ -}}
{{- define "guard.namedNamespaces" -}}
{{- $names := .Values.policy.overrides.namespaces | default list -}}
{{- $open := false -}}
{{- range .Values.policy.rules -}}
{{- $given := dig "match" "namespaces" (list) . | default list -}}
{{- $open = or $open (empty $given) -}}
{{- $names = concat $names $given -}}
{{- end -}}
{{- range $names -}}{{- $open = or $open (regexMatch "[*?\\[]" .) -}}{{- end -}}
{{- if $open -}}open{{- else -}}{{ toJson ($names | uniq | sortAlpha) }}{{- end -}}
{{- end }}

{{- /* Where hooks look, each with the end of its path. The catalogue's namespaces and those of the
     rules exclude each other, and namespaces that a label places have hooks of their own. */ -}}
{{- define "guard.scopes" -}}
{{- $catalogue := ternary (include "guard.catalogueNamespaces" . | fromJsonArray) list .Values.policy.catalogue -}}
{{- $named := include "guard.namedNamespaces" . -}}
{{- $rest := list -}}
{{- if ne $named "open" -}}
{{- range (fromJsonArray $named) -}}{{- if not (has . $catalogue) -}}{{- $rest = append $rest . -}}{{- end -}}{{- end -}}
{{- end -}}
{{- if $catalogue }}
- name: cni
  namespaces:
    - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson $catalogue }}}
    - {key: hybrid-guard.io/placement, operator: NotIn, values: [on-prem, cloud]}
{{- end }}
{{- if or $rest (eq $named "open") }}
- name: workloads
  namespaces:
    {{- if $rest }}
    - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson $rest }}}
    {{- else if $catalogue }}
    - {key: kubernetes.io/metadata.name, operator: NotIn, values: {{ toJson $catalogue }}}
    {{- end }}
    - {key: hybrid-guard.io/placement, operator: NotIn, values: [on-prem, cloud]}
{{- end }}
{{- range list "on-prem" "cloud" }}
- name: {{ . }}
  path: /{{ . }}
  namespaces:
    - {key: hybrid-guard.io/placement, operator: In, values: [{{ . }}]}
{{- end }}
{{- if .Values.webhooks.pods }}
{{- if ne $named "[]" }}
- name: pods
  pods: true
  namespaces:
    {{- if ne $named "open" }}
    - {key: kubernetes.io/metadata.name, operator: In, values: {{ $named }}}
    {{- end }}
    - {key: hybrid-guard.io/placement, operator: NotIn, values: [on-prem, cloud]}
{{- end }}
{{- range list "on-prem" "cloud" }}
- name: pods-{{ . }}
  path: /{{ . }}
  pods: true
  namespaces:
    - {key: hybrid-guard.io/placement, operator: In, values: [{{ . }}]}
{{- end }}
{{- end }}
{{- end }}

{{- /* The hooks of one verb, mutate or validate: the same, so that what one injects the other judges. */ -}}
{{- define "guard.hooks" -}}
{{- $root := .root }}
{{- $verb := .verb }}
{{- range (include "guard.scopes" $root | fromYamlArray) }}
- name: {{ $verb }}-{{ .name }}.hybrid-guard.io
  {{- include "guard.client" (dict "root" $root "path" (printf "/%s%s" $verb (.path | default ""))) | nindent 2 }}
  failurePolicy: Ignore
  {{- if eq $verb "mutate" }}
  reinvocationPolicy: IfNeeded
  {{- end }}
  timeoutSeconds: {{ int $root.Values.webhooks.timeoutSeconds }}
  namespaceSelector:
    matchExpressions: {{- toYaml .namespaces | nindent 6 }}
  rules: {{- include (ternary "guard.podRules" "guard.workloadRules" (hasKey . "pods")) $root | nindent 4 }}
  {{- if hasKey . "pods" }}
  matchConditions: {{- include "guard.podConditions" $root | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* The catalogue's namespaces; a test compares them with webhook/policy/catalogue.py. */ -}}
{{- define "guard.catalogueNamespaces" -}}
["calico-system","cilium","istio-system","kube-flannel","kube-ovn","kube-router","kube-system","linkerd-cni","openshift-ovn-kubernetes","ovn-kubernetes","spiderpool","submariner-operator"]
{{- end }}

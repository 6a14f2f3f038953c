{{- /* The catalogue's namespaces and DaemonSets; a test compares them with webhook/policy/catalogue.py. */ -}}
{{- define "guard.catalogueNamespaces" -}}
["calico-system","cilium","istio-system","kube-flannel","kube-ovn","kube-router","kube-system","linkerd-cni","openshift-ovn-kubernetes","ovn-kubernetes","spiderpool","submariner-operator"]
{{- end }}
{{- define "guard.onPremDaemonSets" -}}
calico-node|calico-node-windows|csi-node-driver|canal|canal-node|rke2-canal|kube-flannel-ds|kube-flannel-ds-.*|cilium|cilium-envoy|cilium-node-init|weave-net|antrea-agent|antrea-agent-windows|kube-router|kube-ovn-cni|ovs-ovn|ovs-ovn-dpdk|kube-ovn-pinger|ovnkube-node|ovnkube-node-dpu|ovnkube-node-dpu-host|ovs-node|ovn-ipsec|kindnet|kopeio-networking-agent|romana-agent|contiv-netplugin
{{- end }}
{{- define "guard.cloudDaemonSets" -}}
terway|terway-eni|terway-eniip|terway-windows|terway-eni-windows|terway-eniip-windows
{{- end }}

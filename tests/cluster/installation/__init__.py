"""The chart's pods for real: a network of their own, and a runner that does what a kubelet would.

`network` makes the network namespaces, `container` (a program) enters them and becomes what the
image runs, `volumes` writes what is mounted, `pod` lives one pod's life, `runner` watches for pods,
`load` writes to the API server all the while and counts. Needs root, as a kubelet does.
"""

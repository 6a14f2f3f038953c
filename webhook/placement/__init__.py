"""Node affinity as Kubernetes reads it: where a pod spec can land, and how to keep it there.

Pure: pod specs in, proofs and patches out. Knows no policy, no add-on, no admission.
Reference: component-helpers v0.37.2, scheduling/corev1/nodeaffinity/nodeaffinity.go.
"""

"""hybrid-guard's webhook: keeps workloads on their side and eni-config correct, at apply time.

The layers, top to bottom; each may import those below it and none above (import-linter checks):

cli          verbs, exit codes, the only place that wires things together
settings     what argv and the environment say, parsed once
server       HTTP over TLS: Flask and gunicorn live here and nowhere else
audit        findings of manifests, rendered for people and programs
files        manifests and the policy file: reading, positions, editing in place
telemetry    one log line a decision, metrics
admission    AdmissionReview in, AdmissionReview out
policy       which workload belongs on which side
placement    node affinity, exactly as Kubernetes reads it
eni          Terway's eni-config and its rules
patch, findings, workloads   values the others share
"""

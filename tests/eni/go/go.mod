module hybrid-guard.io/tests/eni

go 1.24

require (
	github.com/evanphx/json-patch v5.6.0+incompatible
	sigs.k8s.io/json v0.0.0-20250730193827-2d320260d730
)

require github.com/pkg/errors v0.9.1 // indirect

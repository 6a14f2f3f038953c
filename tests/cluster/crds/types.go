//go:build types

// Package main names the types whose CRDs are generated, so that go.mod keeps their modules.
package main

import (
	_ "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	_ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
)

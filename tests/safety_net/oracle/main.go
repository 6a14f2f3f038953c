// Answers updates of DaemonSets with a ValidatingAdmissionPolicy, evaluated by kube-apiserver's own code.
//
// The first line of the input is the policy. Each further line is {"old", "new", "namespace", "each"}:
// two DaemonSets, the labels of their namespace, and whether to evaluate each variable by itself too.
// For each it writes one line of JSON: {"verdict": "skip" | "admit" | "deny" | "error", "message",
// "cost", "values"}, where "cost" holds what the match conditions, the validations and each variable
// cost, in CEL's units and with the variables that it asks for, and "values" what the variables hold
// that are no lists or maps.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
	admissionregistration "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

var (
	oldest = environment.MustBaseEnvSet(version.MajorMinor(1, 30))
	gvk    = appsv1.SchemeGroupVersion.WithKind("DaemonSet")
	gvr    = appsv1.SchemeGroupVersion.WithResource("daemonsets")
)

type expression struct{ name, text string }

func (e expression) GetName() string       { return e.name }
func (e expression) GetExpression() string { return e.text }

type boolean struct{ expression }

func (boolean) ReturnTypes() []*cel.Type { return []*cel.Type{cel.BoolType} }

type anything struct{ expression }

func (anything) ReturnTypes() []*cel.Type {
	return []*cel.Type{cel.AnyType, cel.DynType}
}

type text struct{ expression }

func (text) ReturnTypes() []*cel.Type { return []*cel.Type{cel.StringType} }

type question struct {
	Old       appsv1.DaemonSet  `json:"old"`
	New       appsv1.DaemonSet  `json:"new"`
	Namespace map[string]string `json:"namespace"`
	Each      bool              `json:"each"`
}

type answer struct {
	Verdict string           `json:"verdict"`
	Message string           `json:"message,omitempty"`
	Cost    map[string]int64 `json:"cost"`
	Values  map[string]any   `json:"values"`
}

type policy struct {
	variables                         []string
	conditions, validations, messages plugincel.ConditionEvaluator
	each                              []plugincel.ConditionEvaluator
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	line, err := in.ReadBytes('\n')
	check(err)
	loaded := load(line)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var asked question
			check(json.Unmarshal(line, &asked))
			check(out.Encode(loaded.judge(asked)))
		}
		if err != nil {
			return
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func load(line []byte) policy {
	var parsed admissionregistration.ValidatingAdmissionPolicy
	check(json.Unmarshal(line, &parsed))
	compiler, err := plugincel.NewCompositedCompiler(oldest)
	check(err)
	declared := plugincel.OptionalVariableDeclarations{HasAuthorizer: true}
	compile := func(accessors ...plugincel.ExpressionAccessor) plugincel.ConditionEvaluator {
		made := compiler.CompileCondition(accessors, declared, environment.NewExpressions)
		for _, err := range made.CompilationErrors() {
			check(err)
		}
		return made
	}
	loaded := policy{}
	for _, v := range parsed.Spec.Variables {
		compiler.CompileAndStoreVariable(anything{expression{v.Name, v.Expression}}, declared, environment.NewExpressions)
		loaded.variables = append(loaded.variables, v.Name)
		loaded.each = append(loaded.each, compile(anything{expression{v.Name, "variables." + v.Name}}))
	}
	var conditions, validations, messages []plugincel.ExpressionAccessor
	for _, c := range parsed.Spec.MatchConditions {
		conditions = append(conditions, boolean{expression{c.Name, c.Expression}})
	}
	for _, v := range parsed.Spec.Validations {
		validations = append(validations, boolean{expression{"", v.Expression}})
		messages = append(messages, text{expression{"", v.MessageExpression}})
	}
	loaded.conditions = compile(conditions...)
	loaded.validations = compile(validations...)
	loaded.messages = compile(messages...)
	return loaded
}

func (p policy) judge(asked question) answer {
	asked.Old.SetGroupVersionKind(gvk)
	asked.New.SetGroupVersionKind(gvk)
	attributes := admission.NewAttributesRecord(
		&asked.New, &asked.Old, gvk, asked.New.Namespace, asked.New.Name, gvr, "",
		admission.Update, &metav1.UpdateOptions{}, false, nil)
	versioned := &admission.VersionedAttributes{Attributes: attributes, VersionedKind: gvk}
	versioned.VersionedObject = admission.NewLazyObject(&asked.New)
	versioned.VersionedOldObject = admission.NewLazyObject(&asked.Old)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: asked.New.Namespace, Labels: asked.Namespace}}
	found := answer{Cost: map[string]int64{}, Values: map[string]any{}}
	run := func(of plugincel.ConditionEvaluator, name string, budget int64) []plugincel.EvaluationResult {
		request := plugincel.CreateAdmissionRequest(attributes, metav1.GroupVersionResource(gvr), metav1.GroupVersionKind(gvk))
		results, left, err := of.ForInput(context.Background(), versioned, request,
			plugincel.OptionalVariableBindings{}, plugincel.CreateNamespaceObject(namespace), budget)
		for _, result := range results {
			if err == nil {
				err = result.Error
			}
		}
		if err != nil {
			found.Verdict, found.Message = "error", name+": "+err.Error()
			return nil
		}
		found.Cost[name] = budget - left
		return results
	}
	for _, result := range run(p.conditions, "conditions", celconfig.RuntimeCELCostBudgetMatchConditions) {
		if result.EvalResult.Value() == false {
			found.Verdict = "skip"
		}
	}
	if found.Verdict != "" {
		return found
	}
	for i, name := range p.variables {
		if !asked.Each {
			break
		}
		for _, result := range run(p.each[i], name, celconfig.RuntimeCELCostBudget) {
			switch value := result.EvalResult.Value().(type) {
			case bool, int64, string:
				found.Values[name] = value
			}
		}
	}
	found.Verdict, found.Message = "", "" // a variable that fails counts only where it is asked
	results := run(p.validations, "validations", celconfig.RuntimeCELCostBudget)
	messages := run(p.messages, "messages", celconfig.RuntimeCELCostBudget)
	if found.Verdict != "" {
		return found
	}
	found.Verdict = "admit"
	for i, result := range results {
		if result.EvalResult.Value() == false {
			found.Verdict = "deny"
			found.Message, _ = messages[i].EvalResult.Value().(string)
			break
		}
	}
	return found
}

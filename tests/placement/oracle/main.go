// Answers which nodes a pod spec fits, with Kubernetes' own code.
//
// Reads JSON lines {"spec": PodSpec, "nodes": [{"name", "labels"}]} and writes for each line a
// string of 1 (fits) and 0 (does not, or an error), or "refused" where the spec does not decode.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	kjson "sigs.k8s.io/json"
)

type question struct {
	Spec  json.RawMessage `json:"spec"`
	Nodes []struct {
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels"`
	} `json:"nodes"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			fmt.Fprintln(out, answer(line))
		}
		if err != nil {
			return
		}
	}
}

func answer(line []byte) string {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return "broken: " + err.Error()
	}
	pod := v1.Pod{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(asked.Spec, &pod.Spec); err != nil {
		return "refused"
	}
	required := nodeaffinity.GetRequiredNodeAffinity(&pod)
	var fits strings.Builder
	for _, node := range asked.Nodes {
		object := v1.Node{ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: node.Labels}}
		matched, err := required.Match(&object)
		if matched && err == nil {
			fits.WriteByte('1')
		} else {
			fits.WriteByte('0')
		}
	}
	return fits.String()
}

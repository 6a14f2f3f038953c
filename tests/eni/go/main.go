// The oracle of the eni-config tests: what Go makes of each line of standard input.
//
//	oracle json|config|merge|cidr|duration|float
//
// A line holds base64 texts with a blank between; the answer is "no", or the value as JSON in base64.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	jsonpatch "github.com/evanphx/json-patch"
	exact "sigs.k8s.io/json"
)

// anyJSON is what encoding/json reads; numbers stay as they are written.
func anyJSON(texts [][]byte) (any, bool) {
	if !json.Valid(texts[0]) {
		return nil, false
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(texts[0]))
	decoder.UseNumber()
	return value, decoder.Decode(&value) == nil
}

// both is what the daemon (exact keys) and the init container (folded keys) decode.
func both(texts [][]byte) (any, bool) {
	daemon, inits := config{}, config{}
	ok := exact.UnmarshalCaseSensitivePreserveInts(texts[0], &daemon) == nil
	folded := json.Unmarshal(texts[0], &inits) == nil
	if !ok && !folded {
		return nil, false
	}
	out := map[string]any{"daemon": nil, "init": nil}
	if ok {
		out["daemon"] = daemon
	}
	if folded {
		out["init"] = inits
	}
	return out, true
}

// merged is the daemon's configuration after the override in the second text.
func merged(texts [][]byte) (any, bool) {
	text, err := jsonpatch.MergePatch(texts[0], texts[1])
	if err != nil {
		return nil, false
	}
	whole, _ := anyJSON([][]byte{text})
	value := config{}
	if exact.UnmarshalCaseSensitivePreserveInts(text, &value) != nil {
		return map[string]any{"merged": whole, "daemon": nil}, true
	}
	return map[string]any{"merged": whole, "daemon": value}, true
}

func cidr(texts [][]byte) (any, bool) {
	address, network, err := net.ParseCIDR(string(texts[0]))
	if err != nil {
		return nil, false
	}
	family := 6
	if network.IP.To4() != nil {
		family = 4
	}
	return map[string]any{"family": family, "host_bits": !address.Equal(network.IP)}, true
}

func duration(texts [][]byte) (any, bool) {
	value, err := time.ParseDuration(string(texts[0]))
	return int64(value), err == nil
}

func float(texts [][]byte) (any, bool) {
	value, err := strconv.ParseFloat(string(texts[0]), 64)
	if math.IsNaN(value) {
		return "nan", err == nil
	}
	return strconv.FormatFloat(value, 'x', -1, 64), err == nil
}

func main() {
	judge := map[string]func([][]byte) (any, bool){
		"json": anyJSON, "config": both, "merge": merged, "cidr": cidr, "duration": duration, "float": float,
	}[os.Args[1]]
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		texts := [][]byte{}
		for _, part := range strings.Split(lines.Text(), " ") {
			text, err := base64.StdEncoding.DecodeString(part)
			if err != nil {
				panic(err)
			}
			texts = append(texts, text)
		}
		value, ok := judge(texts)
		if !ok {
			fmt.Fprintln(out, "no")
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(out, base64.StdEncoding.EncodeToString(text))
	}
}

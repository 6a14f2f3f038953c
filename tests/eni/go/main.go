// Decodes each line of standard input (base64) with encoding/json, as Terway's init container does,
// and prints "no" or what it read as JSON in base64. Numbers stay as they are written.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
)

func read(text []byte) string {
	if !json.Valid(text) {
		return "no"
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return "no"
	}
	out, err := json.Marshal(value)
	if err != nil {
		return "no"
	}
	return base64.StdEncoding.EncodeToString(out)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		text, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(out, read(text))
	}
}

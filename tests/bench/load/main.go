// Posts one body over and over on a few TLS connections of its own, and prints what came back:
// {"rps", "p50_us", "p99_us", "requests", "errors"}. Loopback only, bounded in time.
package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"
)

func main() {
	target := flag.String("url", "", "https URL on loopback")
	file := flag.String("body", "", "file with the body")
	connections := flag.Int("connections", 8, "parallel connections")
	duration := flag.Duration("duration", 2*time.Second, "how long, at most 30s")
	want := flag.String("want", "", "a text every answer must hold")
	flag.Parse()
	body, err := os.ReadFile(*file)
	parsed, parseErr := url.Parse(*target)
	if err != nil || parseErr != nil || !net.ParseIP(parsed.Hostname()).IsLoopback() || *duration > 30*time.Second {
		fmt.Fprintln(os.Stderr, "load: needs a body, a loopback URL and at most 30s")
		os.Exit(2)
	}
	var mutex sync.Mutex
	var all []time.Duration
	failed := 0
	var group sync.WaitGroup
	started := time.Now()
	for range *connections {
		group.Add(1)
		go func() {
			defer group.Done()
			mine, wrong := run(*target, body, []byte(*want), started.Add(*duration))
			mutex.Lock()
			defer mutex.Unlock()
			all = append(all, mine...)
			failed += wrong
		}()
	}
	group.Wait()
	seconds := time.Since(started).Seconds()
	slices.Sort(all)
	report := map[string]any{"requests": len(all), "errors": failed, "rps": float64(len(all)) / seconds}
	if len(all) > 0 {
		report["p50_us"] = all[len(all)/2].Microseconds()
		report["p99_us"] = all[len(all)*99/100].Microseconds()
	}
	_ = json.NewEncoder(os.Stdout).Encode(report)
}

func run(target string, body, want []byte, until time.Time) ([]time.Duration, int) {
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxConnsPerHost: 1,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	var times []time.Duration
	failed := 0
	for time.Now().Before(until) {
		started := time.Now()
		response, err := client.Post(target, "application/json", bytes.NewReader(body))
		if err != nil {
			failed++
			continue
		}
		answer, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != 200 || !bytes.Contains(answer, want) {
			failed++
			continue
		}
		times = append(times, time.Since(started))
	}
	return times, failed
}

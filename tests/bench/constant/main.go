// A webhook that does nothing: it finds the review's uid and answers a constant patch, over TLS on a
// port of loopback that it prints. What the standard library of Go leaves to any webhook.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

const patch = "W3sib3AiOiJhZGQiLCJwYXRoIjoiL3NwZWMvdGVtcGxhdGUvc3BlYy9hZmZpbml0eSIsInZhbHVlIjp7Im5vZGVBZmZpbml0eSI6eyJyZXF1aXJlZER1cmluZ1NjaGVkdWxpbmdJZ25vcmVkRHVyaW5nRXhlY3V0aW9uIjp7Im5vZGVTZWxlY3RvclRlcm1zIjpbeyJtYXRjaEV4cHJlc3Npb25zIjpbeyJrZXkiOiJhbGliYWJhY2xvdWQuY29tL2V4dGVybmFsIiwib3BlcmF0b3IiOiJOb3RJbiIsInZhbHVlcyI6WyJ0cnVlIl19XX1dfX19fV0="

func main() {
	http.HandleFunc("/mutate", func(writer http.ResponseWriter, request *http.Request) {
		answer(writer, request, `,"patchType":"JSONPatch","patch":"`+patch+`"`)
	})
	http.HandleFunc("/validate", func(writer http.ResponseWriter, request *http.Request) {
		answer(writer, request, "")
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	fmt.Fprintln(os.Stderr, http.ServeTLS(listener, nil, os.Args[1], os.Args[2]))
}

func answer(writer http.ResponseWriter, request *http.Request, more string) {
	body, err := io.ReadAll(request.Body)
	_, rest, found := bytes.Cut(body, []byte(`"uid":"`))
	uid, _, closed := bytes.Cut(rest, []byte(`"`))
	if err != nil || !found || !closed {
		writer.WriteHeader(http.StatusBadRequest)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(writer, `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":%q,"allowed":true%s}}`, uid, more)
}

// Go's net/http, as it comes: proxy and trust from the environment.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
)

func client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if address := os.Getenv("DIAL"); address != "" {
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: transport, CheckRedirect: stay}
}

func requestFor(fields []string) (*http.Request, error) {
	body, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil {
		return nil, err
	}
	var reader io.Reader
	if fields[3] == "chunked" {
		reader = io.MultiReader(bytes.NewReader(body)) // of unknown length
	} else if len(body) > 0 {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequest(fields[1], os.Getenv("API_ROOT")+fields[2], reader)
	if err != nil {
		return nil, err
	}
	for _, field := range fields[5:] {
		name, value, _ := strings.Cut(field, ": ")
		request.Header.Add(name, value)
	}
	return request, nil
}

func answerTo(client *http.Client, fields []string) (status int, body []byte, headers []string, err error) {
	request, err := requestFor(fields)
	if err != nil {
		return
	}
	got, err := client.Do(request)
	if err != nil {
		return
	}
	defer got.Body.Close()
	body, err = io.ReadAll(got.Body)
	for name, values := range got.Header {
		for _, value := range values {
			headers = append(headers, name+": "+value)
		}
	}
	sort.Strings(headers)
	return got.StatusCode, body, headers, err
}

func main() {
	jobs, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var lines strings.Builder
	client := client()
	for _, line := range strings.Split(strings.TrimRight(string(jobs), "\n"), "\n") {
		fields := strings.Split(line, "\t")
		status, body, headers, err := answerTo(client, fields)
		trouble := ""
		if err != nil {
			status, trouble = 0, strings.Join(strings.Fields(err.Error()), " ")
		}
		answer := []string{fields[0], fmt.Sprint(status), trouble, base64.StdEncoding.EncodeToString(body)}
		lines.WriteString(strings.Join(append(answer, headers...), "\t") + "\n")
	}
	if err := os.WriteFile(os.Args[2], []byte(lines.String()), 0o644); err != nil {
		panic(err)
	}
}

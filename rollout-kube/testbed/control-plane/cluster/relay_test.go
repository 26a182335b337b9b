package cluster

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func server(t *testing.T) (port string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		io.WriteString(w, "for "+q.Host)
	}))
	t.Cleanup(s.Close)
	_, port, _ = net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	return port
}

func get(c *http.Client, url string) (string, error) {
	r, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return string(b), err
}

func TestWhateverTheNameThePortOfThisHostAnswers(t *testing.T) {
	port, l := server(t), listen(t)
	go socks(l)
	c := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "socks5h", Host: l.Addr().String()})}}
	for _, host := range []string{"dubbo3-provider:" + port, "10.1.2.3:" + port, "[2001:db8::1]:" + port} {
		if got, err := get(c, "http://"+host); err != nil || got != "for "+host {
			t.Errorf("%s: %q, %v", host, got, err)
		}
	}
	closed := listen(t)
	_, port, _ = net.SplitHostPort(closed.Addr().String())
	closed.Close()
	if got, err := get(c, "http://a.test:"+port); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("nobody listens there: %q, %v", got, err)
	}
}

func TestNoSocksClientIsCutOff(t *testing.T) {
	l := listen(t)
	go socks(l)
	if got, err := get(http.DefaultClient, "http://"+l.Addr().String()); err == nil {
		t.Errorf("an HTTP client was answered %q", got)
	}
}

func TestARelayLeadsThere(t *testing.T) {
	port, l := server(t), listen(t)
	go relay(l, func(net.Conn) (string, error) { return "127.0.0.1:" + port, nil })
	if got, err := get(http.DefaultClient, "http://"+l.Addr().String()); err != nil || got != "for "+l.Addr().String() {
		t.Errorf("%q, %v", got, err)
	}
}

func TestExportsAreForAShell(t *testing.T) {
	for word, want := range map[string]string{"/tmp/a-b": "/tmp/a-b", "/tmp/a b": "'/tmp/a b'", "it's": `'it'\''s'`} {
		if got := quoted(word); got != want {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
	}
}

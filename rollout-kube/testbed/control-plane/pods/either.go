package pods

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"time"
)

// either accepts connections in plain text and with TLS on one port: a pod does
// not know which its Service stands for.
type either struct {
	net.Listener
	config *tls.Config
}

func (e either) Accept() (net.Conn, error) {
	c, err := e.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &told{Conn: c, config: e.config}, nil
}

// told is a connection whose first byte tells what it is.
type told struct {
	net.Conn
	config *tls.Config
	once   sync.Once
	text   net.Conn
	err    error
}

// The first byte of a TLS handshake.
const handshake = 0x16

func (t *told) Read(b []byte) (int, error) {
	t.once.Do(func() {
		first := make([]byte, 1)
		if _, t.err = t.Conn.Read(first); t.err != nil {
			return
		}
		t.text = &unread{Conn: t.Conn, first: first}
		if first[0] == handshake {
			t.text = tls.Server(t.text, t.config)
		}
	})
	if t.err != nil {
		return 0, t.err
	}
	return t.text.Read(b)
}

func (t *told) Write(b []byte) (int, error) {
	if t.text == nil {
		return t.Conn.Write(b)
	}
	return t.text.Write(b)
}

// unread is a connection with a byte before what is still to be read.
type unread struct {
	net.Conn
	first []byte
}

func (u *unread) Read(b []byte) (int, error) {
	if len(u.first) > 0 && len(b) > 0 {
		n := copy(b, u.first)
		u.first = u.first[n:]
		return n, nil
	}
	return u.Conn.Read(b)
}

// anybody is the identity of every pod: nobody checks it.
func anybody() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0), DNSNames: []string{"pod"}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}, NextProtos: []string{"http/1.1"}}, nil
}

package cluster

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"time"
)

// relay accepts connections and leads each to where it says.
func relay(l net.Listener, to func(net.Conn) (string, error)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			address, err := to(c)
			if err != nil {
				return
			}
			d, err := net.DialTimeout("tcp", address, 10*time.Second)
			if err != nil {
				return
			}
			both(c, d)
		}()
	}
}

// both copies in both directions; an end in one direction is passed on alone.
func both(a, b net.Conn) {
	defer b.Close()
	done := make(chan struct{})
	go func() {
		oneWay(b, a)
		close(done)
	}()
	oneWay(a, b)
	<-done
}

func oneWay(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if err != nil { // cut short here: cut it short there, too
		if t, ok := to.(*net.TCPConn); ok {
			t.SetLinger(0)
		}
		to.Close()
		from.Close()
		return
	}
	if t, ok := to.(*net.TCPConn); ok {
		t.CloseWrite()
	}
}

// socks answers SOCKS5 clients that connect to NAME:PORT with 127.0.0.1:PORT of
// this network: whatever the name, the Envoy here answers.
func socks(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			port, err := greet(c)
			if err != nil {
				return
			}
			d, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(port), 10*time.Second)
			if err != nil {
				c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0}) // refused
				return
			}
			if _, err := c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
				d.Close()
				return
			}
			both(c, d)
		}()
	}
}

// greet reads a SOCKS5 client's request to connect; it needs no password.
func greet(c net.Conn) (int, error) {
	c.SetDeadline(time.Now().Add(10 * time.Second))
	defer c.SetDeadline(time.Time{})
	b := make([]byte, 256)
	read := func(n int) []byte {
		if _, err := io.ReadFull(c, b[:n]); err != nil {
			return nil
		}
		return b[:n]
	}
	head := read(2)
	if head == nil || head[0] != 5 || read(int(head[1])) == nil {
		return 0, errors.New("no SOCKS5 greeting")
	}
	if _, err := c.Write([]byte{5, 0}); err != nil {
		return 0, err
	}
	head = read(4)
	if head == nil || head[1] != 1 {
		return 0, errors.New("not a request to connect")
	}
	length := map[byte]int{1: 4, 4: 16}[head[3]]
	if head[3] == 3 {
		n := read(1)
		if n == nil {
			return 0, errors.New("no name")
		}
		length = int(n[0])
	}
	if length > 0 && read(length) == nil {
		return 0, errors.New("no address")
	}
	port := read(2)
	if port == nil {
		return 0, errors.New("no port")
	}
	return int(binary.BigEndian.Uint16(port)), nil
}

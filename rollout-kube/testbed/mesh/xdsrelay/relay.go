// Package xdsrelay stands between proxies and istiod and passes on what they
// say, but keeps back endpoints (and nothing else) as long as a file says.
//
// So a test can have proxies that know the routes of now and the pods of then,
// which a busy mesh has too.
package xdsrelay

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

const endpoints = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"

// Main is what the name "xds-relay" stands for.
func Main(args []string) {
	fs := flag.NewFlagSet("xds-relay", flag.ExitOnError)
	listen := fs.String("listen", ":15012", "where proxies connect to")
	to := fs.String("to", "127.0.0.1:15010", "istiod")
	file := fs.String("delay-file", "", "holds how long endpoints are kept back (Go duration); none: not at all")
	fs.Parse(args)
	conn, err := grpc.NewClient(*to, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{}), grpc.MaxCallRecvMsgSize(1<<28)))
	check(err)
	l, err := net.Listen("tcp", *listen)
	check(err)
	server := grpc.NewServer(grpc.ForceServerCodecV2(raw{}), grpc.MaxRecvMsgSize(1<<28), grpc.UnknownServiceHandler(func(_ any, down grpc.ServerStream) error {
		return pass(conn, down, *file)
	}))
	check(server.Serve(l))
}

func pass(conn *grpc.ClientConn, down grpc.ServerStream, file string) error {
	method, _ := grpc.MethodFromServerStream(down)
	ctx := down.Context()
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		ctx = metadata.NewOutgoingContext(ctx, md.Copy())
	}
	up, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	go func() {
		for {
			var m []byte
			if down.RecvMsg(&m) != nil || up.SendMsg(&m) != nil {
				up.CloseSend()
				return
			}
		}
	}()
	var mu sync.Mutex
	send := func(m []byte) error {
		mu.Lock()
		defer mu.Unlock()
		return down.SendMsg(&m)
	}
	kept := make(chan late, 1<<12)
	defer close(kept)
	go func() {
		for k := range kept { // in their order
			wait(ctx.Done(), k.since, file)
			send(k.message)
		}
	}()
	for {
		var m []byte
		if err := up.RecvMsg(&m); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if typeURL(m) == endpoints {
			select {
			case kept <- late{m, time.Now()}:
				continue
			default:
				return status.Error(codes.ResourceExhausted, "too many endpoints are kept back")
			}
		}
		if err := send(m); err != nil {
			return err
		}
	}
}

type late struct {
	message []byte
	since   time.Time
}

// wait until what came then may go on; the file may change meanwhile.
func wait(gone <-chan struct{}, since time.Time, file string) {
	for time.Since(since) < delay(file) {
		select {
		case <-gone:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func delay(file string) time.Duration {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	d, err := time.ParseDuration(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return d
}

// typeURL of a DiscoveryResponse (its field 4).
func typeURL(m []byte) string {
	for len(m) > 0 {
		number, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			return ""
		}
		m = m[n:]
		if number == 4 && kind == protowire.BytesType {
			v, n := protowire.ConsumeBytes(m)
			if n < 0 {
				return ""
			}
			return string(v)
		}
		if n = protowire.ConsumeFieldValue(number, kind, m); n < 0 {
			return ""
		}
		m = m[n:]
	}
	return ""
}

// raw passes messages on as they are.
type raw struct{}

var _ encoding.CodecV2 = raw{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("%T is no message", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(*b)}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("%T is no message", v)
	}
	*b = data.Materialize()
	return nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "xds-relay:", err)
		os.Exit(1)
	}
}

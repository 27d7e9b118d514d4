// A consumer and producer made of the public go-nsq, for Spillway's interoperability tests.
//
// Each scenario checks what it receives by itself and prints one JSON object as its last line; the test that started
// it compares the counts in there with its plan and with the broker's own. Where the test has something to do in the
// middle, the line "connected" comes before. A failure goes to standard error, with exit status 1.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nsqio/go-nsq"
)

const connectLimit = 5 * time.Second

type arguments struct {
	tcpAddress   string
	lookupd      string
	topic        string
	channel      string
	messageCount int
	msgTimeout   time.Duration
	limit        time.Duration
	tls          bool
	compression  string
	authSecret   string
}

var scenarios = map[string]func(arguments) (any, error){
	"hello":      hello,
	"round-trip": roundTrip,
	"sharing":    sharing,
	"handover":   handover,
	"outlive":    outlive,
	"cluster":    cluster,
}

func main() {
	var args arguments
	scenario := flag.String("scenario", "", "what to do")
	flag.StringVar(&args.tcpAddress, "tcp-address", "", "host:port of the broker")
	flag.String("http-address", "", "host:port of the broker's HTTP API, which go-nsq needs for nothing")
	flag.StringVar(&args.lookupd, "lookupd-http-address", "", "host:port of nsqlookupd's HTTP API, for the scenario that asks one")
	flag.StringVar(&args.topic, "topic", "", "topic")
	flag.StringVar(&args.channel, "channel", "", "channel")
	flag.IntVar(&args.messageCount, "messages", 0, "how many messages")
	msgTimeoutMs := flag.Int("msg-timeout-ms", 60_000, "message timeout asked of the broker")
	limitMs := flag.Int("limit-ms", 60_000, "how long to wait for anything")
	flag.BoolVar(&args.tls, "tls", false, "encrypt, whoever the broker's certificate is from")
	flag.StringVar(&args.compression, "compression", "none", "none, deflate or snappy")
	flag.StringVar(&args.authSecret, "auth-secret", "", "secret of AUTH; none when empty")
	flag.Parse()
	args.msgTimeout = time.Duration(*msgTimeoutMs) * time.Millisecond
	args.limit = time.Duration(*limitMs) * time.Millisecond

	run, known := scenarios[*scenario]
	if !known {
		fail(fmt.Errorf("no scenario %q", *scenario))
	}
	result, err := run(args)
	if err != nil {
		fail(fmt.Errorf("%s: %w", *scenario, err))
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// await receives from done, or gives up after the limit or at the first failure.
func await(done <-chan struct{}, failures <-chan error, limit time.Duration, what string) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case err := <-failures:
		return err
	case <-timer.C:
		return fmt.Errorf("%s: not within %s", what, limit)
	}
}

// report keeps the first failure and drops the rest: they follow from it.
func report(failures chan<- error, err error) {
	select {
	case failures <- err:
	default:
	}
}

// newConfig is what consumers and producers have in common.
func newConfig(args arguments) *nsq.Config {
	config := nsq.NewConfig()
	config.DialTimeout = connectLimit
	if args.tls {
		config.TlsV1 = true
		config.TlsConfig = &tls.Config{InsecureSkipVerify: true}
	}
	config.Deflate = args.compression == "deflate"
	config.Snappy = args.compression == "snappy"
	config.AuthSecret = args.authSecret
	return config
}

// connectConsumer subscribes with the given number of messages in flight; only errors are logged.
func connectConsumer(args arguments, channel string, maxInFlight int, handle nsq.HandlerFunc) (*nsq.Consumer, error) {
	config := newConfig(args)
	config.MaxInFlight = maxInFlight
	if args.lookupd != "" {
		config.LookupdPollInterval = 500 * time.Millisecond
		config.MaxAttempts = 0
	}
	config.MsgTimeout = args.msgTimeout
	consumer, err := nsq.NewConsumer(args.topic, channel, config)
	if err != nil {
		return nil, err
	}
	consumer.SetLogger(log.New(os.Stderr, "", 0), nsq.LogLevelError)
	consumer.AddHandler(handle)
	if args.lookupd != "" {
		return consumer, consumer.ConnectToNSQLookupd(args.lookupd)
	}
	return consumer, consumer.ConnectToNSQD(args.tcpAddress)
}

// stopConsumer lets what is in flight finish and waits until the consumer has gone.
func stopConsumer(consumer *nsq.Consumer, limit time.Duration) error {
	consumer.Stop()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-consumer.StopChan:
		return nil
	case <-timer.C:
		return fmt.Errorf("the consumer did not stop within %s", limit)
	}
}

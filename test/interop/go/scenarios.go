package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"time"

	"github.com/nsqio/go-nsq"
)

// hello takes one message that somebody else has published.
func hello(args arguments) (any, error) {
	type result struct {
		Body     string `json:"body"`
		Attempts uint16 `json:"attempts"`
	}
	received := make(chan result, 1)
	consumer, err := connectConsumer(args, args.channel, 1, func(message *nsq.Message) error {
		received <- result{string(message.Body), message.Attempts}
		return nil
	})
	if err != nil {
		return nil, err
	}
	select {
	case got := <-received:
		return got, stopConsumer(consumer, args.limit)
	case <-time.After(args.limit):
		return nil, fmt.Errorf("no message within %s", args.limit)
	}
}

// roundTrip publishes and consumes at once. What the plan says is requeued or left alone on its first delivery, and
// a first delivery that timed out is finished late, which the broker must refuse without closing the connection.
func roundTrip(args arguments) (any, error) {
	book := newLedger(args.messageCount)
	requeued := 0
	letGo := map[int]*nsq.Message{}
	done := make(chan struct{})
	failures := make(chan error, 1)

	consumer, err := connectConsumer(args, args.channel, 500, func(message *nsq.Message) error {
		message.DisableAutoResponse()
		serial, err := book.deliver(message.Body, message.Attempts)
		if err != nil {
			report(failures, err)
			return nil
		}
		planned := finish
		if message.Attempts == 1 {
			planned = fateOf(serial)
		}
		switch planned {
		case requeueNow:
			requeued++
			message.RequeueWithoutBackoff(0)
		case requeueLater:
			requeued++
			message.RequeueWithoutBackoff(requeueDelayMs * time.Millisecond)
		case letTimeOut:
			letGo[serial] = message
		default:
			book.finish(serial)
			message.Finish()
			if first, late := letGo[serial]; late {
				first.Finish()
			}
			if book.isComplete() {
				close(done)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// The refusals of the late finishes are expected; go-nsq would log each.
	consumer.SetLogger(log.New(io.Discard, "", 0), nsq.LogLevelError)

	if err := publishAll(args); err != nil {
		return nil, err
	}
	if err := await(done, failures, args.limit, "every message finished"); err != nil {
		return nil, fmt.Errorf("%w (%d are)", err, book.finishedCount)
	}
	if err := stopConsumer(consumer, args.limit); err != nil {
		return nil, err
	}
	return map[string]int{"finished": book.finishedCount, "requeued": requeued, "timedOut": len(letGo)}, nil
}

// sharing has three consumers on one channel and one on another; the test publishes when the broker knows them all.
func sharing(args arguments) (any, error) {
	var mutex sync.Mutex
	shared, copied := newLedger(args.messageCount), newLedger(args.messageCount)
	counts := make([]int, 4)
	done := make(chan struct{})
	failures := make(chan error, 1)
	consumers := make([]*nsq.Consumer, 0, len(counts))

	connect := func(index int, channel string, book *ledger) error {
		consumer, err := connectConsumer(args, channel, 20, func(message *nsq.Message) error {
			mutex.Lock()
			defer mutex.Unlock()
			serial, err := book.deliver(message.Body, message.Attempts)
			if err != nil {
				report(failures, err)
				return nil
			}
			book.finish(serial)
			counts[index]++
			if shared.isComplete() && copied.isComplete() {
				close(done)
			}
			return nil
		})
		consumers = append(consumers, consumer)
		return err
	}
	for index := 0; index < 3; index++ {
		if err := connect(index, "shared", shared); err != nil {
			return nil, err
		}
	}
	if err := connect(3, "copy", copied); err != nil {
		return nil, err
	}

	fmt.Println("connected")
	if err := await(done, failures, args.limit, "every message on both channels"); err != nil {
		return nil, err
	}
	for _, consumer := range consumers {
		if err := stopConsumer(consumer, args.limit); err != nil {
			return nil, err
		}
	}
	return map[string]any{"counts": counts}, nil
}

// handover stops a consumer in the middle of a backlog; a second one must get exactly the rest.
func handover(args arguments) (any, error) {
	const stopAfter = 1_000
	book := newLedger(args.messageCount)
	early, done := make(chan struct{}), make(chan struct{})
	failures := make(chan error, 1)
	handle := func(message *nsq.Message) error {
		serial, err := book.deliver(message.Body, message.Attempts)
		if err != nil {
			report(failures, err)
			return nil
		}
		book.finish(serial)
		if book.finishedCount == stopAfter {
			close(early)
		}
		if book.isComplete() {
			close(done)
		}
		return nil
	}

	if err := publishAll(args); err != nil {
		return nil, err
	}
	first, err := connectConsumer(args, args.channel, 10, handle)
	if err != nil {
		return nil, err
	}
	if err := await(early, failures, args.limit, "the first messages"); err != nil {
		return nil, err
	}
	if err := stopConsumer(first, args.limit); err != nil {
		return nil, err
	}
	finishedByFirst := book.finishedCount

	second, err := connectConsumer(args, args.channel, 100, handle)
	if err != nil {
		return nil, err
	}
	if err := await(done, failures, args.limit, "the rest"); err != nil {
		return nil, err
	}
	if err := stopConsumer(second, args.limit); err != nil {
		return nil, err
	}
	return map[string]int{"byFirst": finishedByFirst, "finished": book.finishedCount}, nil
}

// outlive consumes until the broker ends the connection.
func outlive(args arguments) (any, error) {
	consumer, err := connectConsumer(args, args.channel, 1, func(*nsq.Message) error { return nil })
	if err != nil {
		return nil, err
	}
	consumer.SetLogger(log.New(io.Discard, "", 0), nsq.LogLevelError)
	fmt.Println("connected")

	// go-nsq tells nobody that a connection has ended; its counter does.
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(args.limit)
	for {
		select {
		case <-ticker.C:
			if consumer.Stats().Connections == 0 {
				return map[string]bool{"disconnected": true}, nil
			}
		case <-deadline:
			return nil, fmt.Errorf("still connected after %s", args.limit)
		}
	}
}

// publishAll publishes messages 0 to messageCount-1 in order, a batch after the other.
func publishAll(args arguments) error {
	producer, err := nsq.NewProducer(args.tcpAddress, newConfig(args))
	if err != nil {
		return err
	}
	defer producer.Stop()
	producer.SetLogger(log.New(os.Stderr, "", 0), nsq.LogLevelError)
	for first := 0; first < args.messageCount; first += messagesPerMultiPub {
		bodies := make([][]byte, 0, messagesPerMultiPub)
		for serial := first; serial < args.messageCount && serial < first+messagesPerMultiPub; serial++ {
			bodies = append(bodies, []byte(bodyOf(serial)))
		}
		if err := producer.MultiPublish(args.topic, bodies); err != nil {
			return err
		}
	}
	return nil
}

// cluster prints the body of every message that the brokers have which nsqlookupd names, until it is killed.
func cluster(args arguments) (any, error) {
	_, err := connectConsumer(args, args.channel, 100, func(message *nsq.Message) error {
		fmt.Println(string(message.Body))
		return nil
	})
	if err != nil {
		return nil, err
	}
	fmt.Println("connected")
	select {}
}

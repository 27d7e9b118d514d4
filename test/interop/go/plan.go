package main

import (
	"fmt"
	"strconv"
	"strings"
)

type fate int

const (
	finish fate = iota
	requeueNow
	requeueLater
	letTimeOut
)

// The same numbers as in message-plan.ts: the test counts with them what this program must report.
const (
	planSeed            = 20_260_101
	requeueDelayMs      = 50
	fillerLengths       = 181
	messagesPerMultiPub = 500
)

var filler = strings.Repeat("abcdefghijklmnopqrstuvwxyz", 8)

// bodyOf is the serial number and then 0 to 180 letters that depend on it.
func bodyOf(serial int) string {
	start := serial % 26
	return strconv.Itoa(serial) + " " + filler[start:start+serial%fillerLengths]
}

func fateOf(serial int) fate {
	hash := (uint32(serial) ^ planSeed) * 2_654_435_761
	hash = (hash ^ (hash >> 15)) % 1000
	switch {
	case hash < 2:
		return letTimeOut
	case hash < 12:
		return requeueNow
	case hash < 22:
		return requeueLater
	default:
		return finish
	}
}

// ledger holds every delivery against what was published. It is used by one goroutine at a time.
type ledger struct {
	deliveries    []uint16
	finished      []bool
	finishedCount int
}

func newLedger(messageCount int) *ledger {
	return &ledger{deliveries: make([]uint16, messageCount), finished: make([]bool, messageCount)}
}

func (l *ledger) isComplete() bool { return l.finishedCount == len(l.finished) }

// deliver notes a delivery and returns the serial number, if body and attempts are what they must be.
func (l *ledger) deliver(body []byte, attempts uint16) (int, error) {
	text := string(body)
	number, _, _ := strings.Cut(text, " ")
	serial, err := strconv.Atoi(number)
	if err != nil || serial < 0 || serial >= len(l.finished) || text != bodyOf(serial) {
		return 0, fmt.Errorf("a body that nobody published: %q", text)
	}
	if l.finished[serial] {
		return 0, fmt.Errorf("message %d came again after it was finished", serial)
	}
	l.deliveries[serial]++
	if attempts != l.deliveries[serial] {
		return 0, fmt.Errorf("message %d has attempts %d on delivery %d", serial, attempts, l.deliveries[serial])
	}
	return serial, nil
}

func (l *ledger) finish(serial int) {
	l.finished[serial] = true
	l.finishedCount++
}

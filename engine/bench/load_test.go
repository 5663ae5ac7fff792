package bench

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load posts orders over keep-alive connections, each of which sends the next
// one when the last is answered, or, with a pause, not before that has passed.
type load struct {
	addr, path string
	conns      int
	first      int           // number of the first order
	lasts      time.Duration // 0: until count
	count      int           // 0: no bound
	pause      time.Duration
	stop       <-chan struct{} // ends it early
}

// answers is what came of a load.
type answers struct {
	accepted int // 2xx
	refused  int // anything else
	latency  []time.Duration
	began    time.Time
	took     time.Duration
	next     int // number of the first order that was not sent
}

// answerWithin bounds one request; what takes longer fails the benchmark.
const answerWithin = 30 * time.Second

// run fails the test at the first request that is not answered.
func (l load) run(tb testing.TB) answers {
	tb.Helper()
	a, err := l.try()
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func (l load) try() (answers, error) {
	var (
		taken atomic.Int64
		wg    sync.WaitGroup
		parts = make([]answers, l.conns)
		errs  = make([]error, l.conns)
		all   = answers{began: time.Now()}
	)
	for i := range parts {
		wg.Go(func() { errs[i] = l.drive(&parts[i], &taken, all.began) })
	}
	wg.Wait()
	all.took = time.Since(all.began)
	for i, p := range parts {
		if errs[i] != nil {
			return all, fmt.Errorf("post orders to %s%s: %w", l.addr, l.path, errs[i])
		}
		all.accepted += p.accepted
		all.refused += p.refused
		all.latency = append(all.latency, p.latency...)
		all.next = max(all.next, p.next)
	}
	slices.Sort(all.latency)
	return all, nil
}

// drive is one connection.
func (l load) drive(a *answers, taken *atomic.Int64, began time.Time) error {
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	head := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", l.path, orderSize)
	request := make([]byte, len(head)+orderSize)
	copy(request, head)
	body := request[len(head):]
	var answer message
	for {
		n, more := l.take(taken, began)
		if !more {
			return nil
		}
		copy(body, orders()[n%orderKind].body)
		number(body, n)
		a.next = n + 1
		sent := time.Now()
		conn.SetDeadline(sent.Add(answerWithin))
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if err := answer.read(in); err != nil {
			return fmt.Errorf("read answer: %w", err)
		}
		code, err := answer.status()
		if err != nil {
			return err
		}
		if code/100 == 2 {
			a.accepted++
			a.latency = append(a.latency, time.Since(sent))
		} else {
			a.refused++
		}
		if answer.last {
			return fmt.Errorf("the peer closes the connection after a %d", code)
		}
		if l.pause > 0 {
			time.Sleep(time.Until(sent.Add(l.pause)))
		}
	}
}

// take gives the number of the next order; false when the load is over.
func (l load) take(taken *atomic.Int64, began time.Time) (int, bool) {
	select {
	case <-l.stop:
		return 0, false
	default:
	}
	if l.lasts > 0 && time.Since(began) >= l.lasts {
		return 0, false
	}
	n := int(taken.Add(1)) - 1
	return l.first + n, l.count == 0 || n < l.count
}

// rate is how many a second were accepted.
func (a answers) rate() float64 { return float64(a.accepted) / a.took.Seconds() }

// quantile of the latencies of accepted orders, in milliseconds; 1 is the worst.
func (a answers) quantile(q float64) float64 {
	if len(a.latency) == 0 {
		return 0
	}
	return milliseconds(a.latency[min(int(q*float64(len(a.latency))), len(a.latency)-1)])
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

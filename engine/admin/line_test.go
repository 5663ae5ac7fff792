package admin

import (
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	busy := Status{
		Sources: []SourceStatus{{Address: "source.webhook.a", State: Running, Accepted: 12000}, {Address: "source.webhook.b", State: Running, Accepted: 345}, {}},
		Flows:   []FlowStatus{{Pending: 17}, {}},
		Lanes:   []LaneStatus{{Flow: "flow.orders", Sink: "sink.http.crm", State: Running}},
	}
	stopped := busy
	stopped.Lanes = []LaneStatus{
		{Flow: "flow.orders", Sink: "sink.http.crm", State: Stopped, LastError: "503\nService Unavailable"},
		{Flow: "flow.pings", Sink: "sink.http.crm", State: Stopped, LastError: "503"},
	}
	bad := Status{
		NotAccepting: "disk full",
		Sources:      []SourceStatus{{Address: "source.poll.p", State: Failed, LastError: strings.Repeat("x", 200), Dead: 1}, {Address: "source.webhook.a", State: Running, Stale: true}},
		Flows:        []FlowStatus{{Dead: 999}},
	}
	for _, tc := range []struct {
		s    Status
		want string
	}{
		{Status{}, "running: 0 sources, 0 flows, 0 accepted, 0 pending"},
		{busy, "running: 3 sources, 2 flows, 12,345 accepted, 17 pending"},
		{stopped, "running: 3 sources, 2 flows, 12,345 accepted, 17 pending; lane flow.orders > sink.http.crm stopped: 503 Service Unavailable (and 1 more)"},
		{bad, "NOT ACCEPTING: disk full; running: 2 sources, 1 flow, 0 accepted, 0 pending; source.poll.p failed: " + strings.Repeat("x", 119) + "… (and 1 more); 1,000 dead (see: syncd dead list)"},
	} {
		if got := tc.s.Line(); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

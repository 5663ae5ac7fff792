# What people and CI call. Everything needs only Go and, for `check`, a C
# compiler (the race detector) and what the tests say when they miss it.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   = -s -w -X main.version=$(VERSION)
# One version for everybody; built from source by the Go command.
GOLANGCI  = $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 10s
BENCH    ?= .
COUNT    ?= 1
TESTFLAGS ?=

.PHONY: build test check bench lint fuzz docs verify

## build: the static binary, ./syncd
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o syncd ./cmd/syncd

## test: what must pass on a machine that has only Go, in under three minutes
test:
	$(GO) test $(TESTFLAGS) ./...

## check: everything under the race detector, kill loops included; then, without it, the long simulation, a million records of an unkind API and 100,000 deliveries in batches
check:
	SYNCD_CHECK=1 CGO_ENABLED=1 $(GO) test -race -timeout 40m $(TESTFLAGS) ./...
	SYNCD_CHECK=1 $(GO) test -timeout 40m $(TESTFLAGS) ./engine/simulation
	SYNCD_CHECK=1 $(GO) test -timeout 40m $(TESTFLAGS) -run 'TestPoll|TestBatches' ./cmd/syncd/faults

## bench: the figures of docs/performance.md: the daemon as a whole, then its parts;
## BENCH selects by name, COUNT repeats
bench:
	$(GO) test -run '^$$' -bench '$(BENCH)' -count $(COUNT) -timeout 3h ./engine/bench
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 1h $$($(GO) list ./... | grep -v '/engine/bench$$')

## lint: formatting, vet, linters, and which room may import which
lint:
	@test -z "$$(gofmt -l .)" || { gofmt -d .; exit 1; }
	$(GO) vet ./...
	$(GOLANGCI) run

## fuzz: every fuzz target for FUZZTIME
fuzz:
	@.ci/fuzz $(FUZZTIME)

## docs: write the reference, and into the pages what commands really print and draw,
## and what stands in the examples
docs:
	$(GO) test ./cmd/syncd -run ReferencePages -count 1 -update
	$(GO) test ./examples -run 'ReadmePrints|ReadmeDraws|Recipes|Guide' -count 1 -update

## verify: modules tidy and unchanged, what is generated up to date
verify:
	$(GO) mod tidy -diff
	$(GO) mod verify
	$(GO) test ./cmd/syncd -run ReferencePages -count 1
	$(GO) test ./examples -run 'Readme|Snippets|Recipes|Guide|Links' -count 1

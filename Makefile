# Targets for users (run, test, kafka, run-kafka) install what they need;
# those for developers (check, race, fuzz, bench, test-long) say what is missing.

BIN     := bin/leakveil
GOFLAGS := -buildvcs=auto
# Long-lived packages of the tests that need a real broker.
BROKER  := ./internal/kafka/... ./internal/kafkatest/... ./internal/app/...

.PHONY: help run build build-portable test test-long check race fuzz bench kafka run-kafka demo-siem collector collector-portable deps deps-demo deps-test fmt lint gen clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

deps:
	@scripts/deps.sh build

deps-demo:
	@scripts/deps.sh build java demo

deps-test:
	@scripts/deps.sh build java backends

build: deps ## build bin/leakveil
	go build -o $(BIN) ./cmd/leakveil

build-portable: ## build bin/leakveil without cgo: the portable engine alone
	@ENGINE=portable scripts/build-any.sh $(BIN)

run: ## build and show the main job on a generated stream; needs no libhs
	@scripts/build-any.sh $(BIN)
	$(BIN) demo

test: deps deps-test ## unit and integration tests, with a real Kafka broker
	@scripts/test.sh

test-long: deps deps-test ## the long chaos runs, Vectorscan, a real Keycloak and all of the fuzzing (hours)
	@scripts/deps.sh node
	LEAKVEIL_LONG=1 go test -count=1 -timeout 80m ./...
	@scripts/test-vectorscan.sh
	@DEMO_SEARCH_PORT=19200 DEMO_OTLP_PORT=14318 DEMO_HTTP_PORT=19464 scripts/demo-siem.sh --once
	@scripts/real-keycloak.sh
	$(MAKE) fuzz

check: fmt lint race ## what every push must pass

fmt:
	@out=$$(gofmt -l .); test -z "$$out" || { echo "gofmt: $$out"; exit 1; }

lint: deps
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	cd benchmarks/otel && go vet ./...
	cd internal/sink/backend/otelcol && go vet ./...
	cd internal/kafkatest/otelkafka && go vet ./...

race: deps deps-test ## all tests with the race detector
	go test -race -timeout 30m ./...

BUILDER := go run go.opentelemetry.io/collector/cmd/builder@v0.162.0 --config manifest.yaml

collector: deps ## a Collector with leakveil at bin/collector/otelcol-leakveil
	mkdir -p bin
	cd deploy/collector && $(BUILDER)

collector-portable: ## the same in plain Go, without libhs, at bin/collector-portable/otelcol-leakveil
	@scripts/deps.sh go
	mkdir -p bin
	cd deploy/collector && env dist.cgo_enabled=false dist.output_path=../../bin/collector-portable $(BUILDER)

FUZZTIME ?= 7200

fuzz: deps ## each fuzz target: FUZZTIME CPU seconds in all, 2 hours when it is not set; goes on where it stopped
	@scripts/fuzz.sh $(FUZZTIME) $(FUZZ)

bench: build ## Go benchmarks, then whole-process figures against ripgrep and raw Hyperscan
	@scripts/bench.sh

kafka: deps-test ## start a real Kafka broker on 127.0.0.1:9092
	@scripts/kafka.sh

demo-siem: build deps-demo ## leakveil with a real OpenSearch, and an analyst's questions answered
	@scripts/demo-siem.sh

run-kafka: build deps-test ## the main job on a real broker: producer, leakveil run, consumer
	@scripts/run-kafka.sh

gen: ## make generated files again
	go generate ./...

clean: ## remove what was built and downloaded
	rm -rf bin .cache benchmarks/data

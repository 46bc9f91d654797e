# cniperf: which Kubernetes datapath is faster, by how much, and did it get
# slower. Every target is a thin call; the work is in Go and in hack/.

PROFILE ?= quick
ARGS    ?=
COUNT   ?= 1
ROW     ?=
FIX     ?=
HOST    ?=

# FIX=1 agrees that the machine is changed where the lab needs it.
ifneq ($(FIX),)
export CNIPERF_FIX = $(FIX)
endif

# One set of flags for cniperf, its suite and tests, which the images' programs
# are compiled with too: what was compiled for one serves the others. No program
# needs cgo. (A debugger wants DWARF: call go without make.)
export CGO_ENABLED := 0
export GOFLAGS := $(shell go env GOFLAGS) $(shell cat hack/go.flags)

# make ends with 2 for every failure, which as a run's code means inconclusive.
told = { code=$$?; echo "make: the run ended with exit code $$code; make itself ends with 2 for every failure, bin/cniperf run with the true code" >&2; exit $$code; }

.PHONY: help
help: ## show this help
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: perf
perf: ## from a bare machine to the verdict table (PROFILE=quick; FIX=1: may change the machine)
	@hack/perf.sh $(PROFILE) $(ARGS) || $(call told)

.PHONY: smoke
smoke: ## the real path in a few minutes: does it work, not who wins; and the cheap faults
	@hack/perf.sh smoke $(ARGS) || $(call told)
	go test -tags faults -count=1 -timeout 30m -v ./e2e/faults -args -faults.cheap

.PHONY: test
test: ## everything that needs no root, no cluster and no container engine
	hack/go.sh vet -tags perf,faults,lab,bpf,browser,anywhere ./...
	hack/verify.sh
	go test -vet=off ./...

.PHONY: test-anywhere
test-anywhere: ## cniperf from an empty folder and from another module: some minutes, it compiles all of it there
	go test -tags anywhere -count=1 -timeout 30m -v -run FromAnywhere ./cmd/cniperf

.PHONY: test-statistics
test-statistics: ## 20,000 simulated runs per null world: error rates and power
	CNIPERF_LONG=1 go test -count=1 -timeout 60m -v -run 'Long|Simulat|World|Power' ./internal/verdict/

.PHONY: test-lab
test-lab: ## the procedure on the real lab: A/A comparisons, injected slowdowns (CNIPERF_LONG=1: 112 and 40, three quarters of an hour)
	go test -tags lab -count=1 -timeout 90m -v -artifacts -outputdir "$${CNIPERF_OUT:-$$PWD/runs}" -run StatisticsOnTheLab ./features/run

.PHONY: test-bpf
test-bpf: ## the accelerator in the kernel: needs root, takes minutes
	go test -tags bpf -count=1 -timeout 30m ./internal/bypass/

.PHONY: test-browser
test-browser: ## every page in a real Chromium (Debian's chromium, node, npm; CNIPERF_OUT=DIR keeps screenshots)
	cd internal/htmlreport/browser && npm ci --no-audit --no-fund
	go test -tags browser -count=1 -timeout 40m -v -run InABrowser ./internal/htmlreport ./internal/serve

.PHONY: test-faults
test-faults: ## breaks runs on the standing lab: nothing lost, nothing left (COUNT=5 ROW=sigint)
	go test -tags faults -count=1 -timeout 6h -v -run 'TestFaults$(if $(ROW),/$(ROW))' ./e2e/faults -args -faults.count $(COUNT)

.PHONY: test-clusters
test-clusters: ## on a kind cluster of others: untouched, and opted in nothing left (removes the lab unless CNIPERF_KEEP_LAB=1)
	go test -tags lab -count=1 -timeout 40m -v ./e2e/clusters

.PHONY: test-docker
test-docker: ## the ordinary user's road on Docker: from images to smoke, and nothing left (needs a Docker that works)
	hack/test-docker.sh $(ARGS)

.PHONY: verify-bpf
verify-bpf: ## are the committed eBPF objects what clang-19 makes of their source?
	hack/verify-bpf.sh

.PHONY: lint
lint: ## golangci-lint, actionlint (pinned below hack/) and shellcheck
	hack/lint.sh

.PHONY: supply-chain
supply-chain: ## known vulnerabilities of what is linked (asks vuln.go.dev), and the licence of every module
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 -tags perf ./...
	go -C hack/licenses run . ../..

.PHONY: doctor
doctor: bin/cniperf ## what this machine lacks, why it matters, how to mend it
	@bin/cniperf doctor $(ARGS)

.PHONY: images
images: bin/cniperf ## build or pull every image (cached by recipe)
	@bin/cniperf images $(ARGS)

.PHONY: down
down: bin/cniperf ## remove clusters, networks, volumes: nothing of ours is left (HOST=1: and the machine's settings put back)
	@bin/cniperf down $(if $(HOST),--host) $(ARGS)

.PHONY: bin/cniperf
bin/cniperf:
	@go build -o $@ ./cmd/cniperf

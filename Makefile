# Every command of the repository. Nothing here is needed twice: the second run installs and restores nothing.

# One configuration everywhere: what is tested and measured is what is packed.
CONFIGURATION := Release
RESULTS := artifacts/test-results
PACKAGES := artifacts/packages
UNIT_TESTS := tests/Retry.Messaging.Tests
BROKER_TESTS := tests/Retry.Messaging.BrokerTests
BENCHMARKS := tests/Retry.Messaging.Benchmarks
# Tests that take minutes say so: [Trait("Category", "Long")].
SHORT := Category!=Long
TEST_PROJECTS := $(sort $(dir $(wildcard tests/*Tests/*.csproj)))

# MassTransit reports usage over the network unless told not to.
export MASSTRANSIT_USAGE_TELEMETRY := false
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
# No build server of ours is left running afterwards: MSBuild nodes, the MSBuild server, the compiler server.
export MSBUILDDISABLENODEREUSE := 1
export DOTNET_CLI_USE_MSBUILD_SERVER := 0
export UseSharedCompilation := false

.DEFAULT_GOAL := help
.PHONY: help build test test-unit test-broker test-long test-matrix limiter bench metastable demo topology pack clean rabbitmq postgresql
# Targets share bin folders, and tests share two cores.
.NOTPARALLEL:

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## Build everything; warnings are errors
	dotnet build Retry.Messaging.sln --configuration $(CONFIGURATION)

# All projects run even when one fails; the trx files say which test did.
define run-tests
	@mkdir -p $(RESULTS)
	@status=0; for project in $(1); do \
	    name=$$(basename $$project); rm -f $(RESULTS)/$$name.trx; \
	    dotnet test $$project --configuration $(CONFIGURATION) --no-build --filter "$(2)" \
	        --logger "trx;LogFileName=$$name.trx" --results-directory $(RESULTS) || status=1; \
	done; exit $$status
endef

test: rabbitmq postgresql clean-results build ## Run all tests but the long ones; installs RabbitMQ and PostgreSQL first where it may
	$(call run-tests,$(TEST_PROJECTS),$(SHORT))

test-unit: postgresql build ## Run the tests that need no broker
	$(call run-tests,$(UNIT_TESTS),$(SHORT))

test-broker: rabbitmq postgresql build ## Run the tests on a private broker
	$(call run-tests,$(BROKER_TESTS),$(SHORT))

test-long: rabbitmq postgresql build ## Run the tests that take minutes each
	$(call run-tests,$(TEST_PROJECTS),Category=Long)

test-matrix: build ## Run the broker tests on RabbitMQ 3.10, 4.0 and 4.3; installs what is missing into a folder
	@CONFIGURATION=$(CONFIGURATION) RESULTS=$(RESULTS) eng/test-matrix.sh

limiter: rabbitmq build ## Measure the limiter for some 25 minutes: rates, 25 kills, a herd; best with nothing else running
	@mkdir -p $(RESULTS)
	RETRY_LONG_TESTS=1 RETRY_PLOT_DIRECTORY=$(abspath $(RESULTS)) dotnet test $(BROKER_TESTS) --configuration $(CONFIGURATION) --no-build \
	    --filter "FullyQualifiedName~BrokerTests.Limiter" --logger "console;verbosity=detailed" --logger "trx;LogFileName=limiter.trx" --results-directory $(RESULTS)

define measure
	dotnet build $(BENCHMARKS) --configuration $(CONFIGURATION) --verbosity quiet
	dotnet run --project $(BENCHMARKS) --configuration $(CONFIGURATION) --no-build -- $(1) $(BENCH_OPTIONS)
endef

bench: rabbitmq postgresql ## Measure everything, in under 20 minutes, into docs/performance.md; bench-NAME: one thing, BENCH_OPTIONS="--rounds 3"
	$(call measure,--markdown docs/performance.md)

bench-%: rabbitmq postgresql
	$(call measure,$*)

metastable: rabbitmq ## Show in seven minutes an overload that outlives its cause, and one that does not, with a retry budget; on a private broker
	dotnet build $(BENCHMARKS) --configuration $(CONFIGURATION) --verbosity quiet
	dotnet run --project $(BENCHMARKS) --configuration $(CONFIGURATION) --no-build -- metastable

demo: rabbitmq ## Run the payment sample; KEEP=1 keeps its broker to look into; SABOTAGE=drop loses one message on purpose
	dotnet run --project samples/Payments --configuration $(CONFIGURATION) -- demo $(if $(SABOTAGE),--sabotage $(SABOTAGE)) $(if $(KEEP),--keep)

topology: ## Write topology/definitions.json from the plan
	@mkdir -p topology
	dotnet build src/Retry.Messaging.Cli --configuration $(CONFIGURATION) --verbosity quiet
	dotnet run --project src/Retry.Messaging.Cli --configuration $(CONFIGURATION) --no-build -- topology export > topology/definitions.json.new
	mv topology/definitions.json.new topology/definitions.json

pack: ## Pack the libraries and retryctl into artifacts/packages; VERSION=0.1.1 gives them another version
	dotnet pack Retry.Messaging.sln --configuration $(CONFIGURATION) --output $(PACKAGES) $(if $(VERSION),-p:Version=$(VERSION))

clean: ## Remove what was built
	rm -rf artifacts
	find src tests samples -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} + 2> /dev/null || true

.PHONY: clean-results
clean-results:
	@rm -rf $(RESULTS)

rabbitmq:
	@eng/ensure-rabbitmq.sh

postgresql:
	@eng/ensure-postgresql.sh

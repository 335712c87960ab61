# Everything starts here; what a command does stands in the script it calls.
.DEFAULT_GOAL := help
.PHONY: help run demo test check dev bench torture pictures

help: ## show these lines
	@sed -n 's/^\([a-z]*\): ## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

run: ## install what is missing, build, and serve on http://127.0.0.1:3000
	@scripts/run

demo: ## the same with a tenant of invented people, and a sender that keeps it alive
	@scripts/demo

test: ## install what is missing and run everything that has to pass
	@scripts/test

check: ## the quick checks: format, clippy, unit tests
	@scripts/setup check
	@scripts/check

dev: ## serve, and rebuild and restart on every change
	@scripts/dev

bench: ## measure throughput, latency and memory
	@scripts/setup bench
	@scripts/bench

torture: ## kill the server under load, again and again, and look for lost events
	@scripts/setup test
	@scripts/torture

pictures: ## take a picture of every page into docs/pictures/
	@scripts/pictures

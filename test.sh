#!/usr/bin/env bash
# Sets up, builds and runs the tests: ./test.sh [--asan] [test filter...]
set -euo pipefail
cd "$(dirname "$0")"
preset=cpu
if [ "${1:-}" = --asan ]; then preset=asan; shift; fi
with=""
[ "$preset" = cpu ] && with=--browser
scripts/setup.sh $with "$preset" switchyard switchyard_tests
"build/$preset/switchyard_tests" "$@"

#!/usr/bin/env bash
# Sets up, builds and runs the tests: ./test.sh [--asan | --tsan] [test filter...]
set -euo pipefail
cd "$(dirname "$0")"
preset=cpu
if [ "${1:-}" = --asan ]; then
  preset=asan
  shift
  # Leaks are looked for, and undefined behaviour ends the test instead of only printing a line.
  export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
fi
if [ "${1:-}" = --tsan ]; then
  preset=tsan
  shift
  # gcc's OpenMP runtime is not instrumented: with threads of its own it gives false reports.
  export OMP_NUM_THREADS=1 TSAN_OPTIONS=halt_on_error=1
fi
with=""
[ "$preset" = cpu ] && with=--browser
scripts/setup.sh $with "$preset" switchyard switchyard_tests
"build/$preset/switchyard_tests" "$@"

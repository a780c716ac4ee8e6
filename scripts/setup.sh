#!/usr/bin/env bash
# Installs what a build needs and builds it: scripts/setup.sh [--browser] PRESET [TARGET...]
# --browser adds the Chromium that the report's tests drive.
# System packages come from apt (only the missing ones), LibTorch from TORCH_ROOT, an importable torch
# of the right version, or the pinned wheels (hash checked, each downloaded once) in .deps/.
set -euo pipefail
cd "$(dirname "$0")/.."
browser=""
if [ "${1:-}" = --browser ]; then browser=chromium; shift; fi
preset=${1:?usage: scripts/setup.sh [--browser] PRESET [TARGET...]}
shift
torch_version=2.11.0

build_packages="g++ cmake ninja-build pkg-config lld ccache git ca-certificates python3-pip
  libyaml-cpp-dev libcli11-dev nlohmann-json3-dev libspdlog-dev libfmt-dev catch2 zlib1g-dev libssl-dev"
report_packages="librsvg2-dev"
scan_packages="libembree-dev libopencv-imgcodecs-dev libzip-dev sweethome3d-furniture libopen3d-dev"

install_packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "setup: installing ${missing[*]}"
  local sudo=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "setup: run as root: apt-get install -y ${missing[*]}" >&2; exit 1; }
    sudo=sudo
  fi
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

find_torch() {
  if [ -n "${TORCH_ROOT:-}" ]; then return; fi
  if grep -qs "$torch_version" .deps/torch/version.py && [ -e .deps/torch/lib/libtorch_cpu.so ]; then return; fi
  local found
  found=$(python3 -c "import os, torch; print(os.path.dirname(torch.__file__) if torch.__version__.startswith('$torch_version') else '')" 2>/dev/null || true)
  if [ -n "$found" ]; then export TORCH_ROOT=$found; return; fi
  echo "setup: fetching LibTorch $torch_version into .deps (about 544 MB, once)"
  mkdir -p .deps/wheels
  # One wheel at a time: what is complete and has the right hash is not fetched again.
  local name
  for name in $(sed -n 's/^\([a-z].*\)==.*/\1/p' scripts/torch-cpu.txt); do
    ls .deps/wheels/"${name//-/_}"-*.whl >/dev/null 2>&1 && continue
    awk -v n="$name==" 'index($0, n) == 1 {on = 1} on {print} on && !/\\$/ {exit}' scripts/torch-cpu.txt >".deps/$name.txt"
    python3 -m pip download -q --no-deps --require-hashes -d .deps/wheels -r ".deps/$name.txt"
  done
  python3 -m pip install -q --no-deps --no-compile --no-index --find-links .deps/wheels --require-hashes \
    --target .deps --upgrade -r scripts/torch-cpu.txt
  rm -rf .deps/wheels .deps/*.txt
}

# shellcheck disable=SC2086
install_packages $build_packages $browser
if [ "$preset" = fuzz ]; then
  install_packages clang
elif [ "$preset" != headless ]; then
  # shellcheck disable=SC2086
  install_packages $scan_packages $report_packages
fi
find_torch
[ -e "build/$preset/build.ninja" ] || cmake --preset "$preset"
cmake --build --preset "$preset" -j "$(nproc)" ${1:+--target "$@"}

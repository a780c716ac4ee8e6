#!/usr/bin/env bash
# From nothing to a cross-domain table and the report: ./demo.sh [--quick | --full]
#   default  Point-MoE and its active twin, 400 steps, one seed (about 2 x 8 CPU minutes)
#   --quick  60 steps on a few rooms, for trying the pipeline; draws no conclusions
#   --full   Point-MoE, active and total twin, 1,000 steps, three seeds (about an hour)
set -euo pipefail
cd "$(dirname "$0")"
experiment=point_cloud/scan_demo
data=data/scan_demo
dataset=point_cloud/scan
case "${1:-}" in
  "") ;;
  --quick) experiment=point_cloud/scan_quick data=data/scan_quick dataset=point_cloud/scan_quick ;;
  --full) experiment=point_cloud/scan_full ;;
  *) echo "usage: ./demo.sh [--quick | --full]" >&2; exit 1 ;;
esac
scripts/setup.sh cpu switchyard
program=build/cpu/switchyard
start=$SECONDS
"$program" pack "$data" dataset=$dataset --if-changed
"$program" sweep experiment=$experiment data.root="$data"
echo "demo: $((SECONDS - start)) s wall after set-up"

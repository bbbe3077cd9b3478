#!/bin/bash
# Checks of `lmz study` that need more than Rust: the published report in Chromium, a study through a real Slurm cluster. What cannot
# be installed is skipped, and said.
#
#   tools/study/check.sh LMZ
set -euo pipefail
lmz=$(realpath "$1")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if command -v "${CHROMIUM:-chromium}" > /dev/null && cp -r page "$work/page" &&
    (cd "$work/page" && npm ci --no-audit --no-fund > "$work/npm.log" 2>&1); then
    "$lmz" study published --html "$work/published.html" > "$work/published.txt"
    CHROMIUM=$(command -v "${CHROMIUM:-chromium}") node "$work/page/test.mjs" "$work/published.html"
    # What is vendored is what its sources give.
    (cd "$work/page" && npx esbuild plot.js --bundle --minify --format=iife --global-name=Plot --target=es2020 --legal-comments=none --outfile="$work/plot.js" --log-level=error)
    cmp "$work/plot.js" ../../crates/lmz-study/assets/plot.min.js
else
    echo "without Chromium or packages of npm: the report is not driven"
fi

if [ "$(id -u)" = 0 ] && ! command -v slurmctld > /dev/null; then
    (apt-get update -q && apt-get install -y -q --no-install-recommends slurm-wlm munge) > "$work/apt.log" 2>&1 || true
fi
if [ "$(id -u)" = 0 ] && command -v slurmctld > /dev/null; then
    slurm/test.sh "$lmz"
else
    echo "without root and slurm-wlm: no study runs through Slurm"
fi

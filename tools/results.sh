#!/bin/sh
# Measures every figure of README.md and docs/, writes them there, or fails where a document says something else: tools/results/results.py.
exec python3 "$(dirname "$0")/results/results.py" "$@"

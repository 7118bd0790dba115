#!/usr/bin/env bash
# Run the tests: bash scripts/test.sh [--all] [--changed [REV]] [pytest arguments]. Makes the environment first if need be. Works from any folder.
#   --all             those marked slow, too
#   --changed [REV]   only those that what has changed since REV (default: the last commit) can touch
# First the style of the code (a second), then the tests, in a process for each core, up to four; -n 0 runs them one after the other in one.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
VENV="$(realpath -m -- "${VENV:-$root/.venv}")"
export VENV
bash "$root/scripts/setup.sh"

cd "$root"
export PATH="$VENV/bin:$PATH" # tests that start `python` get this one
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-2}"
if ! { python -m ruff check --quiet . && python -m ruff format --quiet --check .; }; then
    echo "test.sh: not in the project's style, see above; mend it with: ruff check --fix . && ruff format ." >&2
    exit 1
fi
exec python -m pytest -n auto --maxprocesses 4 "$@"

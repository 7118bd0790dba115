#!/usr/bin/env bash
# Make the environment: bash scripts/setup.sh [--gpu]
#
# Python 3.11, 3.12 or 3.13 on Linux x86_64. Safe to repeat: does nothing when the environment is up to date.
#   PYTHON=/path/to/python3.11   the Python to use, instead of looking for one
#   VENV=/path/to/folder         the environment's folder, instead of .venv in the repository
#   --gpu                        CUDA libraries too (about 3 GB); later runs keep them up to date without the flag
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
venv="$(realpath -m -- "${VENV:-$root/.venv}")"
cd "$root"

fail() { printf '%s\n' "$@" >&2; exit 2; }

gpu=no
case "${1:-}" in
    "") ;;
    --gpu) gpu=yes ;;
    *) fail "setup.sh: unknown argument '$1'; usage: bash scripts/setup.sh [--gpu]" ;;
esac
# Sticky, so that test.sh and demo.sh neither drop the CUDA libraries nor leave them behind a changed lock.
if [ -e "$venv/setup.gpu" ]; then gpu=yes; fi

# Everything the installation depends on; the folder too, since an editable install points at it.
fingerprint() {
    {
        printf '%s\n' "$root" "$gpu"
        "$venv/bin/python" -c 'import sys; print(sys.version)' || echo none
        cat pyproject.toml requirements.lock
        if [ "$gpu" = yes ]; then cat requirements-gpu.lock; fi
    } 2>/dev/null | sha256sum
}
up_to_date() { [ -e "$venv/setup.stamp" ] && [ "$(cat "$venv/setup.stamp")" = "$(fingerprint)" ]; }
done_already() { echo "Environment is up to date: $venv"; exit 0; }

if up_to_date; then done_already; fi

# Tested by executing: pyenv puts a python3.13 on the path that only prints an error.
supported='import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)))'
find_python() {
    local candidate without_venv="" candidates=(python3.11 python3.12 python3.13 python3 python)
    if [ -n "${PYTHON:-}" ]; then candidates=("$PYTHON"); fi
    for candidate in "${candidates[@]}"; do
        "$candidate" -c "$supported" >/dev/null 2>&1 || continue
        # Debian and Ubuntu put these two into a package of their own.
        if "$candidate" -c 'import venv, ensurepip' >/dev/null 2>&1; then python="$candidate"; return; fi
        without_venv="${without_venv:-$candidate}"
    done
    if [ -n "$without_venv" ]; then
        fail "$without_venv is there, but without the modules venv and ensurepip. Install them and run this again:" \
            "  Debian, Ubuntu:  sudo apt install $("$without_venv" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    if [ -n "${PYTHON:-}" ]; then fail "PYTHON=$PYTHON is not a working Python 3.11, 3.12 or 3.13."; fi
    fail "No working Python 3.11, 3.12 or 3.13 found (tried ${candidates[*]}). Get one, for instance:" \
        "  Debian 12:     sudo apt install python3.11 python3.11-venv" \
        "  Ubuntu 24.04:  sudo apt install python3.12 python3.12-venv" \
        "  Debian 13:     sudo apt install python3.13 python3.13-venv" \
        "  conda:         conda create -n py311 python=3.11 && conda activate py311" \
        "  uv:            uv python install 3.11" \
        "  pyenv:         pyenv install 3.11 && pyenv shell 3.11" \
        "and run this again; or name it: PYTHON=/path/to/python3.11 bash scripts/setup.sh"
}

works() { "$venv/bin/python" -c 'pass' >/dev/null 2>&1; }

python=""
if ! works; then find_python; fi # before any folder is made

# One setup at a time per environment; the second finds the work of the first done. The lock is on the folder itself.
mkdir -p "$venv"
exec 9<"$venv"
if command -v flock >/dev/null; then flock 9 || true; fi
if up_to_date; then done_already; fi

# From here until the stamp is written again, the environment counts as unfinished.
rm -f "$venv/setup.stamp"
if works && ! { [ -e "$venv/setup.unfinished" ] && [ -e "$venv/pyvenv.cfg" ]; }; then
    "$venv/bin/python" -c "$supported" ||
        fail "$venv holds $("$venv/bin/python" -V), not 3.11, 3.12 or 3.13. Remove that folder, or name another by VENV=/path."
else
    # No environment yet, its Python is gone, or pip was killed at work: then it takes a half-written package for a whole one.
    if [ -n "$(ls -A "$venv")" ] && [ ! -e "$venv/pyvenv.cfg" ]; then
        fail "$venv holds other things, and no environment. Remove that folder, or name another by VENV=/path."
    fi
    if [ -z "$python" ]; then find_python; fi
    "$python" -m venv --clear "$venv"
fi
if [ "$gpu" = yes ]; then touch "$venv/setup.gpu"; fi

# pip's warnings are for its own developers: shown only when it fails, and then in full.
pip() {
    if ! "$venv/bin/python" -m pip "$@" >"$venv/setup.log" 2>&1; then
        rm -f "$venv/setup.unfinished" # it ended by itself, so it has tidied up
        cat "$venv/setup.log" >&2
        printf '%s\n' "" "pip failed, see above; run this again to continue. ($venv/bin/python -m pip $*)" >&2
        exit 1
    fi
}

echo "Installing requirements.lock into $venv (the first time 0.6 GB to download, a few minutes; 2.5 GB on disk) ..."
touch "$venv/setup.unfinished"
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then "$venv/bin/python" -m ensurepip >/dev/null; fi
pip install -q --disable-pip-version-check --no-deps -r requirements.lock
if [ "$gpu" = yes ]; then
    echo "Installing requirements-gpu.lock (3 GB to download) ..."
    pip install -q --disable-pip-version-check --no-deps -r requirements-gpu.lock
fi
pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .

# Written last, and whole: an interrupted installation is done again.
fingerprint >"$venv/setup.stamp.new"
rm -f "$venv/setup.unfinished"
mv "$venv/setup.stamp.new" "$venv/setup.stamp"
echo "Ready. Use it with: source $venv/bin/activate"

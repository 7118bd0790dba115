#!/usr/bin/env bash
# See one contest from training to submission, on its bundled sample: bash scripts/demo.sh [TASK]
# TASK is a folder of competitions/. Takes minutes on a CPU; makes the environment first if need be.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
VENV="$(realpath -m -- "${VENV:-$root/.venv}")"
export VENV
cd "$root"

task="$(basename "${1:-lic2020_relation_extraction}")" # so that competitions/TASK/ will do as well
folder="competitions/$task"
if [ ! -f "$folder/train.py" ]; then
    present="$(find competitions -mindepth 2 -maxdepth 2 -name train.py 2>/dev/null | cut -d/ -f2 | sort | paste -sd ' ' - || true)"
    echo "demo.sh: no contest '$task'; there are: ${present:-none}" >&2
    exit 2
fi

bash scripts/setup.sh
export PATH="$VENV/bin:$PATH"
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-2}"

echo_and_run() {
    printf '\n+ %s\n' "$*"
    "$@"
}

name="demo-$(date +%Y%m%d-%H%M%S)"
run="runs/$task/$name"
echo_and_run python "$folder/train.py" --output-dir runs --run-name "$name"
# dev has labels, so that its predictions can be scored; test has none, like the judge's file.
echo_and_run python "$folder/predict.py" --run "$run" --input "$folder/sample/dev.json" --output "$run/dev_submission.json"
echo_and_run python "$folder/evaluate.py" --gold "$folder/sample/dev.json" --predictions "$run/dev_submission.json"
echo_and_run python "$folder/predict.py" --run "$run" --input "$folder/sample/test.json" --output "$run/test_submission.json"

cat <<END

The run:         $run
The submission:  $run/test_submission.json
Next:            source $VENV/bin/activate
                 python $folder/train.py --help         # every knob; --data-dir for the contest's data, --pretrained for BERT
                 cp -r $folder somewhere/mine           # and start changing model.py
END

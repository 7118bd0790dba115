"""`doctor.py --gpu-check`: one page, whatever fails. No GPU: commands are faked, or run on the CPU."""

import json
import os
import sys

import pytest

from common.command_line import parse_flags
from common.options import check_combination

import competition
from contests import CONTESTS

sys.path.insert(0, str(competition.ROOT / "scripts"))
import doctor  # noqa: E402
import gpu_check  # noqa: E402
import watched_script  # noqa: E402

CARD = {"TensorFlow": "2.21.0", "Built for": "cuda_version 12", "Cards": ["{'device_name': 'Some card'}"]}
#: Answers in the three shapes of submissions.
ANSWERS = {
    "webqa_dgcnn": "1\ta\n2\tb\n",
    "nl2sql": '{"sql": 1}\n{"sql": 2}\n',
    "lic2020_reading_comprehension": '{"1": "a", "2": "b"}',
}


@pytest.fixture
def check(monkeypatch, tmp_path, capsys):
    """Runs the check with commands that only write what the real ones would, or what the test says."""

    class Check:
        probe, loss, scores, on_cpu, flags = CARD, 0.5, 0.25, staticmethod(lambda answers: answers), []

        def watched(self, script, flags, device, **variables):
            contest, given = script.parent.name, dict(zip(flags, flags[1:]))
            self.flags.append((contest, script.stem, device, variables, list(map(str, flags))))
            if script.stem == "train":
                if "--mixed-precision" in flags:
                    raise gpu_check.Failed("UnimplementedError: no such kernel")
                run = given["--output-dir"] / contest / "check"
                run.mkdir(parents=True)
                (run / "config.json").write_text(json.dumps({"data": {"train": {"examples": 400}}}))
                (run / "history.jsonl").write_text(json.dumps({"loss": 0.5}) + "\n" + json.dumps({"loss": self.loss}))
                return {"epoch_seconds": 2.0, "peak_bytes": 3e9}
            answers = ANSWERS[contest]
            exact = variables.get("NVIDIA_TF32_OVERRIDE") == "0"
            given["--output"].write_text(answers if device == "gpu" and not exact else self.on_cpu(answers))
            return {"rows_per_second": 70.0}

        def __call__(self):
            page = tmp_path / "page.txt"
            code = gpu_check.check(list(ANSWERS), gpu_check.ALL_CASES, "gpu", page, ["Python 3.11"])
            return code, page.read_text("utf-8") if os.path.exists(page) else "", capsys.readouterr().out

    made = Check()
    monkeypatch.setattr(gpu_check, "_probe", lambda device: (made.probe, "Could not find cuda drivers"))
    monkeypatch.setattr(gpu_check, "watched", made.watched)
    monkeypatch.setattr(gpu_check, "score", lambda scripts, gold, predictions: made.scores)
    return made


def rows_of(page, case):
    return [line.split() for line in page.splitlines() if f"  {case}  " in line]


def test_one_page_says_what_every_case_came_to(check):
    check.on_cpu = lambda answers: answers.replace("2", "3")
    code, page, printed = check()
    assert code == 1, "16 bits fail"
    assert page.startswith("Python 3.11\n") and "Some card" in page
    assert [line for line in page.splitlines()[1:] if line not in printed.splitlines()] == []
    assert rows_of(page, "float32") == [
        [contest, "float32", "200", "70", "70", "3000", "finite", *"1 of 2 0.2500 0.2500".split()]
        for contest in ANSWERS
    ]
    small = " ".join(gpu_check.SMALL_BATCHES)
    for contest in ANSWERS:
        assert f"{contest}, float32: 0 of 2 answers differ with {small}" in page
        assert f"{contest}, float32: 0 of 2 answers differ from the CPU's without TF32" in page


def test_a_case_that_fails_stops_no_other(check):
    code, page, _ = check()
    assert code == 1
    assert len(rows_of(page, "float16")) == len(rows_of(page, "bfloat16")) == len(rows_of(page, "bert float16")) == 3
    lines = page.splitlines()
    errors = [after for line, after in zip(lines, lines[1:]) if "  float16  " in line]
    assert errors == ["    UnimplementedError: no such kernel"] * 3
    assert len(rows_of(page, "float32")) == 3
    assert "without TF32" not in page, "what does not differ needs no second try"


def test_a_loss_that_is_not_finite_is_a_failure(check, monkeypatch):
    monkeypatch.setattr(gpu_check, "CASES", {"float32": ()})
    assert check()[0] == 0
    check.loss = float("nan")
    code, page, _ = check()
    assert code == 1 and page.count("NOT FINITE") == 3


def test_a_score_of_nothing_is_pointed_at(check, monkeypatch):
    check.scores = 0.0
    assert "a score of 0" in check()[1]


def test_the_cpu_never_sees_the_card(check, monkeypatch, tmp_path):
    script = tmp_path / "seen.py"
    script.write_text("import os; print(repr(os.environ.get('CUDA_VISIBLE_DEVICES')))")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [gpu_check.command([script], device).strip() for device in ("gpu", "cpu")] == ["'1'", "''"]
    check()
    devices = [device for contest, script, device, *_ in check.flags if (contest, script) == ("nl2sql", "predict")]
    assert devices == ["gpu", "cpu", "gpu"]


@pytest.mark.parametrize(
    "variable, driver, words",
    [("", True, "unset it"), (None, False, "no NVIDIA driver"), (None, True, "scripts/setup.sh --gpu")],
)
def test_without_a_card_one_line_says_what_to_do(check, monkeypatch, variable, driver, words):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if variable is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", variable)
    monkeypatch.setattr(gpu_check.Path, "exists", lambda path: driver if str(path) == "/dev/nvidiactl" else False)
    check.probe = {**CARD, "Cards": []}
    code, page, printed = check()
    assert code == 2 and page == ""
    assert printed.count("\n") == 1 and printed.startswith("TensorFlow sees no GPU: ") and words in printed


def test_the_line_that_names_the_error_is_kept(tmp_path):
    script = tmp_path / "fails.py"
    script.write_text(
        "import sys\n"
        "print('Traceback (most recent call last):', file=sys.stderr)\n"
        f"print('tensorflow.python.framework.errors_impl.InternalError: no cuDNN in {gpu_check.SCRIPTS}', file=sys.stderr)\n"
        "print('  [[{{node convolution}}]] [Op:__inference_call]', file=sys.stderr)\n"
        "sys.exit(1)\n"
    )
    with pytest.raises(gpu_check.Failed, match="InternalError: no cuDNN in ./scripts$"):
        gpu_check.command([script], "cpu")


def test_the_flags_of_all_cases_are_those_of_the_scripts():
    for contest in CONTESTS:
        config_class = competition.load(contest.folder, "train").Config
        for flags in {**gpu_check.CASES, **gpu_check.FURTHER.get(contest.folder, {})}.values():
            for size in gpu_check.SIZES.values():
                config = parse_flags(config_class, [*flags, *size])
                check_combination(config.encoder, config.training)
        parse_flags(competition.load(contest.folder, "predict").Config, gpu_check.SMALL_BATCHES)


PREDICTS = """
from common.command_line import run
from common.prediction import rounds
import sys, neighbour

def main():
    print(sys.argv[1:], neighbour.NAME, [list(some) for some in rounds(list("abcdefgh"))])

if __name__ == "__main__":
    run(main)
"""


def test_a_watched_script_does_what_it_does(tmp_path, monkeypatch, capsys):
    for name, text in (("predict", PREDICTS), ("neighbour", "NAME = 'here'")):
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    for module, name in ((watched_script.process, "start_tensorflow"), (watched_script.prediction, "rounds")):
        monkeypatch.setattr(module, name, getattr(module, name))
    figures = watched_script.run(str(tmp_path / "predict.py"), ["--flag"])
    assert capsys.readouterr().out == "['--flag'] here [['a', 'b'], ['c', 'd', 'e', 'f', 'g', 'h']]\n"
    assert figures["rows_per_second"] > 0


def test_doctor_hands_over_and_refuses_other_names(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(doctor, "check_tensorflow", lambda report, problem: None)
    seen = []
    monkeypatch.setattr(gpu_check, "check", lambda *given: seen.append(given) or 1)
    page = tmp_path / "page.txt"
    assert doctor.main(["--gpu-check", "--device", "cpu", "--contests", "nl2sql", "--report", str(page)]) == 1
    [(contests, cases, device, report, lines)] = seen
    assert (contests, cases, device, report) == (["nl2sql"], ["float32"], "cpu", page)
    assert any(line.startswith("Python ") for line in lines)
    with pytest.raises(SystemExit) as end:
        doctor.main(["--gpu-check", "--contests", "nl3sql"])
    assert end.value.code == 2 and "nl3sql" in capsys.readouterr().err


@pytest.mark.slow(reason="four processes that load TensorFlow; the parts are tried one by one by default")
def test_a_contest_is_checked_on_the_cpu(tmp_path, capsys):
    page = tmp_path / "page.txt"
    code = gpu_check.check(["lic2020_relation_extraction"], ["float32"], "cpu", page, [])
    [row] = rows_of(page.read_text("utf-8"), "float32")
    assert code == 0 and row[6] == "finite" and row[7:10] == ["0", "of", "100"] and len(row) == 12
    assert all(float(speed) > 0 for speed in row[2:5])

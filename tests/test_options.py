"""common/options: the flags all contests share, and what they refuse."""

import subprocess
import sys
from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest

from common.command_line import UserError, parse_flags
from common.options import EncoderOptions, RunOptions, TrainingOptions

from competition import ROOT


@dataclass
class Config:
    """A contest's own knobs beside the shared ones."""

    threshold: float = 0.5
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=3))
    run: RunOptions = field(default_factory=RunOptions)


SHARED = [option for group in (RunOptions, TrainingOptions, EncoderOptions) for option in fields(group)]


def test_every_option_is_a_flag_without_a_prefix():
    config = parse_flags(
        Config,
        "--encoder bilstm --hidden-size 64 --layers 3 --dropout 0.2 --max-length 77 --word-vectors words.bin --dictionary words.tsv --word-size 0 --threshold 0.4 "
        "--epochs 7 --batch-size 8 --optimizer adafactor --learning-rate 5e-4 --warmup 0.1 --schedule 0.5:1,1:0.1 --layer-decay 0.9 --weight-decay 0 --gradient-clipping 0 "
        "--ema-momentum 0 --lookahead-steps 5 --lookahead-alpha 0.4 --lazy-embeddings --accumulation-steps 2 --recompute --mixed-precision bfloat16 "
        "--fgm 0.5 --r-drop 4 --flooding 0.2 --early-stopping-patience 2 --devices 8 --output-dir out --run-name one --resume --seed 9 "
        "--max-train-examples 100 --max-dev-examples 10 --num-folds 7 --fold 6 --extra one two".split(),
    )
    assert config == Config(
        0.4,
        EncoderOptions(None, None, "bilstm", 64, 3, 0.2, 77, Path("words.bin"), Path("words.tsv"), None, 0),
        TrainingOptions(
            7,
            8,
            "adafactor",
            5e-4,
            0.1,
            "0.5:1,1:0.1",
            0.9,
            0.0,
            0.0,
            0.0,
            5,
            0.4,
            True,
            2,
            True,
            "bfloat16",
            0.5,
            4.0,
            0.2,
            2,
            "8",
        ),
        RunOptions(Path("out"), "one", True, 9, 100, 10, 7, 6, (Path("one"), Path("two"))),
    )
    assert parse_flags(Config, "--pretrained ckpt --encoder bert".split()).encoder == EncoderOptions(
        Path("ckpt"), None, "bert"
    )


def test_a_contest_sets_its_own_defaults():
    assert parse_flags(Config, []).training == TrainingOptions(epochs=3)
    assert parse_flags(Config, ["--batch-size", "4"]).training == TrainingOptions(epochs=3, batch_size=4)


def test_no_two_groups_have_an_option_of_the_same_name():
    names = [option.name for option in SHARED]
    assert len(names) == len(set(names))


def test_the_help_explains_every_option(capsys):
    with pytest.raises(SystemExit):
        parse_flags(Config, ["--help"])
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for option in SHARED:
        assert f"--{option.name.replace('_', '-')}" in shown
    for words in ("Passes over the training data", "Longest window, in tokens", "Decides everything random"):
        assert words in shown


IMPOSSIBLE = [
    (TrainingOptions, "epochs", 0, "at least 1"),
    (TrainingOptions, "batch_size", -3, "at least 1"),
    (TrainingOptions, "learning_rate", 0.0, "above 0"),
    (TrainingOptions, "learning_rate", float("nan"), "above 0"),
    (TrainingOptions, "warmup", 1.0, "below 1"),
    (TrainingOptions, "warmup", -0.1, "below 1"),
    (TrainingOptions, "ema_momentum", 1.0, "below 1"),
    (TrainingOptions, "weight_decay", -0.01, "at least 0"),
    (TrainingOptions, "gradient_clipping", -1.0, "at least 0"),
    (TrainingOptions, "early_stopping_patience", -1, "at least 0"),
    (TrainingOptions, "devices", "0", "a number from 1, or all"),
    (TrainingOptions, "devices", "33", "at most the 32 examples of --batch-size"),
    (EncoderOptions, "hidden_size", 0, "at least 1"),
    (EncoderOptions, "layers", -1, "at least 0"),
    (EncoderOptions, "dropout", 1.0, "below 1"),
    (EncoderOptions, "max_length", 2, "at least 3"),
    (EncoderOptions, "word_size", -1, "at least 0"),
    (EncoderOptions, "hidden_size", 2**14 + 2, "at most 16384"),
    (EncoderOptions, "layers", 101, "at most 100"),
    (EncoderOptions, "max_length", 2**16 + 1, "at most 65536"),
    (EncoderOptions, "word_size", 2**14 + 1, "at most 16384"),
    (RunOptions, "max_train_examples", 0, "at least 1"),
    (RunOptions, "max_dev_examples", -5, "at least 1"),
    (RunOptions, "num_folds", -1, "at least 0"),
    (RunOptions, "num_folds", 1, "at least 2"),
    (RunOptions, "fold", 0, "at least 1"),
    (RunOptions, "fold", 6, "at most --num-folds, which is 5"),
]


@pytest.mark.parametrize(("group", "name", "value", "message"), IMPOSSIBLE)
def test_impossible_values_are_named_in_one_line(group, name, value, message):
    with pytest.raises(UserError) as caught:
        group(**{name: value})
    assert str(caught.value).startswith(f"--{name.replace('_', '-')} {value}: must be ") and message in str(
        caught.value
    )


def test_impossible_values_on_the_command_line_end_with_code_2(capsys):
    with pytest.raises(SystemExit) as stop:
        parse_flags(Config, ["--max-length", "2"])
    assert stop.value.code == 2
    assert "--max-length 2: must be at least 3" in capsys.readouterr().err


def test_a_fold_is_one_of_the_parts():
    assert RunOptions(num_folds=10, fold=10).fold == 10
    with pytest.raises(UserError, match="--fold 4: must be at most --num-folds, which is 3"):
        RunOptions(num_folds=3, fold=4)


def test_what_reads_in_both_directions_has_halves_and_levels():
    with pytest.raises(UserError, match="--hidden-size 15: must be even"):
        EncoderOptions(encoder="bilstm", hidden_size=15)
    with pytest.raises(UserError, match="--hidden-size 12: must be a multiple of 8"):
        EncoderOptions(encoder="on_lstm", hidden_size=12)
    assert EncoderOptions(encoder="dgcnn", hidden_size=15).hidden_size == 15


@pytest.mark.parametrize("other", ["--pretrained ckpt", "--encoder bert"])
def test_word_vectors_are_for_light_encoders(other, capsys):
    with pytest.raises(SystemExit) as stop:
        parse_flags(Config, ["--word-vectors", "words.bin", *other.split()])
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert (
        f"--word-vectors words.bin: only a light encoder reads words - leave it out, or {other}" in message
        and message.count("\n") == 1
    )


@pytest.mark.parametrize("argv", [["--encoder", "gpt"], ["--epochs", "many"], ["--epoch-size", "3"]])
def test_unknown_flags_and_choices_end_with_code_2(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        parse_flags(Config, argv)
    assert stop.value.code == 2
    assert argv[0] in capsys.readouterr().err


def test_the_learning_rate_suits_what_is_trained():
    assert EncoderOptions().learning_rate() == 1e-3
    assert EncoderOptions(encoder="bilstm").learning_rate() == EncoderOptions(encoder="on_lstm").learning_rate() == 1e-3
    assert EncoderOptions(encoder="bert").learning_rate() == 3e-4
    assert EncoderOptions(pretrained=Path("ckpt")).learning_rate() == 2e-5


def test_options_and_runs_do_without_tensorflow():
    code = (
        "import sys\n"
        "import common.options, common.runs.directory, common.runs.weights, common.generators, common.tokenizers.word_vectors\n"
        "print([name for name in ('tensorflow', 'keras', 'tf_keras') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr

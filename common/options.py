"""The flags that all contests share: how a run is kept, and how a model is trained and used.

Each folder's `Config` embeds these dataclasses and `tyro` makes flags of their fields, so a new technique becomes one
field here, not seven edits. No TensorFlow in this module: `--help` and mistakes in flags answer at once.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common.attention_pattern import LONGEST, NUMBERS, PATTERNS, AttentionPattern
from common.command_line import UserError, check_above, check_at_least, check_at_most, check_below_one
from common.generators import BATCH_TOKENS

#: Parts of a training file that comes without a dev file.
DEFAULT_FOLDS = 5

#: The encoders from nothing that are no light ones.
TRANSFORMERS = ("bert", "roformer")

#: What an encoder trained from nothing may measure: far above what any machine trains, and below what overflows.
LARGEST_ENCODER = {"hidden_size": 2**14, "word_size": 2**14, "layers": 100, "max_length": LONGEST}

#: Neurons of a level of an encoder of ON-LSTMs: of --hidden-size 128 each direction has 64, in 16 levels.
NEURONS_OF_A_LEVEL = 4


@dataclass
class RunPlace:
    output_dir: Path = Path("runs")
    """Folder of all runs: a run is kept in OUTPUT_DIR/TASK/RUN_NAME."""
    run_name: str | None = None
    """Name of this run. Default: the time of its start."""
    resume: bool = False
    """Continue the run named by --run-name (default: the newest) after its last whole epoch, with the settings it was
    started with."""
    seed: int = 1
    """Decides everything random: initial weights, order of the data, dropout, negatives."""

    def __post_init__(self):
        check_at_least(self, seed=0)


@dataclass
class RunOptions(RunPlace):
    max_train_examples: int | None = None
    """Use only the first so many training examples."""
    max_dev_examples: int | None = None
    """Use only the first so many dev examples."""
    num_folds: int = 0
    """Cut the training file into so many parts and leave the dev file alone: one part is dev, the others train.
    Default: 5 where there is no dev file."""
    fold: int = 1
    """Which of the parts is dev, from 1 to --num-folds."""
    extra: tuple[Path, ...] = ()
    """Further files in the format of the training file, to be trained on besides, as `similar_questions.py augment` makes
    them. What shares its text or table with an example of dev is left out."""
    feature_memory: int = 1024
    """Megabytes of memory for what the network is trained on: windows, labels, arrays. Where they take more, they are
    read from a file without a name in --output-dir while it trains; the run is the same. 0: always."""

    def __post_init__(self):
        super().__post_init__()
        check_at_least(self, max_train_examples=1, max_dev_examples=1, num_folds=0, fold=1, feature_memory=0)
        if self.num_folds == 1:
            raise UserError("--num-folds 1: must be at least 2, one part for dev and one to train on")
        if self.fold > (self.num_folds or DEFAULT_FOLDS):
            raise UserError(
                f"--fold {self.fold}: must be at most --num-folds, which is {self.num_folds or DEFAULT_FOLDS}"
            )


@dataclass
class PredictionOptions:
    run: Path | None = None
    """Run directory. Default: the newest trained run of this task in --output-dir."""
    output_dir: Path = Path("runs")
    """Where to look for the newest run."""
    batch_tokens: int = BATCH_TOKENS
    """Tokens per batch, padding included; a text or window that has more is read by itself. Fewer need less memory,
    more may be faster on a GPU; the answers are the same."""
    mixed_precision: Literal["no", "bfloat16", "float16"] | None = None
    """Compute in 16 bits, or in 32. Default: as the run was trained. A processor or GPU that has bfloat16 is up to 1.5
    times as fast; a few answers differ, and depend a little on the other texts of a batch."""
    scores: Path | None = None
    """Also write what each answer was chosen from, with probabilities, to this file of JSON lines."""
    shard: str | None = None
    """K/N: answer the K-th of N parts of the input, as 3/8, so that several machines share it. What is written is a part
    of the submission, and of --scores, for scripts/merge_shards.py. Default: all."""

    def __post_init__(self):
        check_at_least(self, batch_tokens=1)
        if self.shard is not None and not _is_shard(self.shard):
            raise UserError(f"--shard {self.shard}: must be K/N, the K-th of N parts, as 3/8")


def _is_shard(text: str) -> bool:
    found = re.fullmatch("([0-9]{1,9})/([0-9]{1,9})", text)
    return found is not None and 1 <= int(found[1]) <= int(found[2])


@dataclass
class TrainingOptions:
    epochs: int = 10
    """Passes over the training data. The learning rate falls to zero over all of them, so raising this with --resume
    makes it jump."""
    batch_size: int = 32
    """Examples per training step."""
    optimizer: Literal["adamw", "adafactor"] = "adamw"
    """AdamW, or AdaFactor, which remembers of a matrix as much as of a row and a column of it: where memory is short
    (with --ema-momentum 0, since an average is a copy of the weights). The learning rate means the same for both."""
    learning_rate: float | None = None
    """Highest learning rate, reached at the end of the warm-up. Default: 1e-3 for the light encoders (2e-3 in reading
    comprehension, WebQA, entity linking, NL2SQL and title generation), 3e-4 for a BERT from nothing, 2e-5 for a
    checkpoint (title generation: 1e-3, and 5e-5 or, below an LSTM, 2e-4)."""
    warmup: float = 0.05
    """Share of all steps in which the learning rate rises from zero."""
    schedule: str = "1:0"
    """The learning rate after the warm-up, as points between which it runs straight:
    SHARE_OF_ALL_STEPS:SHARE_OF_THE_LEARNING_RATE, in rising order. Default: straight to zero at the end; "0.5:1,1:0.1"
    stays at the highest for half of the training and ends with a tenth of it."""
    layer_decay: float = 1.0
    """A transformer only: each layer learns at this share of the rate of the layer above it, the embeddings slowest. 1:
    all alike."""
    weight_decay: float = 0.01
    """Decoupled weight decay. Biases, normalisations and embeddings are excluded."""
    gradient_clipping: float = 1.0
    """Largest global norm of the gradients; 0 turns clipping off."""
    ema_momentum: float = 0.999
    """Momentum of the moving average of the weights that is evaluated and saved; 0 turns it off."""
    lookahead_steps: int = 0
    """Lookahead: after so many steps the weights go back part of the way they went, --lookahead-alpha of it remains.
    The paper takes 5. 0: off."""
    lookahead_alpha: float = 0.5
    """Share of the way that Lookahead keeps."""
    lazy_embeddings: bool = False
    """A step moves only those rows of embeddings that a batch holds, and forgets nothing of the others."""
    accumulation_steps: int = 1
    """Add up the gradients of so many batches before a step: equal to batches so many times as large, in the memory of
    one."""
    recompute: bool = False
    """A transformer only: compute the inside of its layers twice instead of keeping it. Less than half of the memory
    for a sixth more time."""
    mixed_precision: Literal["no", "bfloat16", "float16"] = "no"
    """Compute in 16 bits, with weights, heads and losses in 32. Pays on a GPU or a processor that has it (avx512_bf16
    in /proc/cpuinfo). Answers then depend a little on the other texts of a batch."""
    fgm: float = 0.0
    """Adversarial training: each step learns also from embeddings moved by so much against the model (0.5 is usual).
    Twice the time. 0: off."""
    r_drop: float = 0.0
    """Each batch is read twice with other dropout, and how far the answers differ counts so much (4 is usual). Twice
    the time. 0: off."""
    flooding: float = 0.0
    """The loss shall not sink below this: where it has, a step goes uphill. 0: off."""
    early_stopping_patience: int = 0
    """Stop after so many evaluations without a better dev score; 0 never stops."""
    devices: str = "1"
    """Share each batch among so many GPUs of this machine, or "all" of them: the same training, faster. docs/scale.md
    says how several machines do it."""

    def __post_init__(self):
        check_at_least(self, epochs=1, batch_size=1, weight_decay=0, gradient_clipping=0, early_stopping_patience=0)
        check_at_least(self, lookahead_steps=0, accumulation_steps=1, fgm=0, r_drop=0, flooding=0)
        check_above(self, learning_rate=0, layer_decay=0, lookahead_alpha=0)
        check_below_one(self, "warmup", "ema_momentum")
        if self.devices != "all" and not re.fullmatch("[1-9][0-9]{0,5}", self.devices):
            raise UserError(f"--devices {self.devices}: must be a number from 1, or all")
        if self.devices != "all" and int(self.devices) > self.batch_size:
            raise UserError(
                f"--devices {self.devices}: must be at most the {self.batch_size} examples of --batch-size, which they share"
            )
        for name in ("layer_decay", "lookahead_alpha"):
            if getattr(self, name) > 1:
                raise UserError(f"--{name.replace('_', '-')} {getattr(self, name)}: must be at most 1")
        if schedule_points(self.schedule)[0][0] <= self.warmup:
            raise UserError(
                f"--schedule {self.schedule}: must begin after the warm-up, which takes {self.warmup} of all steps"
            )


def schedule_points(schedule: str) -> list[tuple[float, float]]:
    """The points of `--schedule`: shares of all steps, rising to 1, and the share of the highest learning rate at each.
    Raises UserError."""
    try:
        points = [(float(share), float(rate)) for share, rate in (point.split(":") for point in schedule.split(","))]
    except ValueError:
        raise UserError(
            f"--schedule {schedule}: must be points like 0.5:1,1:0 - SHARE_OF_ALL_STEPS:SHARE_OF_THE_LEARNING_RATE"
        ) from None
    shares = [share for share, _ in points]
    if (
        shares != sorted(set(shares))
        or not 0 < shares[0]
        or shares[-1] != 1
        or not all(0 <= rate <= 1 for _, rate in points)
    ):
        raise UserError(f"--schedule {schedule}: must rise to 1 before the colons, and stay from 0 to 1 behind them")
    return points


@dataclass
class EncoderOptions:
    pretrained: Path | None = None
    """Folder of a checkpoint of BERT's family, as TensorFlow saves it (bert_config.json, vocab.txt and
    bert_model.ckpt.*, or the names it was published under) or as the Hugging Face hub has it (config.json, vocab.txt and
    model.safetensors); or its name there, OWNER/NAME. Default: train from nothing."""
    pretrained_light: Path | None = None
    """Folder of a light encoder as scripts/pretrain.py makes it, or of the run of any contest with one: training begins
    with its vocabularies, sizes and weights. Its word vectors stay as they are."""
    encoder: Literal["dgcnn", "bilstm", "on_lstm", "bert", "roformer"] = "dgcnn"
    """Encoder to train from nothing when no checkpoint is given: gated dilated convolutions, a BiLSTM or an ON-LSTM in
    both directions, whose neurons are ordered by how long they remember, on characters mixed with words; a small BERT, or
    a small RoFormer, whose attention knows how far tokens are apart."""
    hidden_size: int = 128
    """Size of the encoder trained from nothing."""
    layers: int = 0
    """Layers of the encoder trained from nothing. Default: 7 convolutions, 2 BiLSTMs or ON-LSTMs, or 4 transformer
    layers."""
    dropout: float = 0.3
    """Dropout of the encoder trained from nothing (a checkpoint brings its own) and of the heads on a light encoder."""
    max_length: int = 256
    """Longest window, in tokens. A longer text is cut into overlapping windows, and nothing is lost."""
    word_vectors: Path | None = None
    """Word vectors in word2vec's text or binary format: the light encoders take them, and leave them as they are, in
    place of learned ones."""
    dictionary: Path | None = None
    """Words that jieba takes besides its own, one on each line, as scripts/discover_words.py finds them. The run keeps
    them."""
    segmenter: Path | None = None
    """Run of scripts/train_segmenter.py, which cuts texts into words in jieba's place. The run of the contest keeps
    it."""
    word_size: int = 64
    """Size of the learned word vectors of a light encoder; 0: by the rule n > 8.33 ln N for N words."""
    attention: Literal["full", "atrous", "local", "sparse", "nystrom"] = "full"
    """A transformer only, from nothing or a checkpoint: which tokens see each other. full: all. local: those near by.
    atrous: those a multiple of a number away. sparse: both kinds. Except in full, [CLS] and a question see all and are
    seen by all. nystrom: all, by way of means of neighbouring tokens. Less time and memory where texts are long."""
    attention_window: int | None = None
    """local and sparse: see tokens at most so far away. Default: 64."""
    attention_rate: int | None = None
    """atrous and sparse: see tokens a multiple of this away. Default: 16."""
    landmarks: int | None = None
    """nystrom: so many means of tokens. Default: 64."""

    def __post_init__(self):
        # Three tokens: [CLS], one of the text, [SEP].
        check_at_least(self, hidden_size=1, layers=0, max_length=3, word_size=0)
        check_at_most(self, **LARGEST_ENCODER)
        check_below_one(self, "dropout")
        self._check_attention()
        check_hidden_size(self.encoder, self.hidden_size)
        if self.dictionary and self.segmenter:
            raise UserError(
                f"--dictionary {self.dictionary}: is for jieba, and --segmenter cuts in its place - leave out one of them"
            )
        words = self.word_vectors or self.dictionary or self.segmenter
        if self.pretrained_light and (self.pretrained or self.encoder in TRANSFORMERS or words):
            raise UserError(
                f"--pretrained-light {self.pretrained_light}: is a light encoder with words of its own - leave out --pretrained, --word-vectors, --dictionary, --segmenter, and --encoder bert or roformer"
            )
        if self.word_vectors and not self.is_light:
            other = f"--pretrained {self.pretrained}" if self.pretrained else f"--encoder {self.encoder}"
            raise UserError(
                f"--word-vectors {self.word_vectors}: only a light encoder reads words - leave it out, or {other}"
            )

    def _check_attention(self) -> None:
        pattern = self.pattern()
        for name in NUMBERS:
            value = getattr(pattern, name)
            if value is not None and value > self.max_length:
                raise UserError(
                    f"--{name.replace('_', '-')} {value}: must be at most the {self.max_length} tokens of --max-length"
                )

    def pattern(self) -> AttentionPattern:
        """Which tokens see each other, with a default that fits --max-length for what is not given."""
        given = {name: getattr(self, name) for name in NUMBERS if getattr(self, name) is not None}
        defaults = {name: min(value, self.max_length) for name, value in PATTERNS[self.attention].items()}
        return AttentionPattern(self.attention, **defaults | given)

    @property
    def is_light(self) -> bool:
        return not self.pretrained and self.encoder not in TRANSFORMERS

    def learning_rate(self, light: float = 1e-3) -> float:
        """What suits it where no --learning-rate is given. light: that of a light encoder."""
        return light if self.is_light else 2e-5 if self.pretrained else 3e-4


def check_hidden_size(encoder: str, hidden_size: int) -> None:
    """Raises UserError where an encoder that reads in both directions cannot be cut into two halves, or these not into
    levels."""
    if encoder == "bilstm" and hidden_size % 2:
        raise UserError(f"--hidden-size {hidden_size}: must be even, since a BiLSTM reads half of it in each direction")
    multiple = 2 * NEURONS_OF_A_LEVEL
    if encoder == "on_lstm" and hidden_size % multiple:
        raise UserError(
            f"--hidden-size {hidden_size}: must be a multiple of {multiple}, since an ON-LSTM reads half of it in each direction, in levels of {NEURONS_OF_A_LEVEL} neurons"
        )


def check_combination(encoder: EncoderOptions, training: TrainingOptions) -> None:
    """Raises UserError where techniques make no sense together. This is the one place that decides it; what is not
    refused here, works."""
    if encoder.is_light:
        for flag, given in (
            ("--recompute", training.recompute),
            (f"--layer-decay {training.layer_decay}", training.layer_decay < 1),
            (f"--attention {encoder.attention}", encoder.attention != "full"),
        ):
            if given:
                raise UserError(
                    f"{flag}: is for transformers, and --encoder {encoder.encoder} is none - leave it out, or give --pretrained or --encoder bert"
                )
    if training.r_drop and not encoder.pretrained and not encoder.dropout:
        raise UserError(
            f"--r-drop {training.r_drop}: compares two dropouts of a batch, and there is none - leave it out, or raise --dropout"
        )

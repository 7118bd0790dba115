"""The flags that all contests share: how a run is kept, and how a model is trained.

Each folder's `Config` embeds both dataclasses and `tyro` makes flags of their fields, so a new technique becomes one
field here, not seven edits. No TensorFlow in this module: `--help` and mistakes in flags answer at once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common.command_line import UserError, check_above, check_at_least, check_below_one


@dataclass
class RunOptions:
    output_dir: Path = Path("runs")
    """Folder of all runs: a run is kept in OUTPUT_DIR/TASK/RUN_NAME."""
    run_name: str | None = None
    """Name of this run. Default: the time of its start."""
    resume: bool = False
    """Continue the run named by --run-name (default: the newest) after its last whole epoch, with the settings it was started with."""
    seed: int = 1
    """Decides everything random: initial weights, order of the data, dropout, negatives."""
    max_train_examples: int | None = None
    """Use only the first so many training examples."""
    max_dev_examples: int | None = None
    """Use only the first so many dev examples."""

    def __post_init__(self):
        check_at_least(self, max_train_examples=1, max_dev_examples=1)


@dataclass
class TrainingOptions:
    epochs: int = 10
    """Passes over the training data. The learning rate falls to zero over all of them, so raising this with --resume makes it jump."""
    batch_size: int = 32
    """Examples per training step."""
    learning_rate: float | None = None
    """Highest learning rate, reached at the end of the warm-up. Default: 1e-3 for the light encoders (2e-3 in reading comprehension, WebQA, entity
    linking and title generation), 3e-4 for a BERT from nothing, 2e-5 for a checkpoint (title generation: 1e-3, and 5e-5 or, below an LSTM, 2e-4)."""
    warmup: float = 0.05
    """Share of all steps in which the learning rate rises from zero."""
    weight_decay: float = 0.01
    """Decoupled weight decay of AdamW. Biases, normalisations and embeddings are excluded."""
    gradient_clipping: float = 1.0
    """Largest global norm of the gradients; 0 turns clipping off."""
    ema_momentum: float = 0.999
    """Momentum of the moving average of the weights that is evaluated and saved; 0 turns it off."""
    early_stopping_patience: int = 0
    """Stop after so many evaluations without a better dev score; 0 never stops."""

    def __post_init__(self):
        check_at_least(self, epochs=1, batch_size=1, weight_decay=0, gradient_clipping=0, early_stopping_patience=0)
        check_above(self, learning_rate=0)
        check_below_one(self, "warmup", "ema_momentum")


@dataclass
class EncoderOptions:
    pretrained: Path | None = None
    """Folder of a BERT checkpoint: bert_config.json, bert_model.ckpt.* and vocab.txt. Default: train from nothing."""
    encoder: Literal["dgcnn", "bilstm", "bert"] = "dgcnn"
    """Encoder to train from nothing when no checkpoint is given: gated dilated convolutions or a BiLSTM on characters mixed with
    words, or a small BERT."""
    hidden_size: int = 128
    """Size of the encoder trained from nothing."""
    layers: int = 0
    """Layers of the encoder trained from nothing. Default: 7 convolutions, 2 BiLSTMs or 4 transformer layers."""
    dropout: float = 0.3
    """Dropout of the encoder trained from nothing (a checkpoint brings its own) and of the heads on a light encoder."""
    max_length: int = 256
    """Longest window, in tokens. A longer text is cut into overlapping windows, and nothing is lost."""
    word_vectors: Path | None = None
    """Word vectors in word2vec's text or binary format: the light encoders take them, and leave them as they are, in place of learned ones."""
    word_size: int = 64
    """Size of the learned word vectors of a light encoder; 0: by the rule n > 8.33 ln N for N words."""

    def __post_init__(self):
        # Three tokens: [CLS], one of the text, [SEP].
        check_at_least(self, hidden_size=1, layers=0, max_length=3, word_size=0)
        check_below_one(self, "dropout")
        if self.encoder == "bilstm" and self.hidden_size % 2:
            raise UserError(f"--hidden-size {self.hidden_size}: must be even, since a BiLSTM reads half of it in each direction")
        if self.word_vectors and not self.is_light:
            other = f"--pretrained {self.pretrained}" if self.pretrained else f"--encoder {self.encoder}"
            raise UserError(f"--word-vectors {self.word_vectors}: only a light encoder reads words - leave it out, or {other}")

    @property
    def is_light(self) -> bool:
        return not self.pretrained and self.encoder != "bert"

    @property
    def default_learning_rate(self) -> float:
        return 1e-3 if self.is_light else 2e-5 if self.pretrained else 3e-4

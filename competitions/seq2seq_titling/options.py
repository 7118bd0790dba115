"""The flags that say what the network is. No TensorFlow: train.py reads them first."""

from dataclasses import dataclass
from typing import Literal

from common.command_line import UserError


@dataclass
class WritingOptions:
    model: Literal["copy_lstm", "bidirectional", "unilm"] = "copy_lstm"
    """Network: an encoder and an LSTM that copies; two such LSTMs that write from both ends at once; or one BERT that
    reads and writes (with --pretrained a checkpoint, else a small one, whatever --encoder says)."""
    copy: Literal["none", "prior", "pointer"] = "pointer"
    """Where a title's characters come from: the vocabulary alone; with a preference for those of the text (the
    original's copy prior); or also straight out of the text, place by place."""
    cut_vocabulary: bool = True
    """Of a checkpoint's vocabulary keep only what the training texts use, and letters, digits and marks: fewer weights,
    faster steps."""
    self_terminating: bool = False
    """copy_lstm only: the end of a title gets more probable with each character, so that every title ends."""

    def __post_init__(self):
        if self.self_terminating and self.model != "copy_lstm":
            raise UserError(
                "--self-terminating: only copy_lstm has such a layer - leave it out, or take --model copy_lstm"
            )

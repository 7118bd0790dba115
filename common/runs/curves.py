"""The curves of a training, for TensorBoard."""

import os
import sys
from typing import Any

from tqdm import tqdm

from common.keras_compat import tf
from common.runs.directory import Run


class Curves:
    """Writes the figures of an epoch into the folder `tensorboard` of a run. Where that cannot be done, one warning
    says so, and training goes on without. Raises UserError where the folder is a link."""

    def __init__(self, run: Run):
        self.folder, self.writer, self.fails = run.file("tensorboard"), None, False

    def write(self, entry: dict[str, Any]) -> None:
        """entry: a line of the history."""
        if self.fails:
            return
        try:
            # As bytes: TensorFlow would write UTF-8, whatever names of folders are in here.
            self.writer = self.writer or tf.summary.create_file_writer(os.fsencode(self.folder))
            with self.writer.as_default(step=entry["epoch"]):
                for name, value in entry.items():
                    tf.summary.scalar(name, value)
            self.writer.flush()
        except tf.errors.OpError as error:
            self.fails, reason = True, error.message.splitlines()[0]
            tqdm.write(
                f"WARNING: {self.folder}: no curves from here on ({reason}) - history.jsonl has all figures",
                file=sys.stderr,
            )

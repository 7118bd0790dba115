"""Fill in blanks, or write whole texts, by a masked language model, such as BERT, RoFormer and ALBERT are pretrained as.

python scripts/fill_text.py --pretrained BERT --text "今天[MASK][MASK]很好"
python scripts/fill_text.py --pretrained BERT --length 20 --require 北京 --steps 4000 --burn-in 2000 --thinning 500

docs/gibbs.md says how, and what it is good for.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.command_line import parse_flags, printable, run
from common.process import start_tensorflow

from masked_writing import MaskedWriting, write_texts


@dataclass
class Config:
    """Fill in the blanks of a text, or write one, by a masked language model."""

    pretrained: Path
    """Folder of a checkpoint of BERT's family that has a head of a masked language model, such as scripts/pretrain.py
    writes; or its name on the Hugging Face hub, OWNER/NAME."""
    writing: MaskedWriting = field(default_factory=MaskedWriting)


def main(argv: Sequence[str] | None = None) -> list[str]:
    """Prints a text on each line; returns them."""
    config = parse_flags(Config, argv)
    start_tensorflow()  # now that flags have been looked at
    begun, texts = time.perf_counter(), []
    for text in write_texts(config.pretrained, config.writing):
        print(printable(text), flush=True)
        texts.append(text)
    writing, seconds = config.writing, time.perf_counter() - begun
    print(
        f"\n{len(texts)} texts, {len(set(texts))} different; {writing.steps:,} steps of {writing.chains} chains in {seconds:.1f} seconds"
    )
    return texts


if __name__ == "__main__":
    run(main)

"""Similar questions: learn which mean the same, write more of them, and find them.

python scripts/similar_questions.py train --train TRAIN --dev DEV
python scripts/similar_questions.py generate --input QUESTIONS --output WRITTEN
python scripts/similar_questions.py augment --input train.json --field question --output more.json
python scripts/similar_questions.py retrieve --index INDEX --questions QUESTIONS --input MORE --output FOUND
python scripts/similar_questions.py retrieve-words --word-vectors VECTORS --questions QUESTIONS --input MORE --output FOUND
python scripts/similar_questions.py score --pairs PAIRS --word-vectors VECTORS

Each command has its own --help. The last two do without a run of `train`.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Any

from common.command_line import UserError, run

#: The commands, and the modules that have their flags.
COMMANDS = {
    "train": "similarity_training",
    "generate": "similarity_writing",
    "augment": "similarity_augmentation",
    "retrieve": "similarity_search",
    "retrieve-words": "similarity_words",
    "score": "similarity_scores",
}


def main(argv: Sequence[str] | None = None) -> Any:
    """What the main function of the command returns."""
    command, *flags = [str(argument) for argument in (sys.argv[1:] if argv is None else argv)] or [""]
    if command in ("-h", "--help"):
        print(__doc__.strip())
        return None
    if command not in COMMANDS:
        raise UserError(f"{command or 'similar_questions.py'}: which command? - give one of {', '.join(COMMANDS)}")
    return importlib.import_module(COMMANDS[command]).main(flags)


if __name__ == "__main__":
    run(main)

"""From a run and a test file to a submission.

python predict.py --run runs/ccks2019_entity_linking/NAME --input test.json --output submission.json
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import check_at_least, check_probability, parse_flags, run, warn
from common.process import start_tensorflow
from common.runs.directory import open_trained_run
from common.submission import BLANK_LINE

from habits import Habits
from knowledge_base import INDEX_NAME, KnowledgeBase
from names import find_names
from task import NIL, TASK, check_submission, read, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: one line for every text of the input, in its order."""

    run: Path | None = None
    """Run directory. Default: the newest trained run of this task in --output-dir."""
    input: Path = SAMPLE / "test.json"
    """Texts in the official format; labels, if there are any, are not looked at. Default: the bundled sample's test
    file."""
    output: Path | None = None
    """The submission; zipped when it ends in .zip. Default: submission.json in the run directory."""
    output_dir: Path = Path("runs")
    """Where to look for the newest run."""
    batch_size: int = 64
    """Texts, and pairs of text and candidate, per batch. More is faster until memory ends; the answers are the same."""
    threshold: float | None = None
    """How probable a mention of an entity must be. Default: what training found."""

    def __post_init__(self):
        check_at_least(self, batch_size=1)
        check_probability(self, "threshold")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the numbers of `texts`, `mentions` and
    `linked` ones."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.run, config.output_dir, TASK)
    skipped: Counter[str] = Counter()
    examples = read(config.input, labelled=False, skipped=skipped)
    output = config.output or trained.path / "submission.json"
    settings = trained.read_json("linking.json")
    threshold = settings["threshold"] if config.threshold is None else config.threshold
    knowledge_base = KnowledgeBase(trained.path / INDEX_NAME)
    habits = Habits.from_json(trained.read_json("habits.json"))

    # TensorFlow loads here, so that mistakes in flags and files are answered at once.
    start_tensorflow()
    from common.encoders import load_encoder
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    from linking import Linker, decode
    from model import PairReader, build_networks, text_windows

    set_precision(trained.mixed_precision)
    encoder = load_encoder(trained.path)
    networks = build_networks(encoder)
    load_best(trained, networks.training)
    texts = [example.text for example in examples]
    names = [find_names(text, knowledge_base.matches(text), knowledge_base, habits) for text in texts]
    linker = Linker(networks, PairReader(encoder, knowledge_base, settings["description_length"]), config.batch_size)
    predictions = decode(texts, linker.score(texts, text_windows(texts, names, encoder)), threshold)
    write_submission(output, examples, predictions)
    check_submission(output, examples, knowledge_base)

    mentions = sum(map(len, predictions))
    linked = sum(mention.entity != NIL for found in predictions for mention in found)
    print(
        f"{output}: {len(examples)} texts, {mentions} mentions, {linked} of them linked, checked  (run {trained.path}, threshold {threshold})"
    )
    if skipped[BLANK_LINE]:
        print(f"{config.input}: {skipped[BLANK_LINE]} blank lines skipped")
    if examples and not linked:
        warn("nothing was linked - lower the threshold, or train longer")
    return {"output": output, "texts": len(examples), "mentions": mentions, "linked": linked}


if __name__ == "__main__":
    run(main)

"""Train an entity linker: read, build, fit, keep the best.

python train.py                                         # the bundled sample, on a CPU, in minutes
python train.py --data-dir CCKS2019                     # the contest's data
python train.py --data-dir CCKS2019 --pretrained BERT   # fine-tune a checkpoint
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from common.command_line import UserError, check_at_least, check_below_one, check_probability, print_next, run
from common.dev_search import DevSet
from common.encoders import build_encoder, encoder_of, prepare_segmentation, save_encoder
from common.folds import Parts, read_parts
from common.generators import steps_per_epoch, training_dataset
from common.making_rows import make_rows
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, parse_training_flags, write_decoding

from candidates import training_spots
from decode import GRID, Predictor, Settings, counts, f1, gold_scores
from features import PairReader, Window, collate, label_windows, labelled_windows, split, texts_to_read
from knowledge_base import link_index, open_knowledge_base
from metric import compare, total
from priors import link_by_priors
from task import TASK, Example, Mention, find_files, find_knowledge_base, read, submission_record

SAMPLE = Path(__file__).resolve().with_name("sample")
#: Of dev, after each epoch; the best epoch is the one with the highest first one.
FIGURES = ("f1", "precision", "recall", "mention_f1", "linking_accuracy")


@dataclass
class Config:
    """Train an entity linker on CCKS2019 data. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json, dev.json and kb_data. Default: the bundled sample."""
    knowledge_base: Path | None = None
    """The knowledge base, when it is not kb_data in that folder."""
    mentions_per_text: int = 1
    """Mentions of a text whose entity is asked for in an epoch, others each time. Each costs a reading of the text for
    every candidate."""
    max_candidates: int = 8
    """Candidates of a mention in training, NIL and the right one among them. Prediction looks at all."""
    description_length: int = 64
    """Tokens of an entity's description that are read."""
    token_dropout: float = 0.15
    """Share of the characters of a text that the search for mentions cannot read in training."""
    threshold: float | None = None
    """How probable a mention of an entity must be. Default: searched on dev after training, 0.4 until then."""
    encoder: EncoderOptions = field(
        default_factory=lambda: EncoderOptions(hidden_size=96, layers=4, dropout=0.5, max_length=192)
    )
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=12, batch_size=16))
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_at_least(self, mentions_per_text=1, max_candidates=2, description_length=1)
        check_below_one(self, "token_dropout")
        check_probability(self, "threshold")
        if self.encoder.max_length < 4:
            raise UserError(
                f"--max-length {self.encoder.max_length}: must be at least 4, for [CLS], two [SEP] and a token of the text"
            )


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev FIGURES of what predict.py will use."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    data_dir, lost = config.data_dir or SAMPLE, Counter()
    files, source = find_files(data_dir), find_knowledge_base(data_dir, config.knowledge_base)
    read_file = partial(read, labelled=True, skipped=lost)
    parts = read_parts(config.run, files.train, files.dev, read_file, lambda example: [example.text], "text")
    knowledge_base = open_knowledge_base(source, config.run.output_dir / "knowledge_bases")

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import prepare
    from common.optimizers import TrainingModel, build_optimizer
    from common.runs.callbacks import KeepRun, Progress, resumable
    from common.runs.choice import choose_on_dev

    from model import build_network, loss

    prepare(config.run.seed, config.training.mixed_precision, config.training.devices)
    prepare_segmentation(config.encoder, resumed)  # names are weighed by the words that they are
    priors, spots = training_spots(parts.train, knowledge_base)
    encoder = encoder_of(resumed) or build_encoder(
        config.encoder, texts_to_read(parts.train, spots, knowledge_base, config.description_length)
    )
    of_texts = [spot for of_text in spots for spot in of_text]
    windows = make_rows(labelled_windows, (parts.train, spots, encoder), lost, config.run, of_texts)
    network = build_network(encoder, config.token_dropout)
    predictor = Predictor(network, PairReader(encoder, knowledge_base, config.description_length), priors)
    settings = Settings() if config.threshold is None else Settings(config.threshold)
    dev = DevSet(parts.dev, predictor, evaluation)
    show(parts, lost, windows, dev, settings)
    print(f"knowledge {len(knowledge_base):,} entities  ({source})")
    print(f"network   {network.training.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    def write_run(folder: Path) -> None:
        parts.write_gold(folder)
        save_encoder(encoder, folder)
        link_index(knowledge_base.path, folder)
        priors.write(folder)
        write_decoding(folder, settings)

    kept = begin_run(resumed, TASK, config, parts.describe(lost, knowledge_base=source), write_run)
    print(f"run       {kept.path}\n")
    training, seed = config.training, config.run.seed
    keep = KeepRun(kept, partial(dev.evaluate, settings), seed, FIGURES, training.early_stopping_patience)
    model = TrainingModel(network.training, loss)
    steps = steps_per_epoch(len(windows), training.batch_size)
    model.compile(build_optimizer(training, config.encoder.learning_rate(light=2e-3), steps), training)
    epochs = range(keep.resume(model), training.epochs)
    lengths = [len(window.encoding) for window in windows]
    most = {"most_queries": config.mentions_per_text, "most_candidates": config.max_candidates}
    make = partial(collate, read_pair=predictor.read_pair, **most)
    examples = windows, lengths, make, training.batch_size, seed
    batches = training_dataset(*examples, epochs, model, split)
    with resumable(kept):
        model.fit(batches, steps_per_epoch=steps, **keep.remaining(epochs), callbacks=[keep, Progress(keep)], verbose=0)

    search = partial(dev.search, GRID, counts, f1, seed) if config.threshold is None else None
    best = choose_on_dev(keep, model, settings, search)
    print_next(__file__, kept.path, "submission.json")
    return best


def show(parts: Parts, lost: Counter[str], windows: list[Window], dev: DevSet, settings: Settings) -> None:
    """Print what there is, what gold itself reaches, train as labelled `windows`, and what the line to beat. The windows
    of dev get labels, which prediction never looks at."""
    predictor, knowledge_base, priors = dev.predictor, dev.predictor.read_pair.knowledge_base, dev.predictor.priors
    train_mentions, dev_mentions = (sum(len(example.mentions) for example in of) for of in (parts.train, parts.dev))
    parts.show(f", {train_mentions} mentions", lost, f", {dev_mentions} mentions")
    label_windows(dev.features, parts.dev, Counter())
    for name, examples, labelled in (("train", parts.train, windows), ("dev", parts.dev, dev.features)):
        gold = evaluation(examples, predictor.decode(examples, gold_scores(labelled), settings))
        print(f"gold      {name} f1 {gold.metrics['f1']:.4f} through features and decoder")
    counted = evaluation(parts.dev, link_by_priors(parts.dev, knowledge_base, priors)).metrics
    print(
        f"counting  dev f1 {counted['f1']:.4f}, mentions {counted['mention_f1']:.4f}: what the commonest choices reach without a network"
    )


def evaluation(examples: Sequence[Example], predictions: Sequence[Sequence[Mention]]) -> Evaluation:
    """The official score of predictions for examples, the predictions as submitted, and every text with an error."""
    found = [(example.id, mentions) for example, mentions in zip(examples, predictions)]
    comparisons = compare([(example.id, example.mentions) for example in examples], found)
    score = total(comparisons)
    links = {"predicted": score.links.predicted, "gold": score.links.gold, "correct": score.links.correct}
    errors = [
        {
            "text": example.text,
            "missed": [[mention.text, mention.entity] for mention in one.missed],
            "wrong": [[mention.text, mention.entity] for mention in one.wrong],
        }
        for example, one in zip(examples, comparisons)
        if one.missed or one.wrong
    ]
    records = [submission_record(example, mentions) for example, mentions in zip(examples, predictions)]
    return Evaluation({**score.figures(), **links}, records, errors)


if __name__ == "__main__":
    run(main)

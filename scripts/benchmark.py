"""Measure speed, one subject at a time; each figure as a ratio within one run, since machines are noisy.

python scripts/benchmark.py prediction          examples per CPU second of every contest, one by one and together
python scripts/benchmark.py relations           the same of one: relations, events, reading, webqa, linking, nl2sql or titles
python scripts/benchmark.py memory              memory of predict.py of every contest over many examples
python scripts/benchmark.py training-memory     memory that a training example of every contest holds
python scripts/benchmark.py first-step          time and memory of train.py up to its first step, with as many examples as the full contests have
python scripts/benchmark.py knowledge-base      time and memory of the index of entity linking, beside their limits
python scripts/benchmark.py decoding            titles per second of a unilm, one by one and in batches, with its memory and without
python scripts/benchmark.py writing             tokens per CPU second of a GPT2_ML that writes, with its memory and without
python scripts/benchmark.py training            seconds and memory of a training step, with each technique and without
python scripts/benchmark.py light-step          CPU seconds of a training step beside those of its matrix products alone
python scripts/benchmark.py attention           seconds and memory of each pattern of attention, beside full attention, for texts of several lengths
python scripts/benchmark.py counting            seconds and memory of counting n-grams, by a loop and by sorting, with one process and two
python scripts/benchmark.py embeddings          updates per second of a table of embeddings, dense and lazy
python scripts/benchmark.py start               seconds of predict.py of every contest on ten rows, beside an import of TensorFlow
python scripts/benchmark.py loading             seconds and memory of --pretrained with a BERT-base, in both formats
python scripts/benchmark.py writer-loading      memory of --pretrained with a GPT2_ML, in both formats, beside its weights
python scripts/benchmark.py tokenizing          characters per CPU second of tokens and words, beside the libraries they come from
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tqdm import tqdm

from common.command_line import UserError, check_above, check_at_least, parse_flags, run, table
from common.process import start_tensorflow
from common.runs.directory import newest_run

from contest_folders import SHORT_NAMES
from many_rows import write_many_rows
from own_process import figures_of

SCRIPTS = Path(__file__).resolve().parent
COMPETITIONS = SCRIPTS.parent / "competitions"
#: Training examples of the full contests.
FULL_SIZES = {"relations": 171_000, "webqa": 36_181, "nl2sql": 41_522}
#: Tokens that a language model writes.
WRITTEN = 256


@dataclass
class Config:
    """Measure speed on this machine."""

    subject: Annotated[
        Literal[
            "prediction",
            "relations",
            "events",
            "reading",
            "webqa",
            "linking",
            "nl2sql",
            "titles",
            "memory",
            "training-memory",
            "first-step",
            "knowledge-base",
            "decoding",
            "writing",
            "training",
            "light-step",
            "attention",
            "counting",
            "embeddings",
            "start",
            "loading",
            "writer-loading",
            "tokenizing",
        ],
        tyro.conf.Positional,
    ]
    """What to measure."""
    repeats: int = 3
    """Rounds; the best of them counts."""
    rows: int = 100
    """How many examples are predicted in a round."""
    run: Path | None = None
    """Run of a contest to predict with. Default: the newest of each in runs/."""
    input: Path | None = None
    """File with these examples, for one contest (default: the bundled sample's test.json); or the texts whose n-grams are
    counted."""
    times: str = "1"
    """How often these texts are gone through; several numbers are separated by commas."""
    data_dir: Path | None = None
    """Folder with one of training data for each contest, of its name. Default: the bundled samples."""
    examples: int = 10_000
    """How many examples are answered while memory is watched, by the newest run of each contest in runs/."""
    share: float = 1.0
    """Share of the examples of the full contests that the first step waits for."""
    feature_memory: int = 1024
    """Megabytes for their features, as for train.py."""
    entities: int = 400_000
    """How many entities the knowledge base has."""
    titles: int = 64
    """How many titles are written in a round: a part of them in the slow cases."""
    layers: int = 4
    """Layers of the network that writes, is trained, or is loaded."""
    hidden_size: int = 312
    """Its width, a multiple of its 12 heads."""
    cases: str | None = None
    """Techniques to train with, separated by commas: names of CASES in training_steps.py. Default: all."""
    batch_size: int = 32
    """Examples of a training step, a multiple of 4."""
    length: int = 128
    """Tokens of each of them."""
    lengths: str = "256,512,1024,2048,4096"
    """Tokens of a text for each pattern of attention, separated by commas."""
    steps: int = 5
    """Training steps of a round, of which the median counts; or updates of embeddings, all of which do."""

    characters: int = 200_000
    """How many characters of questions and passages are read in a round."""

    def __post_init__(self):
        check_at_least(
            self,
            repeats=1,
            rows=1,
            examples=1,
            entities=1,
            titles=1,
            layers=1,
            hidden_size=12,
            batch_size=4,
            length=3,
            steps=1,
            characters=1,
        )
        check_above(self, share=0)
        if not all(length.isdecimal() and int(length) > 2 for length in self.lengths.split(",")):
            raise UserError(f"--lengths {self.lengths}: must be whole numbers from 3 on, separated by commas")
        if not all(number.isdecimal() and int(number) for number in self.times.split(",")):
            raise UserError(f"--times {self.times}: must be whole numbers from 1 on, separated by commas")
        if self.subject == "counting" and self.input is None:
            raise UserError("--input: is missing - name the texts whose n-grams are counted")
        if self.hidden_size % 12:
            raise UserError(f"--hidden-size {self.hidden_size}: must be a multiple of its 12 attention heads")


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Prints a table, and returns its figures by name."""
    config = parse_flags(Config, argv)
    subjects = {
        **dict.fromkeys(["prediction", *SHORT_NAMES], measure_prediction),
        "memory": measure_memory,
        "training-memory": measure_training_memory,
        "first-step": measure_first_step,
        "knowledge-base": measure_knowledge_base,
        "decoding": measure_decoding,
        "writing": measure_writing,
        "training": measure_training,
        "light-step": measure_step_limit,
        "attention": measure_attention,
        "counting": measure_counting,
        "embeddings": measure_embeddings,
        "start": measure_start,
        "loading": measure_loading,
        "writer-loading": measure_writer_loading,
        "tokenizing": measure_tokenizing,
    }
    return subjects[config.subject](config)


def measure_prediction(config: Config) -> dict[str, float]:
    """What the newest run of each contest needs for its answers, or of one contest; each has a process of its own."""
    figures: dict[str, float] = {}
    shown = []
    for name, task in SHORT_NAMES.items():
        if config.subject not in ("prediction", name):
            continue
        if not config.run and not any(Path("runs", task).glob("*/best.weights.h5")):
            print(f"{task}: no run in runs/, so it is left out")
            continue
        flags = ["--rounds", config.repeats, "--examples", config.rows]
        flags += ["--run", config.run or newest_run(Path("runs"), task, "best.weights.h5").path]
        flags += ["--input", config.input] if config.input else []
        found = figures_of("prediction_speed.py", task, *flags)
        steps = (f"{found[step]:.2f} ms" for step in ("features", "score", "decode"))
        speeds = (f"{found['together']:.0f}", f"{found['alone']:.0f}", f"{found['together'] / found['alone']:.1f}")
        shown.append([name, found["examples"], *steps, *speeds, f"{found['slots']:.2f}"])
        figures |= {f"{name}, {key}": value for key, value in found.items()}
    header = ["", "examples", "features", "network", "decoding", "a CPU second", "one by one", "ratio", "slots a token"]
    print(table(header, shown))
    return figures


def measure_memory(config: Config) -> dict[str, float]:
    """Bytes held by predict.py of each contest that has a run, each in a process of its own: before the third round,
    when everything has been used once, and at the end."""
    figures: dict[str, float] = {}
    rows = []
    for task in sorted(path.parent.name for path in COMPETITIONS.glob("*/predict.py")):
        if not any(Path("runs", task).glob("*/best.weights.h5")):
            print(f"{task}: no run in runs/, so it is left out")
            continue
        found = figures_of("prediction_memory.py", task, "--examples", config.examples)
        held = found["held"]
        settled, end, most = (value / 1e6 for value in (held[min(2, len(held) - 1)], held[-1], max(held)))
        answers = ", ".join(f"{count:,} {name}" for name, count in found["answers"].items())
        rows.append([task, f"{settled:,.0f} MB", f"{end:,.0f} MB", f"{most:,.0f} MB", answers])
        figures |= {f"{task}, settled": settled, f"{task}, end": end}
    print(table(["", "before round 3", "at the end", "at most", "answers"], rows))
    return figures


def measure_training_memory(config: Config) -> dict[str, float]:
    """Bytes held by a training example of each contest, each in a process of its own."""
    figures: dict[str, float] = {}
    rows = []
    for task in SHORT_NAMES.values():
        if config.data_dir and not (config.data_dir / task / "train.json").is_file():
            print(f"{task}: no train.json in {config.data_dir / task}, so it is left out")
            continue
        found = figures_of(
            "training_memory.py", task, *(["--data-dir", config.data_dir / task] if config.data_dir else [])
        )
        rows.append([task, f"{found['rows']:,}", f"{found['features']:,.0f}", f"{found['example']:,.0f}"])
        figures |= {f"{task}, {key}": value for key, value in found.items()}
    print(table(["", "rows to train on", "bytes of features of each", "bytes of an example"], rows))
    return figures


def measure_first_step(config: Config) -> dict[str, float]:
    """Seconds of train.py up to the end of its first step, and its memory, for contests of full size; each in a process
    of its own, on the rows of a data folder again and again."""
    figures: dict[str, float] = {}
    rows = []
    for name, size in FULL_SIZES.items():
        task, count = SHORT_NAMES[name], max(1, int(size * config.share))
        source = config.data_dir / task if config.data_dir else COMPETITIONS / task / "sample"
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder, task)
            write_many_rows(task, source, data, count)
            found = figures_of("first_step.py", task, "--data-dir", data, "--feature-memory", config.feature_memory)
        seconds = (f"{found['seconds']:.0f} s", f"{found['cpu_seconds']:.0f} s", f"{found['bytes'] / 1e9:.2f} GB")
        rows.append([name, f"{count:,}", *seconds, f"{found['rows_per_cpu_second']:.0f}"])
        figures |= {f"{name}, {key}": value for key, value in found.items()}
    print(table(["", "examples", "first step", "CPU", "memory", "rows a CPU second"], rows))
    return figures


def measure_knowledge_base(config: Config) -> dict[str, float]:
    """Seconds and bytes of memory for an invented knowledge base, each step of which has a process of its own; all are
    done once."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for step in ("generate", "build", "open", "candidates"):
            figures |= figures_of("knowledge_base_steps.py", step, folder, "--entities", config.entities)
    rows = [
        ("build", "build_seconds", "s", 180),
        ("build, memory", "build_bytes", "GB", 1.5),
        ("open, with the fingerprint of the source", "open_seconds", "s", 2),
        ("open, the index alone", "open_index_seconds", "s", 2),
        ("open, memory", "open_bytes", "GB", 0.4),
        ("candidates for 1,000 texts", "candidates_seconds", "s", 1),
    ]
    measured = [
        [name, f"{figures[key] / (1e9 if unit == 'GB' else 1):.2f} {unit}", f"{limit} {unit}"]
        for name, key, unit, limit in rows
    ]
    megabytes = {key: figures[key] / 1e6 for key in ("source_bytes", "index_bytes")}
    print(
        "{:,} entities, {names:,} names: {source_bytes:.0f} MB, the index {index_bytes:.0f} MB".format(
            config.entities, **figures | megabytes
        )
    )
    print(table(["", "measured", "limit"], measured))
    print(f"{figures['matches']:,} names in the texts, {figures['candidates']:,} candidates")
    return figures


def measure_decoding(config: Config) -> dict[str, float]:
    """Titles per second of a unilm of random weights by memory, batch and beam. The titles must be equal whatever the
    memory and the batch."""
    sys.path.insert(0, str(COMPETITIONS / "seq2seq_titling"))
    start_tensorflow()
    from decoding_speed import WithoutMemory, check_equal, random_articles, random_network, write

    network, encoder = random_network(config.layers, config.hidden_size)
    articles = random_articles(config.titles, encoder)
    models = {"cached": network, "plain": WithoutMemory(network)}
    speeds: dict[str, float] = {}
    for beam in (1, 3):
        expected: list = []
        # What is slow writes one title in so many, and without a memory, where each takes seconds, only once.
        for name, batch, part in (("cached", 32, 1), ("cached", 1, 8), ("plain", 1, 8), ("plain", 32, 2)):
            texts = articles[: max(1, config.titles // part)]
            write(models[name], encoder, texts[:batch], batch, beam, length=1)  # tracing is no part of the speed
            seconds, found = best_of(
                config.repeats if name == "cached" else 1, lambda: write(models[name], encoder, texts, batch, beam)
            )
            expected = expected or found
            check_equal(found, expected)
            speeds[f"{name}, batch {batch}, beam {beam}"] = len(texts) / seconds
    rows = []
    for case in ("batch 1, beam 1", "batch 32, beam 1", "batch 1, beam 3", "batch 32, beam 3"):
        plain, cached, loop = (
            speeds[name] for name in (f"plain, {case}", f"cached, {case}", f"plain, batch 1, {case[-6:]}")
        )
        rows.append([case, f"{plain:.2f}", f"{cached:.2f}", f"{cached / loop:.1f}"])
    print(table(["", "plain titles/s", "cached titles/s", "ratio to plain, batch 1"], rows))
    print(
        f"cached, batch 32: {rows[1][-1]} times the uncached one-by-one loop with beam 1, {rows[3][-1]} with beam 3 (target 10)"
    )
    return speeds


def measure_training(config: Config) -> dict[str, float]:
    """Seconds per step and bytes of memory with each technique; each has a process of its own in each round, so that
    all see the same machine."""
    from training_steps import CASES, Size

    cases = list(dict.fromkeys(["plain", *(config.cases.split(",") if config.cases else CASES)]))
    sizes = [
        Size(case, config.layers, config.hidden_size, config.batch_size, config.length, config.steps) for case in cases
    ]
    rounds: dict[str, list[dict[str, float]]] = {case: [] for case in cases}
    for size in tqdm(sizes * config.repeats, disable=not sys.stderr.isatty()):
        rounds[size.case].append(size.figures())
    best = {case: {key: min(figures[key] for figures in rounds[case]) for key in rounds[case][0]} for case in cases}
    rows = []
    for case in cases:
        ratios = {key: best[case][key] / best["plain"][key] for key in best[case]}
        cells = [f"{best[case]['seconds']:.3f}", f"{ratios['seconds']:.2f}"]
        for key in ("peak_bytes", "added_bytes"):
            cells += [f"{best[case][key] / 1e6:,.0f} MB", f"{ratios[key]:.2f}"]
        rows.append([case, *cells])
    print(
        f"BERT of {config.layers} layers, {config.hidden_size} wide; a step learns from {config.batch_size} texts of {config.length} tokens"
    )
    print(table(["", "s/step", "ratio", "peak memory", "ratio", "added by training", "ratio"], rows))
    for case in cases:
        if CASES[case].parts > 1:
            print(f"{case} reads them in {CASES[case].parts} batches of {config.batch_size // CASES[case].parts}")
    return {f"{case}, {key}": figure for case, figures in best.items() for key, figure in figures.items()}


def measure_step_limit(config: Config) -> dict[str, float]:
    """CPU seconds of a step of the default light encoder and of a BERT, in 32 bits and in 16, and the share that plain
    products in 32 would take."""
    figures: dict[str, float] = {}
    shown = []
    networks = (("light", 7, 128), ("bert", config.layers, config.hidden_size))
    for (network, layers, width), precision in itertools.product(networks, ("no", "bfloat16")):
        shape = {"layers": layers, "width": width, "texts": config.batch_size, "tokens": config.length}
        flags = {**shape, "mixed-precision": precision, "steps": config.steps, "rounds": config.repeats}
        found = figures_of("step_limit.py", network, *(f"--{key}={flags[key]}" for key in flags))
        name = f"{network}, {layers} layers of {width}" + ", bfloat16" * (precision != "no")
        shown.append([name, f"{found['seconds']:.3f}", f"{found['gigaflops']:.0f}", f"{found['share']:.0%}"])
        figures |= {f"{name}, {key}": value for key, value in found.items()}
    print(f"a step learns from {config.batch_size} texts of {config.length} tokens, one computing thread")
    print(table(["", "CPU s/step", "products: GFLOP/CPU s", "share of the step"], shown))
    return figures


def measure_writing(config: Config) -> dict[str, float]:
    """Tokens per CPU second that a language model of --layers and --hidden-size writes, with a memory and without."""
    start_tensorflow()
    from writing_speed import compare

    return compare(config.layers, config.hidden_size, WRITTEN, config.repeats)


def measure_attention(config: Config) -> dict[str, float]:
    """What each pattern of attention takes of the time and memory of full attention."""
    from attention_speed import compare

    lengths = sorted({int(length) for length in config.lengths.split(",")})
    shape = {"layers": config.layers, "hidden_size": config.hidden_size, "steps": config.steps}
    return compare(lengths, config.repeats, **shape)


def measure_counting(config: Config) -> dict[str, float]:
    """What each way of counting n-grams takes."""
    from counting_speed import compare

    return compare(config.input, [int(number) for number in config.times.split(",")], config.repeats)


def measure_embeddings(config: Config) -> dict[str, float]:
    """Seconds of an update of a table of embeddings by each optimizer, which take turns."""
    from training_steps import embedding_updates

    updates = embedding_updates()
    seconds = dict.fromkeys(updates, float("inf"))
    for update in updates.values():
        update()  # tracing is no part of the speed
    for _ in range(config.repeats):
        for name, update in updates.items():
            needed, _ = best_of(1, lambda: [update() for _ in range(config.steps)])
            seconds[name] = min(seconds[name], needed / config.steps)
    print(
        table(
            ["", "ms/update", "ratio"],
            [[name, f"{1e3 * needed:.1f}", f"{needed / seconds['plain']:.2f}"] for name, needed in seconds.items()],
        )
    )
    return seconds


def measure_start(config: Config) -> dict[str, float]:
    """Seconds of predict.py on ten rows by the newest run of each contest, and of its --help; the medians of all rounds
    count."""
    from start_time import measure

    return measure(Path("runs"), 10, config.repeats)


def measure_loading(config: Config) -> dict[str, float]:
    """What a checkpoint of the size of BERT-base costs in each format, each time in a process of its own."""
    from checkpoint_loading import FORMATS, write

    figures: dict[str, float] = {}
    rows = []
    for form in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), form)
            rounds = [figures_of("checkpoint_loading.py", folder) for _ in range(config.repeats)]
        best = {key: min(one[key] for one in rounds) for key in rounds[0]}
        seconds = (f"{best[key]:.1f}" for key in ("import_seconds", "seconds", "cpu_seconds"))
        rows.append(
            [form, *seconds, f"{best['added_bytes'] / 1e6:,.0f} MB", f"{best['added_bytes'] / best['file_bytes']:.2f}"]
        )
        figures |= {f"{form}, {key}": value for key, value in best.items()}
    print(table(["", "import s", "loading s", "CPU s", "memory beyond the network", "of the file"], rows))
    return figures


def measure_writer_loading(config: Config) -> dict[str, float]:
    """The most that a GPT2_ML of --layers and --hidden-size takes while it is loaded, in each format, each time in a
    process of its own."""
    from checkpoint_loading import FORMATS
    from writer_loading import write

    figures: dict[str, float] = {}
    rows = []
    for form in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), form, config.layers, config.hidden_size)
            rounds = [figures_of("writer_loading.py", folder) for _ in range(config.repeats)]
        weights, added = rounds[0]["weight_bytes"], min(one["added_bytes"] for one in rounds)
        figures |= {f"{form}, weight_bytes": weights, f"{form}, added_bytes": added}
        seconds = min(one["seconds"] for one in rounds)
        rows.append([form, f"{seconds:.1f}", f"{weights / 1e6:,.0f} MB", f"{1 + added / weights:.3f}"])
    print(table(["", "loading s", "weights", "most memory, of the weights"], rows))
    return figures


def measure_tokenizing(config: Config) -> dict[str, float]:
    """Characters per second of the CPU of tokens and words, and passages per second with all their features; medians.
    Tokens and words must be equal to those of the libraries."""
    sys.path.insert(0, str(COMPETITIONS / "webqa_dgcnn"))
    start_tensorflow()
    from text_features import rows, speeds

    found = speeds(
        config.input or COMPETITIONS / "webqa_dgcnn" / "sample" / "train.json", config.characters, config.repeats
    )
    print(table(["", "per CPU second", "ratio"], rows(found)))
    return found


def best_of(repeats: int, action: Callable[[], object]) -> tuple[float, object]:
    """Least seconds of several rounds, and what the action returned."""
    rounds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        result = action()
        rounds.append(time.perf_counter() - begun)
    return min(rounds), result


if __name__ == "__main__":
    run(main)

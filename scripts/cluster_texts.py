"""Put texts into clusters that nobody has labelled, and see what each is about.

python scripts/cluster_texts.py --input TEXTS --clusters 20 --output FOLDER
python scripts/cluster_texts.py --input TEXTS --clusters 20 --output FOLDER --word-vectors VECTORS
python scripts/cluster_texts.py --input TEXTS --clusters 20 --output FOLDER --method vae
python scripts/cluster_texts.py --input TEXTS --codes --output FOLDER                  # a few symbols for each text

TEXTS has a text on each line, or JSON with "text" and, if it likes, "label", which nothing but the scores looks at.
FOLDER has clusters.jsonl (text, cluster, probability), clusters.html (a map and the clusters, to look at in a browser) and
summary.json; with --codes codes.jsonl and summary.json.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import (
    UserError,
    check_at_least,
    check_given,
    parse_flags,
    print_skipped,
    printable,
    run,
    table,
)
from common.new_folder import check_new, new_folder
from common.runs.values import settings_to_json
from common.submission import json_bytes, write_lines

from cluster_input import Rows, read_rows, scores
from cluster_methods import Clusters, Method, VaeOptions, cluster
from cluster_page import map_of, page
from cluster_words import telling_words, typical_texts
from text_codes import CodeOptions, figures_of, learned_codes, product_codes
from text_vectors import VectorOptions, Vectors

_SHOWN_TEXT = 40  # characters


@dataclass
class Config:
    """Put texts into clusters that nobody has labelled, and see what each is about."""

    input: Path | None = None
    """File with a text on each line, or JSON lines with "text" and perhaps "label"; packed or not."""
    output: Path | None = None
    """Folder to be made."""
    clusters: int = 20
    """So many clusters."""
    method: Method = "kmeans"
    """kmeans: k-means. gmm: a mixture of Gaussians. vae: a VAE with a learned mean for each cluster."""
    starts: int = 5
    """So many starts from other random numbers, of which the one that fits best is kept."""
    codes: bool = False
    """No clusters, but a few symbols for each text, of small codebooks that a VQ-VAE learns."""
    text_key: str = "text"
    """Key of the text in JSON."""
    label_key: str = "label"
    """Key of the label in JSON, for the scores alone."""
    words: int = 8
    """So many telling words are shown of each cluster."""
    texts: int = 5
    """So many typical texts are shown of each cluster."""
    map_texts: int = 3000
    """So many texts are on the map, drawn by chance where there are more."""
    seed: int = 1
    """Decides everything random."""
    reading: VectorOptions = field(default_factory=VectorOptions)
    vae: VaeOptions = field(default_factory=VaeOptions)
    code: CodeOptions = field(default_factory=CodeOptions)

    def __post_init__(self):
        check_at_least(self, clusters=1, starts=1, words=1, texts=1, map_texts=1, seed=0)
        check_given(self, "input", "output")


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Writes the folder; returns the scores, where texts have labels, or the figures of the codes."""
    config = parse_flags(Config, argv)
    check_new(config.output)
    config.reading.check()
    rows = read_rows(config.input, config.text_key, config.label_key)
    different = len(set(rows.texts))
    print(f"texts     {len(rows.texts):,}, {different:,} different ones")
    print_skipped(config.input, rows.left_out)
    if not config.codes and different < config.clusters:
        raise UserError(
            f"--clusters {config.clusters}: {config.input} has {different} different texts - ask for {different} clusters at most"
        )
    begun = time.monotonic()
    vectors = Vectors(rows.texts, config.reading, config.seed)
    print(f"vectors   of size {vectors.values.shape[1]}  ({time.monotonic() - begun:.0f} s)", flush=True)
    return write_codes(config, rows, vectors) if config.codes else write_clusters(config, rows, vectors)


def write_clusters(config: Config, rows: Rows, vectors: Vectors) -> dict[str, float]:
    different = len(np.unique(vectors.values.round(5), axis=0))
    if different < config.clusters:
        raise UserError(
            f"--clusters {config.clusters}: by their words there are {different} different texts in {config.input} - ask for {different} clusters at most"
        )
    if config.method == "vae":
        from common.process import start_tensorflow

        start_tensorflow()
    begun = time.monotonic()
    found = cluster(vectors.values, config.clusters, config.method, config.starts, config.seed, config.vae)
    print(f"clusters  by {config.method}  ({time.monotonic() - begun:.0f} s)\n")
    print_starts(found, rows, config.clusters)
    about = clusters_of(config, rows, vectors, found.labels)
    print(
        table(
            ["cluster", "texts", "telling words"],
            [[n, one["size"], " ".join(one["words"])] for n, one in enumerate(about, 1)],
        )
    )
    for number, one in enumerate(about, 1):
        print(f"\n{number}  {' '.join(one['words'][:3])}")
        for text in one["texts"]:
            print(f"    {printable(text[:_SHOWN_TEXT])}")
    figures = scores(rows.labels, found.labels)
    print_scores(figures, rows)
    sure = found.probabilities[np.arange(len(found.labels)), found.labels]
    with new_folder(config.output) as folder:
        lines = (
            json_bytes({"text": text, "cluster": int(number) + 1, "probability": round(float(value), 4)})
            for text, number, value in zip(rows.texts, found.labels, sure)
        )
        write_lines(folder / "clusters.jsonl", lines, ".jsonl")
        (folder / "clusters.html").write_text(the_page(config, rows, vectors, found.labels, sure, about), "utf-8")
        summary = {"settings": settings_to_json(config), "starts": starts_of(found, rows), "chosen": found.chosen + 1}
        (folder / "summary.json").write_bytes(json_bytes(summary | {"clusters": about, "scores": figures}, 1))
    print(f"\nkept in {config.output}: look at clusters.html")
    return figures


def clusters_of(config: Config, rows: Rows, vectors: Vectors, labels: np.ndarray) -> list[dict[str, Any]]:
    """Number, size, telling words and typical texts of each cluster."""
    words = telling_words(vectors.held, vectors.vocabulary, labels, config.words, config.clusters)
    typical = typical_texts(rows.texts, vectors.values, labels, config.texts, config.clusters)
    sizes = np.bincount(labels, minlength=config.clusters).tolist()
    return [
        {"cluster": number, "size": size, "words": of_cluster, "texts": [rows.texts[place] for place in places]}
        for number, (size, of_cluster, places) in enumerate(zip(sizes, words, typical), 1)
    ]


def the_page(config: Config, rows: Rows, vectors: Vectors, labels, sure, about: list[dict[str, Any]]) -> str:
    shown = np.sort(np.random.default_rng(config.seed).permutation(len(labels))[: config.map_texts])
    places = map_of(vectors.values[shown], config.seed)
    points = [
        (float(x), float(y), int(labels[place]), rows.texts[place], float(sure[place]))
        for place, (x, y) in zip(shown, places)
    ]
    title = f"{len(labels):,} texts of {config.input.name} in {config.clusters} clusters"
    title += f" ({len(shown):,} on the map)" if len(shown) < len(labels) else ""
    return page(title, [{name: one[name] for name in ("size", "words", "texts")} for one in about], points)


def starts_of(found: Clusters, rows: Rows) -> list[dict[str, float]]:
    """Of each start how well it fits, the share of its largest cluster, how many have a text, and the scores."""
    return [
        {
            "fit": fit,
            "largest": float(np.bincount(labels).max() / len(labels)),
            "clusters": len(np.unique(labels)),
            **scores(rows.labels, labels),
        }
        for fit, labels in found.starts
    ]


def print_starts(found: Clusters, rows: Rows, clusters: int) -> None:
    starts = starts_of(found, rows)
    header = ["start", "fit", "largest", f"not empty of {clusters}", *list(starts[0])[3:]]
    lines = [
        [f"{number}{' *' * (number == found.chosen + 1)}", *start.values()] for number, start in enumerate(starts, 1)
    ]
    print(table(header, lines), end="\n\n")


def print_scores(figures: dict[str, float], rows: Rows) -> None:
    if figures:
        labelled = sum(label is not None for label in rows.labels)
        print(
            f"\n{labelled:,} texts with a label: " + "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        )


def write_codes(config: Config, rows: Rows, vectors: Vectors) -> dict[str, float]:
    from common.process import start_tensorflow

    start_tensorflow()
    begun = time.monotonic()
    coded, history = learned_codes(vectors.values, config.code, config.seed)
    for epoch in sorted({0, len(history) // 4, len(history) // 2, len(history) - 1}):
        print(
            f"epoch {epoch + 1}/{len(history)}  perplexity of use " + " ".join(f"{use:.1f}" for use in history[epoch])
        )
    print(
        f"codes     {config.code.codebooks} of {config.code.codebook_size} each  ({time.monotonic() - begun:.0f} s)\n"
    )
    beside = product_codes(vectors.values, config.code.codebooks, config.code.codebook_size, config.seed)
    ways = {
        way: figures_of(one, vectors.values, rows.texts, rows.labels, config.seed)
        for way, one in (("VQ-VAE", coded), ("product quantisation", beside))
    }
    header = ["", *next(iter(ways.values()))]
    print(table(header, [[way, *figures.values()] for way, figures in ways.items()]))
    for text, codes in list(zip(rows.texts, coded.codes))[: config.texts]:
        print(f"{' '.join(map(str, codes))}    {printable(text[:_SHOWN_TEXT])}")
    with new_folder(config.output) as folder:
        lines = (json_bytes({"text": text, "codes": codes}) for text, codes in zip(rows.texts, coded.codes.tolist()))
        write_lines(folder / "codes.jsonl", lines, ".jsonl")
        summary = {"settings": settings_to_json(config), "perplexity": history, "figures": ways}
        (folder / "summary.json").write_bytes(json_bytes(summary, 1))
    print(f"\nkept in {config.output}")
    return ways["VQ-VAE"]


if __name__ == "__main__":
    run(main)

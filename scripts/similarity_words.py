"""`similar_questions.py retrieve-words`: find the questions whose words are least far from those of others, without training.

python scripts/similar_questions.py retrieve-words --word-vectors VECTORS --questions QUESTIONS --input MORE --output FOUND

Each line of FOUND is a JSON object: a text of MORE, and the nearest questions with their distances.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.command_line import UserError, check_at_least, check_given, parse_flags, print_counts, run
from common.new_folder import check_new
from common.similarity.nearest_texts import NearestTexts
from common.similarity.word_movers import Distance, WordMovers
from common.similarity.word_space import UNKNOWN_WORDS, WordSpace
from common.submission import json_bytes, read_lines, write_lines
from common.tokenizers.word_vectors import read_word_vectors

from hash_scores import words_of


@dataclass
class Config:
    """Find the questions whose words are least far from those of others, without training."""

    word_vectors: Path | None = None
    """Word vectors in word2vec's text or binary format."""
    questions: Path | None = None
    """File with a question on each line, packed or not, among which is searched."""
    input: Path | None = None
    """File with a text on each line, packed or not, for which questions are to be found."""
    output: Path | None = None
    """File to be made: for each text a JSON object on a line, with the nearest questions and their distances."""
    distance: Distance = "wmd"
    """wmd: word mover's distance, by how far words are from each other. wrd: word rotator's distance, by their cosines, in
    which words with long vectors weigh more."""
    nearest: int = 10
    """So many are found."""
    unknown_words: float = UNKNOWN_WORDS
    """Words without a vector are at right angles to all others, and so long, in mean lengths of the vectors; 0: they are
    left out."""

    def __post_init__(self):
        check_at_least(self, nearest=1, unknown_words=0)
        check_given(self, "word_vectors", "questions", "input", "output")


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Writes the file; returns how many `questions` there are, how many `texts` were asked for, the `share` of all pairs
    of them whose transport problem was solved, and the `seconds` that searching took."""
    config = parse_flags(Config, argv)
    check_new(config.output)
    files = {file: [line for _, line in read_lines(file)] for file in (config.questions, config.input)}
    words = {file: [*words_of(lines)] for file, lines in files.items()}
    vectors = read_word_vectors(config.word_vectors, {word for of in words.values() for text in of for word in text})
    space = WordSpace(WordMovers(config.distance), *vectors, config.unknown_words)
    known, unknown = {}, {}
    for file, lines in files.items():
        known[file] = [both for both in zip(lines, words[file]) if space.knows(both[1])]
        unknown[file] = len(lines) - len(known[file])
    if not known[config.questions]:
        raise UserError(f"{config.questions}: none of its words is in {config.word_vectors} - take other word vectors")
    questions, texts = len(files[config.questions]), len(files[config.input])
    print(f"questions {questions:,}")
    if unknown[config.questions]:
        print_counts({"without a known word: never found": unknown[config.questions]})
    figures = {"questions": questions, "texts": texts, "share": 0.0, "seconds": 0.0}
    found = answers(config, space, known[config.questions], [*zip(files[config.input], words[config.input])], figures)
    write_lines(config.output, found, ".jsonl")
    print(
        f"found     the {config.nearest} nearest of {texts:,} texts in {figures['seconds']:.1f} s; of"
        f" {questions * texts:,} transport problems {figures['share']:.2%} were solved"
    )
    if unknown[config.input]:
        print_counts({"without a known word: nothing found": unknown[config.input]})
    print(f"written to {config.output}")
    return figures


def answers(
    config: Config,
    space: WordSpace,
    questions: Sequence[tuple[str, Sequence[str]]],
    texts: Sequence[tuple[str, Sequence[str]]],
    figures: dict[str, float],
) -> Iterator[bytes]:
    """The lines of the file. questions, texts: each with its words."""
    search, solved = NearestTexts(space, [words for _, words in questions]), 0
    for text, words in texts:
        nearest = []
        if space.knows(words):
            begun = time.perf_counter()
            [found] = search.nearest([words], config.nearest)
            figures["seconds"] += time.perf_counter() - begun
            solved += found.solved
            nearest = [
                {"text": questions[place][0], "distance": round(float(distance), 4)}
                for place, distance in zip(found.places, found.distances)
            ]
        yield json_bytes({"text": text, "nearest": nearest})
    figures["share"] = solved / (len(questions) * len(texts))


if __name__ == "__main__":
    run(main)

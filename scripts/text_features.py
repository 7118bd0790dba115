"""What `benchmark.py tokenizing` measures: tokens and words of texts, and what a question shares with its passages, in
seconds of the CPU."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from tokenizers import BertWordPieceTokenizer

from common.encoders.light import LightEncoder, LightSettings
from common.tokenizers import Encoding, WordPieceTokenizer, WordVocabulary, build_vocabulary
from common.tokenizers.jieba_cutting import Cutter
from common.tokenizers.segmentation import jieba_segmenter
from common.tokenizers.words import normal_form, token_words, words_of

# Of competitions/webqa_dgcnn, which must be on the path.
from features import Lengths, question_windows
from task import Example, read

#: Ways to find the tokens of a text, and its words; the second of each is what the others are compared with.
TABLE, BARE, NEW, LIBRARY, BERT4KERAS = (
    "tokens by table",
    "tokenizers, one by one",
    "tokens by table, which is new",
    "tokens by library",
    "bert4keras with rematch",
)
WORDS, JIEBA = "words", "jieba.cut"
#: Of a question with one passage: its tokens, words and parts of speech, and what the two share.
PASSAGES = "windows of passages"

# A new tokenizer is made for each round, which is no part of the time; the first to be read are its own texts.
_LENGTHS = Lengths(question=64)
_SETTINGS = LightSettings("dgcnn", hidden_size=96, word_size=32, layers=7, dropout=0.1, max_length=512)


def texts_of(examples: Sequence[Example], characters: int) -> Iterator[str]:
    """Questions and passages, over and over, until they have so many characters."""
    texts = [text for one in examples for text in (one.question, *(passage.text for passage in one.passages))]
    for text in itertools.cycle(texts):
        if characters <= 0:
            return
        yield text
        characters -= len(text)


def encoder_of(texts: Sequence[str]) -> LightEncoder:
    """One that knows every word. Nothing is remembered of the texts themselves, as after a run was loaded."""
    cutter = Cutter(jieba_segmenter())
    words = {normal_form(word) for text in set(texts) for word in cutter.cut(text)}
    return LightEncoder(WordPieceTokenizer(build_vocabulary(texts)), WordVocabulary(sorted(words)), _SETTINGS)


def ways_of(tokenizer: WordPieceTokenizer) -> dict[str, Callable[[str], object]]:
    """What finds the tokens or the words of a text, by name; that of NEW has seen nothing."""
    from bert4keras.tokenizers import Tokenizer

    bare, theirs = BertWordPieceTokenizer(dict(tokenizer.ids)), Tokenizer(dict(tokenizer.ids), do_lower_case=True)
    segmenter = jieba_segmenter()

    def read_by_bare(text: str) -> object:
        encoding = bare.encode(text, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def read_by_bert4keras(text: str) -> object:
        tokens = theirs.tokenize(text)
        return theirs.tokens_to_ids(tokens), theirs.rematch(text, tokens)

    return {
        TABLE: tokenizer.tokenize,
        BARE: read_by_bare,
        NEW: WordPieceTokenizer(tokenizer.vocabulary).tokenize,
        LIBRARY: tokenizer.tokenize_by_library,
        BERT4KERAS: read_by_bert4keras,
        WORDS: Cutter(segmenter).cut,
        JIEBA: lambda text: list(segmenter.cut(text)),
    }


def check_equal(ways: dict[str, Callable[[str], object]], texts: Sequence[str]) -> None:
    """Raises RuntimeError where the table or the words are not what they stand for."""
    for text in set(texts):
        if _values(ways[TABLE](text)) != _values(ways[LIBRARY](text)):
            raise RuntimeError(f"the table has other tokens than the library: {text!r:.200}")
        if ways[WORDS](text) != ways[JIEBA](text):
            raise RuntimeError(f"jieba has other words: {text!r:.200}")


def _values(encoding: Encoding) -> tuple[list, list]:
    return encoding.ids.tolist(), encoding.offsets.tolist()


def speeds(path: Path, characters: int, rounds: int) -> dict[str, float]:
    """Characters for each second of the CPU of every way, which take turns, and PASSAGES of them; medians of rounds.

    path: questions and passages in the form of WebQA.
    """
    examples = read(path)
    texts = list(texts_of(examples, characters))
    read_characters = sum(map(len, texts))
    encoder = encoder_of(texts)
    check_equal(ways_of(encoder.tokenizer), texts)
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, way in ways_of(encoder.tokenizer).items():
            seconds = _seconds(way, texts)
            found.setdefault(name, []).append(read_characters / seconds)
        words_of.cache_clear()
        token_words.cache_clear()
        seconds = _seconds(lambda example: list(question_windows([example], encoder, _LENGTHS)), examples)
        found.setdefault(PASSAGES, []).append(sum(len(example.passages) for example in examples) / seconds)
    return {name: median(of_rounds) for name, of_rounds in found.items()}


def rows(found: dict[str, float]) -> list[list[str]]:
    """Of a table: name, characters or passages, and the ratio to what is compared with."""
    compared = {TABLE: BARE, BARE: BARE, NEW: BARE, LIBRARY: BARE, BERT4KERAS: BARE, WORDS: JIEBA, JIEBA: JIEBA}
    lines = [
        [name, f"{found[name]:,.0f} characters", f"{found[name] / found[to]:.2f}"] for name, to in compared.items()
    ]
    return [*lines, [PASSAGES, f"{found[PASSAGES]:,.0f} passages", ""]]


def _seconds(action: Callable, items: Sequence) -> float:
    begun = time.process_time()
    for item in items:
        action(item)
    return time.process_time() - begun

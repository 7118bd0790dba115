"""The words of a text, jieba's if no other segmenter is to be used; those of a corpus in several processes, and
remembered, so that features need not cut its texts again."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from common.command_line import warn
from common.tokenizers.jieba_cutting import Cutter
from common.tokenizers.word_frequencies import WordFrequencies, total_frequency

Ranges = Sequence[tuple[int, int]]

# A process takes as long to start and to read jieba's dictionary as another to cut this many characters.
_CHARACTERS_PER_PROCESS = 500_000
# Each holds a dictionary of its own, about 150 MB.
_MOST_PROCESSES = 8
# Texts of a stream that are cut together, and those that are handed to a segmenter.
_TOGETHER, _AT_ONCE = 50_000, 1000

_loading = threading.Lock()


class _Store(dict[str, np.ndarray]):
    """Text -> ends of its words, unsigned integers, while there is room: texts that come later are cut again when they
    are asked for."""

    def __init__(self, room: int):
        self.room = room

    def add(self, text: str, ends: np.ndarray) -> None:
        size = sys.getsizeof(text) + sys.getsizeof(ends) + 100  # the last for its place in the dict
        if size <= self.room and text not in self:
            self[text] = ends
            self.room -= size


_ROOM = 2**28  # bytes
_store = _Store(_ROOM)


class Segmenter(Protocol):
    """What may cut in jieba's place: see `common.lexicon.segmenter`."""

    def cut(self, texts: Sequence[str]) -> Sequence[Sequence[str]]:
        """The words of each text, which together are the text."""


_added: list[str] = []
_segmenter: Segmenter | None = None
_forgetting: list[Callable[[], object]] = []


def use_words(words: Iterable[str]) -> None:
    """From here on jieba cuts texts, and knows these words besides its own, in this process; each is then more probable
    than its parts.

    Two ways to cut at a time are not to be had: what was cut otherwise is forgotten, but features made of it are not.
    """
    _use(list(words), None)


def use_segmenter(segmenter: Segmenter) -> None:
    """From here on this cuts texts, in this process, and jieba tells no more than how rare words are. See
    `use_words`."""
    _use([], segmenter)


def _use(words: list[str], segmenter: Segmenter | None) -> None:
    global _segmenter
    if words == _added and segmenter is _segmenter:
        return
    _added[:], _segmenter = words, segmenter
    _store.clear()
    _store.room = _ROOM
    for forget in (segment.cache_clear, _load_jieba.cache_clear, _cutter.cache_clear, *_forgetting):
        forget()


def added_words() -> list[str]:
    """Those of `use_words`."""
    return list(_added)


def segmenter_in_use() -> Segmenter | None:
    """That of `use_segmenter`."""
    return _segmenter


def forget_with_words(forget: Callable[[], object]) -> None:
    """Have something called whenever texts are cut otherwise than before."""
    _forgetting.append(forget)


@lru_cache(maxsize=256)  # many questions are about one context
def segment(text: str) -> Ranges:
    """Words of any string as character ranges [start, end) that cover it exactly, blanks and all.

    Those of `use_segmenter`, or else of jieba's accurate mode with its HMM, its own dictionary and the words of
    `use_words`. Words added to the `jieba` module have no influence.
    The first call in a process loads jieba (a tenth of a second), and the one with which many words have been seen its
    whole dictionary (half a second). What `segment_all` has seen is only looked up.
    """
    return _ranges(word_ends(text).tolist())


def word_ends(text: str) -> np.ndarray:
    """The ends of the words of `segment`, integers (words,)."""
    known = _store.get(text)
    return np.cumsum([len(word) for words in _words([text]) for word in words]) if known is None else known


def segment_all(texts: Iterable[str], processes: int | None = None) -> Iterator[Ranges]:
    """`segment` of each text, in order. All are cut before this returns, each distinct text once; `segment` finds them
    from then on.

    processes: how many cut by jieba; 1 is this one. Default: one for each 500,000 characters, up to the number of cores
    and 8.
    They are new interpreters that import neither the caller's script nor TensorFlow, so it does not matter from where
    this is called. The share of one that fails is cut in this process. An iterator, since a corpus in Python tuples
    takes fifty times the memory of what is remembered.
    """
    texts = list(texts)
    ends = {text: _store.get(text) for text in texts}
    unknown = [text for text, known in ends.items() if known is None]
    for text, found in zip(unknown, _cut(unknown, processes)):
        ends[text] = found
        _store.add(text, found)
    return (_ranges(ends[text].tolist()) for text in texts)


def segmented(texts: Iterable[str]) -> Iterator[tuple[str, Ranges]]:
    """The texts of a stream, each with its words: `segment_all` of many at a time, so that none has to be held."""
    texts = iter(texts)
    while together := list(islice(texts, _TOGETHER)):
        yield from zip(together, segment_all(together))


def jieba_segmenter() -> Any:
    """jieba's `Tokenizer` with its own dictionary and the words of `use_words`, one for the process."""
    with _loading:
        return _load_jieba()


@cache
def _load_jieba() -> Any:
    hidden = {"pkg_resources"} - sys.modules.keys()  # jieba needs it for its one file, and it takes longer to load
    sys.modules.update(dict.fromkeys(hidden))
    try:
        with warnings.catch_warnings():  # jieba's sources have invalid escapes
            warnings.simplefilter("ignore")
            import jieba
    finally:
        for name in hidden:
            del sys.modules[name]
    path = Path(jieba.__file__).with_name(jieba.DEFAULT_DICT_NAME)
    segmenter = jieba.Tokenizer()
    segmenter.get_dict_file = lambda: path.open("rb")

    def read_all() -> None:
        added = {word: segmenter.FREQ[word] for word in _added}
        segmenter.FREQ, _ = segmenter.gen_pfdict(segmenter.get_dict_file())
        add_frequencies(added, segmenter.FREQ)

    # In place of `initialize`, without its messages and its cache in the temporary directory, which is shared by all
    # users and versions, and a hazard to load.
    dictionary = path.read_bytes()
    segmenter.FREQ, segmenter.total = WordFrequencies(dictionary, read_all), total_frequency(dictionary)
    segmenter.initialized = True
    frequencies = {word: segmenter.suggest_freq(word) for word in _added}
    add_frequencies(frequencies, segmenter.FREQ)
    segmenter.total += sum(frequencies.values())
    return segmenter


def add_frequencies(frequencies: Mapping[str, float], known: dict[str, float]) -> None:
    """Adds words to the `FREQ` of a jieba tokenizer, in which each beginning of a word has its place, too."""
    for word, frequency in frequencies.items():
        known[word] = frequency
        for end in range(1, len(word)):
            if word[:end] not in known:
                known[word[:end]] = 0


@lru_cache(maxsize=1)
def _cutter(segmenter: Any) -> Cutter:
    return Cutter(segmenter)


def _cut(texts: Sequence[str], processes: int | None) -> list[np.ndarray]:
    """The ends of the words of each text."""
    if processes is None:
        processes = min(sum(map(len, texts)) // _CHARACTERS_PER_PROCESS, len(os.sched_getaffinity(0)), _MOST_PROCESSES)
    if min(processes, len(texts)) < 2 or _segmenter is not None:
        return _ends(texts, _word_lengths(texts))
    shares = [texts[first::processes] for first in range(processes)]
    ends: list[Any] = [None] * len(texts)
    for first, (share, lengths) in enumerate(zip(shares, _word_lengths_of_shares(shares))):
        ends[first::processes] = _ends(share, lengths)
    return ends


def _words(texts: Sequence[str]) -> Iterable[Sequence[str]]:
    """The words of each text."""
    if _segmenter is None:
        return (_cutter(jieba_segmenter()).cut(text) for text in texts)
    parts = (texts[first : first + _AT_ONCE] for first in range(0, len(texts), _AT_ONCE))
    return chain.from_iterable(map(_segmenter.cut, parts))


def _word_lengths(texts: Sequence[str]) -> np.ndarray:
    """Lengths of all words of all texts, one after the other, uint32."""
    return np.fromiter((len(word) for words in _words(texts) for word in words), np.uint32)


def _word_lengths_of_shares(shares: Sequence[Sequence[str]]) -> list[np.ndarray]:
    """`_word_lengths` of each share, in a process for each."""
    # Not `multiprocessing`: it runs the main script again in every process, which never ends where that has no `if
    # __name__ == "__main__"`.
    command = [sys.executable, "-P", "-c", f"from {__name__} import _serve; _serve()"]
    path = os.pathsep.join([str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]).rstrip(
        os.pathsep
    )
    with contextlib.ExitStack() as stack:
        workers = []
        for _ in shares:
            worker = subprocess.Popen(
                command,
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            workers.append(stack.enter_context(worker))
            stack.callback(
                worker.kill
            )  # before the end is waited for: nothing goes on when this process is interrupted
        for worker, share in zip(workers, shares):
            with contextlib.suppress(BrokenPipeError), worker.stdin:
                worker.stdin.write(json.dumps([_added, share], ensure_ascii=False).encode("utf-8", "surrogatepass"))
        # A worker reads all of its texts before it writes, so neither of these two loops can wait for the other.
        outputs = [worker.stdout.read() for worker in workers]
        statuses = [worker.wait() for worker in workers]
    lengths = []
    for share, output, status in zip(shares, outputs, statuses):
        if status:
            warn(f"a process that cut texts into words ended with status {status}; this one does its share")
        lengths.append(_word_lengths(share) if status else np.frombuffer(output, np.uint32))
    return lengths


def _serve() -> None:
    """What such a process does: words to use and texts, two JSON lists in one, on standard input, `_word_lengths` of the
    texts to standard output."""
    words, texts = json.loads(sys.stdin.buffer.read().decode("utf-8", "surrogatepass"))
    use_words(words)
    sys.stdout.buffer.write(_word_lengths(texts).tobytes())


def _ends(texts: Sequence[str], lengths: np.ndarray) -> list[np.ndarray]:
    """For each text the ends of its words, in the smallest unsigned integers that hold them."""
    last = np.cumsum([len(text) for text in texts], dtype=np.int64)
    ends = np.cumsum(lengths, dtype=np.int64)
    of_texts = np.split(ends, np.searchsorted(ends, last[:-1], side="right"))
    return [
        (found - end + len(text)).astype(np.min_scalar_type(len(text)))
        for text, end, found in zip(texts, last, of_texts)
    ]


def _ranges(ends: list[int]) -> Ranges:
    return tuple(zip([0, *ends], ends))

"""Words that jieba takes besides its own: cut in texts by every process, kept in a run, and forgotten again."""

import random

import jieba
import pytest

import common.tokenizers.segmentation as segmentation
from common.encoders import build_encoder, load_encoder, save_encoder
from common.options import EncoderOptions
from common.tokenizers.segmentation import added_words, segment, segment_all, use_words
from common.tokenizers.words import words_of

import competition
from contests import EVENT_EXTRACTION, in_default
from helpers import refused, write
from workshop import run_here, succeeds

WORDS = ["月幔探测器", "肇兴侗寨", "和月", "gpt4基座"]
TEXT = "区块链和月幔探测器在肇兴侗寨展出gpt4基座"


@pytest.fixture(autouse=True)
def jieba_alone():
    yield
    use_words([])


def cut(text):
    return [text[start:end] for start, end in segment(text)]


def test_they_are_cut_as_jieba_cuts_them():
    """With the frequencies that it suggests for each alone; also where its whole dictionary has been read."""
    alone = cut(TEXT)
    use_words(WORDS)
    assert "月幔探测器" in cut(TEXT) and "月幔探测器" not in alone and "肇兴侗寨" in cut(TEXT)
    known = segmentation.jieba_segmenter()
    reference = jieba.Tokenizer()
    reference.initialize()
    for word in WORDS:
        reference.add_word(word, known.FREQ[word])
    assert known.total == reference.total
    generator = random.Random(0)
    texts = [TEXT, *("".join(generator.choices(TEXT, k=30)) for _ in range(200))]
    assert [cut(text) for text in texts] == [reference.lcut(text) for text in texts]
    known.FREQ._complete()
    segment.cache_clear()
    assert [cut(text) for text in texts] == [reference.lcut(text) for text in texts]


def test_every_process_knows_them():
    use_words(WORDS)
    texts = [TEXT, TEXT[::-1], TEXT * 2]
    of_processes = [list(found) for found in segment_all(texts, processes=2)]
    segmentation._store.clear()
    assert of_processes == [list(found) for found in segment_all(texts, processes=1)]


def test_what_was_cut_with_others_is_forgotten():
    before = cut(TEXT), words_of(TEXT).strings, list(segment_all([TEXT]))
    use_words(WORDS)
    assert cut(TEXT) == words_of(TEXT).strings != before[0]
    assert list(segment_all([TEXT])) != before[2]
    use_words([])
    assert (cut(TEXT), words_of(TEXT).strings, list(segment_all([TEXT]))) == before


def test_a_run_keeps_them(tmp_path):
    file = write(tmp_path / "words.tsv", "月幔探测器\t7\t3.2\n肇兴侗寨\n")
    encoder = build_encoder(EncoderOptions(dictionary=file), [TEXT] * 3)
    assert "月幔探测器" in encoder.words.words
    (tmp_path / "run").mkdir()
    save_encoder(encoder, tmp_path / "run")
    build_encoder(EncoderOptions(), [TEXT] * 3)
    assert added_words() == []
    file.unlink()
    load_encoder(tmp_path / "run")
    assert added_words() == ["月幔探测器", "肇兴侗寨"]
    write(tmp_path / "run/dictionary.txt", "\t两个\n")
    refused(lambda: load_encoder(tmp_path / "run"), "dictionary.txt:1", "begins with a tab")


@in_default(EVENT_EXTRACTION, reason="all use the same encoders")
def test_a_contest_trains_and_answers_with_them(contest, tmp_path):
    """Without the file, once the run is there."""
    file = write(tmp_path / "words.tsv", "月幔探测器\n")
    flags = [*contest.tiny, "--dictionary", file, "--output-dir", tmp_path, "--run-name", "one"]
    succeeds(run_here(contest.folder, "train", flags))
    assert added_words() == ["月幔探测器"]
    use_words([])
    file.unlink()
    [run] = tmp_path.glob("*/one")
    assert (run / "dictionary.txt").read_text("utf-8") == "月幔探测器\n"
    sample = competition.COMPETITIONS / contest.folder / "sample"
    flags = ["--run", run, "--input", sample / "test.json", "--output", tmp_path / "out.json"]
    succeeds(run_here(contest.folder, "predict", flags))
    assert added_words() == ["月幔探测器"]
    succeeds(run_here(contest.folder, "train", ["--resume", "--run-name", "one", "--output-dir", tmp_path]))

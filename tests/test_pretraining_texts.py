"""What pretraining reads: texts of files in any shape, and their tokens as one stream on disk."""

import gzip
import json

import numpy as np
import pytest

from common.encoders import build_encoder
from common.options import EncoderOptions
from common.pretraining.corpus import Corpus, write_corpus
from common.texts import Texts
from common.tokenizers.words import token_words

from helpers import refused, write, write_lines, zip_of

LONG = "山上的灯照着整条河流与村庄"
OTHER = "他在一九九八年写下了这本小说"


def texts_of(*paths, fields=()):
    return list(Texts(paths, fields))


def test_lines_of_plain_text(tmp_path):
    assert texts_of(write(tmp_path / "a.txt", f"{LONG}\n\n 短 句\u3000子 \n[标题]")) == [LONG, "短 句 子", "[标题]"]


def test_json_of_any_contest(tmp_path):
    record = {"id": "abcdefghijklmnop", "text": LONG, "spo_list": [{"object": {"@value": "短"}, "说明": [OTHER]}]}
    for file in (
        write_lines(tmp_path / "lines.json", [record]),
        write(tmp_path / "list.json", [record], indent=1),
        write(tmp_path / "object.json", {"data": [record]}, indent=1),
        write(tmp_path / "kb_data", json.dumps(record, ensure_ascii=False)),
        zip_of(write_lines(tmp_path / "packed.json", [record]), "packed.json"),
    ):
        assert texts_of(file) == [LONG, OTHER]
        assert texts_of(file, fields=("id", "@value")) == ["abcdefghijklmnop", "短"]


def test_folders_copies_and_reading_again(tmp_path):
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep/a.txt", f"{LONG}\n{OTHER}\n{LONG}\n")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(json.dumps({"t": LONG}).encode()))
    write(tmp_path / "image.png", "none")
    write(tmp_path / ".hidden.txt", "none")
    texts = Texts([tmp_path])
    assert sorted(texts) == sorted(texts) == sorted([LONG, OTHER])


def test_what_is_no_text_is_refused(tmp_path):
    refused(lambda: Texts([tmp_path / "nowhere"]), "nowhere", "no such file")
    refused(lambda: Texts([tmp_path]), tmp_path, "no text files")
    refused(lambda: texts_of(write(tmp_path / "a.json", '{"a": 1}\n{"a": \n')), "a.json:2", "not JSON")


@pytest.mark.parametrize("kind", ["dgcnn", "bert"])
def test_the_stream_is_all_texts(tmp_path, kind):
    texts = [f"{LONG}第{number}次" * (1 + number % 3) for number in range(250)]
    encoder = build_encoder(EncoderOptions(encoder=kind, hidden_size=8, layers=1, max_length=16), texts)
    write_corpus(tmp_path, iter(texts), encoder)
    train, dev = Corpus(tmp_path, "train"), Corpus(tmp_path, "dev")
    assert (train.texts, dev.texts) == (248, 2)
    expected = {part: {"token_ids": [], "word_positions": []} for part in ("train", "dev")}
    for number, text in enumerate(texts, 1):
        tokens = encoder.tokenizer.tokenize(text)
        into = expected["train" if number % 100 else "dev"]
        into["token_ids"] += [*tokens.ids, encoder.tokenizer.end_id]
        into["word_positions"] += [*token_words(text, tokens).positions, 0]
    for corpus, part in ((train, "train"), (dev, "dev")):
        for name, values in expected[part].items():
            assert corpus.arrays[name].tolist() == values
    assert ("word_ids" in train.arrays) == (kind == "dgcnn") and "segment_ids" not in train.arrays

    rows = train.read(np.array([0, 7]), 16)
    assert rows["token_ids"][:, 0].tolist() == [encoder.tokenizer.start_id] * 2
    assert rows["token_ids"][1, 1:].tolist() == [*expected["train"]["token_ids"][7:21], encoder.tokenizer.end_id]
    assert rows["word_positions"][1].tolist() == [0, *expected["train"]["word_positions"][7:21], 0]


def test_a_damaged_corpus_is_refused(tmp_path):
    refused(lambda: Corpus(tmp_path, "train"), tmp_path, "cannot be read")
    write(
        tmp_path / "corpus.json",
        {"texts": {"train": 1}, "tokens": {"train": 9}, "special": [2, 3], "kinds": {"token_ids": "<u2"}},
    )
    (tmp_path / "train.token_ids.bin").write_bytes(b"\0" * 9)
    refused(lambda: Corpus(tmp_path, "train"), tmp_path, "cannot be read")

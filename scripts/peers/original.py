"""The originals' side of a comparison: their scripts up to the training, with random weights, a network of the size of
the job, and its rows in place of their data. Runs on Python 3.7 with their libraries.

Their code is read from folders of theirs, and what is measured is their function from a text to an answer.
"""

import json
import re
import runpy
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from side import head_for_first_tokens, rows_of, serve

_NO_WEIGHTS = r"^checkpoint_path = .*$", "checkpoint_path = None"


def names_of(path: Path, folder: Path, end: str, changes: Sequence = ()) -> dict:
    """What a script defines up to the line `end`. Files that it names are those of the same name in the folder, or
    rows. changes: of its text, a regular expression each with what replaces it."""

    def ours(found: "re.Match") -> str:
        file = folder / found.group(1)
        return repr(str(file if file.exists() else folder / "rows0.json"))

    text = path.read_text(encoding="utf-8").split("\n" + end)[0]
    for pattern, replacement in changes:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    text = re.sub(r"'(?:/root|\.\.)/[^' ]*?([^'/ ]+)'", ours, text)
    (folder / "theirs.py").write_text(text, encoding="utf-8")
    return runpy.run_path(str(folder / "theirs.py"), run_name="theirs")


def pretend(name: str, **contents: Any) -> None:
    """Let a script import a module which only its training and its evaluation need."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:end]), types.ModuleType(parts[end - 1]))
    vars(sys.modules[name]).update(contents)


def of_lic2020(name: str, folder: Path, job: dict, end: str) -> dict:
    """`names_of` a script of lic2020_baselines, with the bert4keras that its README asks for."""
    sys.path.insert(0, str(Path(job["sources"], "bert4keras-0.7.0")))
    return names_of(Path(job["sources"], "lic2020_baselines", name), folder, end, [_NO_WEIGHTS])


def titles(folder: Path, job: dict):
    """bert4keras' example of titles for CSL, whose AutoTitle writes one after the other."""
    pretend("rouge", Rouge=None)
    pretend("nltk.translate.bleu_score", sentence_bleu=None, SmoothingFunction=None)
    script = Path(job["sources"], "bert4keras/examples/task_seq2seq_autotitle_csl.py")
    no_data = r"^(train|valid|test)_data = .*$", r"\1_data = []"
    names = names_of(script, folder, "class Evaluator", [_NO_WEIGHTS, no_data])
    writer = names["autotitle"]
    writer.maxlen = writer.minlen = job["title_length"]
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in rows_of(folder, job)]

    def work(number: int) -> int:
        for row in parts[number]:
            writer.generate(row["text"], topk=job["beam"])
        return len(parts[number])

    return work


def events(folder: Path, job: dict):
    """ee.py. Its head is sure that hardly a token is in an argument, as a trained one is."""
    pretend("pylcs")
    names = of_lic2020("ee.py", folder, job, "def evaluate")
    dense = names["model"].layers[-2]
    kernel, bias = dense.get_weights()
    bias[0] += 10
    dense.set_weights([kernel, bias])
    parts = [names["load_data"](str(path)) for path in rows_of(folder, job)]

    def work(number: int) -> int:
        for text, _ in parts[number]:
            names["extract_arguments"](text)
        return len(parts[number])

    return work


def relations(folder: Path, job: dict):
    """ie.py. Its head finds a subject in each sentence."""
    names = of_lic2020("ie.py", folder, job, "def evaluate")
    parts = [names["load_data"](str(path)) for path in rows_of(folder, job)]
    encoded = [names["tokenizer"].encode(row["text"], max_length=names["maxlen"]) for row in parts[0]]
    states = [names["bert"].model.predict([[tokens], [segments]])[0] for tokens, segments in encoded]
    names["subject_model"].layers[-2].set_weights(head_for_first_tokens(states))

    def work(number: int) -> int:
        for row in parts[number]:
            names["combine_spoes"](names["extract_spoes"](row["text"]))
        return len(parts[number])

    return work


def reading(folder: Path, job: dict):
    """rc.py."""
    names = of_lic2020("rc.py", folder, job, "def predict_to_file")
    parts = [names["load_data"](str(path)) for path in rows_of(folder, job)]

    def work(number: int) -> int:
        for _, context, question, _ in parts[number]:
            names["extract_answer"](question, context)
        return len(parts[number])

    return work


def passages(folder: Path, job: dict):
    """dgcnn.py. Word vectors are no part of its repository: these are random ones, as many as the rows have words. Its
    heads find nothing, which is the least work for what follows them."""
    import jieba_fast
    from keras.optimizers import Adam

    parts = [json.loads(path.read_text(encoding="utf-8")) for path in rows_of(folder, job)]
    rows = [row for part in parts for row in part]
    all_texts = [text for row in rows for text in [row["question"], *(one["passage"] for one in row["passages"])]]
    words = sorted({word for text in all_texts for word in jieba_fast.lcut(text, HMM=False)})
    table = np.random.RandomState(1).normal(size=(len(words), job["word_size"]))
    vectors = types.SimpleNamespace(wv=types.SimpleNamespace(index2word=words, syn0=table))
    pretend("gensim.models", Word2Vec=types.SimpleNamespace(load=lambda path: vectors))
    pretend("radam", RAdam=Adam)
    pretend("editdistance")
    (folder / "random_order.json").write_text(json.dumps(list(range(len(parts[0])))))
    (folder / "dgcnn_config.json").write_text(json.dumps(_characters(all_texts)))
    script = Path(job["sources"], "dgcnn_for_reading_comprehension/dgcnn/dgcnn.py")
    without_average = r"^class ExponentialMovingAverage(.*\n)*?(?=def extract_answer)", ""
    names = names_of(script, folder, "def predict(", [without_average])
    for dense in [layer for layer in names["model"].layers if getattr(layer, "units", 0) == 1][1:]:
        kernel, bias = dense.get_weights()
        dense.set_weights([kernel, bias - 6])

    def work(number: int) -> int:
        for row in parts[number]:
            found = names["extract_answer"](row["question"], [one["passage"] for one in row["passages"]])
            names["max_in_dict"](found)
        return sum(len(row["passages"]) for row in parts[number])

    return work


def _characters(texts: list) -> list:
    ids = {character: number for number, character in enumerate(sorted(set("".join(texts))), start=2)}
    return [{number: character for character, number in ids.items()}, ids]


def training(folder: Path, job: dict):
    """A tagger on bert4keras, as its examples train one, by AdamW."""
    from bert4keras.models import build_transformer_model
    from bert4keras.optimizers import Adam, extend_with_weight_decay
    from keras.layers import Dense, Dropout
    from keras.models import Model

    bert = build_transformer_model(str(folder / "bert_config.json"), None)
    logits = Dense(job["labels"], activation="softmax")(Dropout(0.1)(bert.output))
    model = Model(bert.inputs, logits)
    optimizer = extend_with_weight_decay(Adam)(1e-4, weight_decay_rate=0.01, clipnorm=1.0)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer)
    rows = np.load(str(folder / "rows.npy"))

    def batches():
        while True:
            for tokens in rows:
                yield [tokens, np.zeros_like(tokens)], (tokens % job["labels"])[:, :, None]

    def work(number: int) -> int:
        model.fit_generator(batches(), steps_per_epoch=len(rows), epochs=1, verbose=0)
        return len(rows)

    return work


def use_one_thread() -> None:
    import keras.backend as K
    import tensorflow as tf

    K.set_session(tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)))
    np.random.seed(1)
    tf.set_random_seed(1)


if __name__ == "__main__":
    use_one_thread()
    serve({one.__name__: one for one in (titles, events, relations, reading, passages, training)})

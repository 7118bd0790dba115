"""GPT2_ML: the network against numpy, its cache against the plain pass, checkpoints of each format, and its texts."""

import json

import numpy as np
import pytest

from common.decoders import Rules, State, beam_search
from common.generation.decoding import CachedDecoder
from common.generation.language_model import LanguageModel, usable_tokens
from common.generation.rows import rows_of, train_and_dev
from common.generation.training import Predictability, loss, training_network
from common.generation.writing import Drawing, read_prompt, write_texts
from common.keras_compat import in_precision, seed_everything
from common.tokenizers import WordPieceTokenizer

import competition
from helpers import refused
from tiny_writer import (
    CONFIG,
    FORMATS,
    HIDDEN,
    POSITIONS,
    VOCABULARY,
    hub_tensors,
    reference,
    tensors,
    write_safetensors,
    write_tensorflow,
    write_writer,
)
from workshop import check_refusal, run_here, succeeds

SCRIPTS = competition.ROOT / "scripts"
#: Of the vocabulary above, those that a text can have.
USABLE = [number for number, token in enumerate(VOCABULARY) if token not in ("[unused1]", "##山")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_writer(tmp_path_factory.mktemp("writer") / "gpt2-ml")


@pytest.fixture(scope="module")
def model(folder):
    return LanguageModel.from_checkpoint(folder)


@pytest.fixture(scope="module")
def transformer(model):
    return model.transformer()


@pytest.fixture(scope="module")
def decoder(transformer):
    return CachedDecoder(transformer)


def log_softmax(logits):
    logits = logits - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


# The network


def test_it_is_what_its_formula_says(transformer):
    ids = np.array([6, 11, 4, 7, 12, 5, 13])
    expected = reference(np.array(USABLE)[ids])[:, USABLE]
    np.testing.assert_allclose(transformer.model(ids[None]).numpy()[0], expected, atol=1e-4)


def test_its_layers_have_the_names_of_bert4keras(transformer):
    names = {weight.name for weight in transformer.model.weights}
    assert "Embedding-Token/embeddings:0" in names and "Transformer-1-FeedForward-Norm-1/gamma:0" in names
    assert len(names) == 4 + 16 * 2


@pytest.mark.parametrize("form", FORMATS[1:])
def test_every_format_gives_the_same_network(form, tmp_path, model, transformer, capsys):
    other = LanguageModel.from_checkpoint(write_writer(tmp_path / "writer", form))
    assert other.tokenizer.vocabulary == model.tokenizer.vocabulary and other.config == {
        **model.config,
        **({"layer_norm_eps": 1e-5} if form.startswith("hub") else {}),
    }
    for one, same in zip(transformer.model.get_weights(), other.transformer().model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)
    assert f"2 layers of 8, {len(VOCABULARY)} tokens" in capsys.readouterr().out


def test_weights_of_16_bits_are_read_by_parts(tmp_path):
    import ml_dtypes

    folder = write_writer(tmp_path / "writer", "hub")
    halves = {name: value.astype(ml_dtypes.bfloat16) for name, value in tensors().items()}
    from tiny_writer import _OF_FORMAT

    write_safetensors(folder, _OF_FORMAT["hub"](halves))
    network = LanguageModel.from_checkpoint(folder).transformer().model
    expected = halves["newslm/layer01/value_layer/kernel"].astype(np.float32)
    [found] = [
        weight.numpy()
        for weight in network.weights
        if weight.name == "Transformer-1-MultiHeadSelfAttention/dense_14/kernel:0"
        or (weight.shape == expected.shape and np.array_equal(weight.numpy(), expected))
    ]
    np.testing.assert_array_equal(found, expected)


def test_the_vocabulary_is_what_texts_can_have():
    found = [VOCABULARY[number] for number in usable_tokens(WordPieceTokenizer(VOCABULARY))]
    assert found == [VOCABULARY[number] for number in USABLE]
    twice = WordPieceTokenizer([*VOCABULARY, "a"])
    assert len(VOCABULARY) in usable_tokens(twice) and VOCABULARY.index("a") not in usable_tokens(twice)
    whole_words = WordPieceTokenizer([*VOCABULARY, "山上"], tokenize_chinese_chars=False)
    assert {VOCABULARY.index("##山"), len(VOCABULARY)} <= {*usable_tokens(whole_words)}


# Decoding


def check_cache(decoder, network, tolerance):
    """Every step of two rows for each of three prompts, rows repeated and exchanged as decoders do."""
    generator = np.random.default_rng(0)
    prompts = [generator.integers(5, 14, length) for length in (1, 4, 7)]
    padded = np.zeros((3, 7), np.int32)
    for row, prompt in zip(padded, prompts):
        row[: len(prompt)] = prompt
    state = decoder.start({"token_ids": padded})
    state = State(state.inputs, decoder.take(state.rows, np.repeat(np.arange(3), 2)))
    written, tokens = [[] for _ in range(6)], np.full(6, 2)
    for step in range(9):
        found, state = decoder.step(state, tokens)
        for row in range(6):
            whole = np.array([*prompts[row // 2], *written[row]])
            expected = log_softmax(network(whole[None]).numpy()[0, -1])
            np.testing.assert_allclose(found[row], expected, atol=tolerance)
        tokens = generator.integers(5, 14, 6)
        if step == 4:
            order = np.array([1, 0, 3, 3, 5, 4])
            state = State(state.inputs, decoder.take(state.rows, order))
            written = [list(written[row]) for row in order]
        for row, token in zip(written, tokens):
            row.append(token)


def test_the_cache_changes_nothing(decoder, transformer):
    check_cache(decoder, transformer.model, 1e-4)


def test_the_cache_changes_little_in_16_bits(model):
    with in_precision("bfloat16"):
        transformer = model.transformer()
        decoder = CachedDecoder(transformer)
    assert transformer.model.output.dtype == "float32"
    check_cache(decoder, transformer.model, 0.2)


def test_an_exhaustive_beam_finds_the_most_probable_text(decoder, transformer):
    """Of all, by trying them with the plain pass."""
    prompt, size = np.array([[6, 7, 8]], np.int32), len(USABLE)
    rules = Rules(4, 4, max_length=2, length_penalty=0.0)
    [[best]] = beam_search(decoder, {"token_ids": prompt}, rules, width=size * size)
    first = log_softmax(transformer.model(prompt).numpy()[0, -1])
    after = np.tile(prompt, (size, 1))
    second = log_softmax(transformer.model(np.column_stack([after, range(size)])).numpy()[:, -1])
    ended = max([(first[4], ()), *((first[one] + second[one, 4], (one,)) for one in range(1, size) if one != 4)])
    assert best.finished and best.log_probability >= ended[0] - 1e-4


# Texts


def texts_of(decoder, model, prompts, **settings):
    drawing = Drawing(**{"end": model.end, **settings})
    return write_texts(decoder, model, [read_prompt(text, model, "--prompt") for text in prompts], drawing)


def test_texts_go_on_after_their_prompts(decoder, model):
    prompts = ["山上", "ab灯，", "河流照着山上的灯"[:4]]
    together = texts_of(decoder, model, prompts, count=2, max_length=8, top_k=0)
    assert [len(texts) for texts in together] == [2, 2, 2]
    for prompt, texts in zip(prompts, together):
        for text in texts:
            written = len(model.tokenizer.tokenize(text)) - len(model.tokenizer.tokenize(prompt))
            assert text.startswith(prompt) and "[" not in text and (written <= 8 or text.endswith("。"))
    assert together == texts_of(decoder, model, prompts, count=2, max_length=8, top_k=0, rows=1)
    assert together[0] != texts_of(decoder, model, prompts, count=2, max_length=8, top_k=0, seed=2)[0]


def test_a_text_ends_where_the_end_is_drawn_and_not_before_it_may(decoder, model):
    [texts] = texts_of(decoder, model, ["山"], count=50, max_length=12, top_k=0, temperature=3.0)
    assert any(text.endswith("。") for text in texts) and all("。" not in text[:-1] for text in texts)
    [texts] = texts_of(decoder, model, ["山"], count=20, max_length=6, min_length=6, top_k=0)
    assert all(len(model.tokenizer.tokenize(text)) >= 7 for text in texts)
    [texts] = texts_of(decoder, model, ["山"], count=20, max_length=6, top_k=0, end="[SEP]")
    assert any("。" in text[:-1] for text in texts) and not any("[SEP]" in text for text in texts)


def test_a_text_is_as_long_as_the_model_has_positions(decoder, model):
    prompts = ["山", "山" * (POSITIONS - 1), "山" * 20]
    texts = texts_of(decoder, model, prompts, max_length=40, min_length=40, end="[SEP]")
    assert [len(model.tokenizer.tokenize(text)) for [text] in texts] == [POSITIONS] * 3
    assert texts[0] == texts_of(decoder, model, prompts[:1], max_length=40, min_length=40, end="[SEP]")[0]


def test_words_of_letters_stay_apart(decoder, model):
    from common.tokenizers.joining import with_tokens

    assert with_tokens("山ab", ["ab", "##c", "，", "a", "山", "a"]) == "山ab abc，a山a"


@pytest.mark.parametrize(
    "text, words",
    [
        ("", ["is empty"]),
        (" \t", ["is empty"]),
        ("山龙上", ["'龙'", "character 2", "not in the vocabulary"]),
        ("山" * POSITIONS, ["has 24 tokens", "24 positions"]),
    ],
)
def test_a_prompt_that_cannot_be_read(model, text, words):
    refused(lambda: read_prompt(text, model, "x.txt:3"), "x.txt:3", *words)


# Training


def test_rows_have_every_token_to_be_predicted_once():
    tokenizer = WordPieceTokenizer(VOCABULARY)
    rows = rows_of(["山上灯照着河流", "", "山", "山上灯照"], tokenizer, 5)
    pieces = ["".join(VOCABULARY[token] for token in row) for row in rows]
    assert pieces == ["山上灯照着", "着河流[SEP]", "山[SEP]", "山上灯照[SEP]"]
    assert [row.dtype for row in rows] == [np.uint16] * 4


def test_one_text_in_twenty_is_for_dev():
    train, dev = train_and_dev(map(str, range(1, 61)))
    assert dev == ["20", "40", "60"] and len(train) == 57
    assert train_and_dev(["a", "b", "c"]) == (["a", "b"], ["c"])
    refused(lambda: train_and_dev(["a"]), "fewer than two texts")
    assert len(train_and_dev(map(str, range(40_000)))[1]) == 1000


def test_what_is_predicted_counts_padding_and_unknown_tokens_for_nothing(transformer):
    network, unknown = training_network(transformer), 1
    rows = [np.array([6, 7, 1, 9, 4], np.uint16), np.array([8, 4], np.uint16)]
    losses, counts = Predictability(network, unknown)(rows)
    expected = []
    for row in rows:
        scores = log_softmax(transformer.model(row[None].astype(int)).numpy()[0])
        expected.append([-scores[place - 1, row[place]] for place in range(1, len(row)) if row[place] != unknown])
    assert counts.tolist() == [3, 1]
    np.testing.assert_allclose(losses, [sum(one) for one in expected], atol=1e-4)
    batch = {"token_ids": np.array([[6, 7, 1, 9, 4], [8, 4, 0, 0, 0]], np.int32)}
    [term] = loss(batch, network(batch), unknown)
    np.testing.assert_allclose([term.numerator, term.denominator], [losses.sum(), 4], atol=1e-4)


# Checkpoints that are none


def change(folder, values=None, config=None, form="tensorflow"):
    """The checkpoint with other tensors, or other settings."""
    if values is not None:
        (write_tensorflow if form == "tensorflow" else write_safetensors)(folder, values)
    path = folder / ("mega.json" if form == "tensorflow" else "config.json")
    if config is not None:
        path.write_text(json.dumps({**json.loads(path.read_text()), **config}))


def without(values, name):
    return {key: value for key, value in values.items() if key != name}


GPT_2 = {**without(without(hub_tensors(tensors()), "emb_norm.weight"), "emb_norm.bias"), "ln_f.weight": np.ones(HIDDEN)}
BROKEN = [
    ("tensorflow", {"bert/embeddings/word_embeddings": np.zeros((4, 4), np.float32)}, None, ["has no layers"]),
    ("tensorflow", without(tensors(), "newslm/layer01/output/bias"), None, ["layer01/output/bias", "missing"]),
    ("tensorflow", tensors() | {"newslm/layer01/output/bias": np.float32([np.nan] * HIDDEN)}, None, ["no numbers"]),
    ("tensorflow", None, {"num_hidden_layers": 3}, ["mega.json", "num_hidden_layers is 3 there and 2"]),
    ("tensorflow", None, {"num_attention_heads": 3}, ["mega.json", "3 attention heads"]),
    ("tensorflow", None, {"hidden_act": "maxout"}, ["mega.json", "hidden_act"]),
    ("hub", None, {"model_type": "bert"}, ["config.json", "model_type is 'bert'", "take a GPT2_ML"]),
    ("hub", None, {"tie_word_embeddings": False}, ["config.json", "tie_word_embeddings"]),
    ("hub", GPT_2, None, ["is a GPT-2, without emb_norm"]),
    ("hub", {"x": np.zeros(3)}, None, ["is no GPT2_ML"]),
    ("hub", hub_tensors(tensors()) | {"h.0.attn.rope": np.zeros(3)}, None, ["h.0.attn.rope", "part of no GPT2_ML"]),
    ("hub", without(hub_tensors(tensors()), "h.1.attn.c_attn.weight"), None, ["query_layer/kernel", "missing"]),
]


@pytest.mark.parametrize("form, values, config, words", BROKEN)
def test_a_broken_checkpoint_is_one_line(form, values, config, words, tmp_path):
    folder = write_writer(tmp_path / "writer", form)
    change(folder, values, config, form)
    refused(lambda: LanguageModel.from_checkpoint(folder).transformer(), *words)


def test_a_checkpoint_that_is_cut_off_is_one_line(tmp_path):
    for form, file in (("tensorflow", "model.ckpt-100000.data-00000-of-00001"), ("hub", "model.safetensors")):
        folder = write_writer(tmp_path / form, form)
        (folder / file).write_bytes((folder / file).read_bytes()[:900])
        refused(lambda: LanguageModel.from_checkpoint(folder).transformer(), folder)


def test_a_folder_with_several_configs(tmp_path):
    folder = write_writer(tmp_path / "writer")
    (folder / "other.json").write_text("{}")
    refused(lambda: LanguageModel.from_checkpoint(folder), "several configs", "config.json")
    (folder / "config.json").write_text(
        json.dumps({"max_position": POSITIONS, **without(CONFIG, "max_position_embeddings")})
    )
    assert LanguageModel.from_checkpoint(folder).positions == POSITIONS


# A run


def test_a_run_gives_the_model_back_or_refuses_it(tmp_path):
    seed_everything(1)
    model = LanguageModel.from_texts(["山上的灯"] * 2, 16, 1, 0.1, 20)
    model.save(tmp_path)
    again = LanguageModel.load(tmp_path)
    assert (again.config, again.tokenizer.vocabulary, again.end) == (model.config, model.tokenizer.vocabulary, "[SEP]")
    settings = json.loads((tmp_path / "language_model.json").read_text())
    for changes, words in (
        ({"config": 3}, ["no JSON object"]),
        ({"config": {**settings["config"], "vocab_size": 7}}, ["tokens", "vocab.txt"]),
        ({"lowercase": "x"}, ["switches"]),
    ):
        (tmp_path / "language_model.json").write_text(json.dumps({**settings, **changes}))
        refused(lambda: LanguageModel.load(tmp_path), *words)
    (tmp_path / "language_model.json").write_text("[]")
    refused(lambda: LanguageModel.load(tmp_path), "cannot be read")
    (tmp_path / "language_model.json").write_text(json.dumps(settings))
    (tmp_path / "best.weights.h5").write_bytes(b"x" * 100)
    refused(lambda: LanguageModel.load(tmp_path), "more weights than the run has")
    refused(lambda: LanguageModel.from_texts(["山"], 200, 1, 0.1, 20), "--hidden-size 200")


# The script


def test_texts_are_written_by_a_script(folder, tmp_path):
    flags = ["--pretrained", folder, "--top-k", 5, "--max-length", 10, "--seed", 1]
    one, again = (succeeds(run_here(SCRIPTS, "write_text", [*flags, "--prompt", "山上"])).out for _ in range(2))
    line = one.splitlines()[-1]
    assert one == again and line.startswith("山上") and 2 + 5 <= len(line) <= 2 + 10 + 1 + 10
    (tmp_path / "prompts.txt").write_text("山上\n\n灯，\n", "utf-8")
    files = ["--prompts", tmp_path / "prompts.txt", "--output", tmp_path / "out.json"]
    succeeds(run_here(SCRIPTS, "write_text", [*flags, *files, "--num-texts", 2, "--min-length", 0]))
    records = [json.loads(text) for text in (tmp_path / "out.json").read_text("utf-8").splitlines()]
    assert [record["prompt"] for record in records] == ["山上", "灯，"]
    assert all(text.startswith(one["prompt"]) for one in records for text in one["texts"])
    assert [len(record["texts"]) for record in records] == [2, 2]


MISTAKES = [
    ([], ["--prompt or --prompts"]),
    (["--prompt", "山", "--output", "x"], ["--output", "leave it out"]),
    (["--prompts", "prompts.txt"], ["--output: is missing"]),
    (["--prompt", "山", "--pretrained", "gpt2-ml", "--run", "x"], ["--pretrained and --run"]),
    (["--prompt", "山"], ["no run with a best.weights.h5"]),
    (["--prompt", "山", "--min-length", 300], ["--min-length"]),
    (["--prompt", "山", "--top-p", 0], ["--top-p"]),
    (["--prompt", "", "--pretrained", "{folder}"], ["--prompt: is empty"]),
    (["--prompt", "山" * 30, "--pretrained", "{folder}"], ["--prompt: has 30 tokens"]),
    (["--prompt", "山", "--pretrained", "{folder}", "--end", "龙"], ["--end 龙"]),
    (["--prompt", "山", "--pretrained", "nowhere"], ["nowhere", "no such folder"]),
    (["--prompts", "prompts.txt", "--output", "x", "--pretrained", "{folder}"], ["prompts.txt:2", "'龙'"]),
    (["--prompts", "prompts.txt", "--output", "prompts.txt"], ["is there already"]),
]


@pytest.mark.parametrize("flags, words", MISTAKES)
def test_mistakes_are_one_line(flags, words, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts.txt").write_text("山上\n龙\n", "utf-8")
    flags = [str(flag).replace("{folder}", str(folder)) for flag in flags]
    check_refusal(run_here(SCRIPTS, "write_text", flags), *words)
    assert [path.name for path in tmp_path.iterdir()] == ["prompts.txt"]

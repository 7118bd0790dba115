"""cluster_texts.py: clusters of texts, what they are about, the page, and codes."""

import json
import re
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import mutual_info_score

import competition
from helpers import write, write_lines
from workshop import check_refusal, run_here, succeeds

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
import cluster_input  # noqa: E402
import cluster_methods  # noqa: E402
import cluster_page  # noqa: E402
import cluster_words  # noqa: E402
import clustering_table  # noqa: E402
import page_markup  # noqa: E402
import text_codes  # noqa: E402
import text_vectors  # noqa: E402

SUBJECTS = [
    ["医生", "医院", "看病", "病人", "药品", "护士"],
    ["足球", "比赛", "球场", "教练", "冠军", "进球"],
    ["股票", "银行", "投资", "市场", "价格", "经济"],
]


def rows_of_subjects(count=60):
    generator = np.random.default_rng(0)
    subjects = generator.integers(3, size=count)
    texts = ["，".join(generator.permutation(SUBJECTS[subject])[:4]) for subject in subjects]
    return [{"text": text, "label": "病球钱"[subject]} for text, subject in zip(texts, subjects)]


@pytest.fixture
def file(tmp_path):
    write_lines(tmp_path / "texts.jsonl", rows_of_subjects())
    return tmp_path / "texts.jsonl"


def clusters(file, output, *flags):
    return run_here(SCRIPTS, "cluster_texts", ["--input", file, "--output", output, "--clusters", 3, *flags])


def lines_of(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def figures_in(folder):
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    return summary["scores"] if "scores" in summary else summary["figures"]["VQ-VAE"]


FILES = ("clusters.jsonl", "clusters.html")
SMALL_VAE = [
    "--method",
    "vae",
    "--starts",
    1,
    "--epochs",
    1,
    "--hidden-size",
    16,
    "--latent-size",
    4,
    "--batch-size",
    20,
]


@pytest.mark.parametrize("flags", [[], ["--method", "gmm"], SMALL_VAE], ids=["kmeans", "gmm", "vae"])
def test_texts_of_one_subject_are_a_cluster(flags, file, tmp_path):
    done = succeeds(clusters(file, tmp_path / "first", *flags))
    assert "60 texts with a label" in done.out and figures_in(tmp_path / "first")["accuracy"] > 0.9
    rows = lines_of(tmp_path / "first" / "clusters.jsonl")
    assert [row["text"] for row in rows] == [row["text"] for row in lines_of(file)]
    assert all(0 <= row["probability"] <= 1 for row in rows)
    summary = json.loads((tmp_path / "first" / "summary.json").read_text("utf-8"))
    sizes = [one["size"] for one in summary["clusters"]]
    assert sizes == sorted(sizes, reverse=True) and sum(sizes) == 60
    for one in summary["clusters"]:
        [subject] = [words for words in SUBJECTS if words[0] in one["words"]]
        assert set(one["words"]) <= set(subject) and any(one["texts"][0].count(word) for word in subject)
        assert sum(row["cluster"] == one["cluster"] for row in rows) == one["size"]
    if "vae" in flags:  # seconds: tests/test_latent.py tries that one twice
        return
    succeeds(clusters(file, tmp_path / "second", *flags))
    for name in FILES:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_labels_are_not_looked_at(file, tmp_path):
    write(tmp_path / "plain.txt", "".join(f"{row['text']}\n" for row in lines_of(file)))
    succeeds(clusters(file, tmp_path / "with"))
    succeeds(clusters(tmp_path / "plain.txt", tmp_path / "without"))
    assert not figures_in(tmp_path / "without")
    one, other = ((tmp_path / name / "clusters.jsonl").read_bytes() for name in ("with", "without"))
    assert one == other


def test_vectors_of_a_light_encoder_and_of_words(file, tmp_path):
    flags = ["--vectors", "encoder", "--encoder-epochs", 40, "--vector-size", 8, "--starts", 1]
    succeeds(clusters(file, tmp_path / "encoder", *flags))
    assert figures_in(tmp_path / "encoder")["accuracy"] > 0.8
    words = [word for subject in SUBJECTS for word in subject[:5]]
    vectors = [f"{word} {' '.join(map(str, np.eye(3)[number // 5] + 0.1))}" for number, word in enumerate(words)]
    write(tmp_path / "vectors.txt", "\n".join([f"{len(words)} 3", *vectors]) + "\n")
    succeeds(clusters(file, tmp_path / "words", "--word-vectors", tmp_path / "vectors.txt"))
    assert figures_in(tmp_path / "words")["accuracy"] > 0.9
    write(tmp_path / "other.txt", "1 3\nabc 1 2 3\n")
    check_refusal(clusters(file, tmp_path / "none", "--word-vectors", tmp_path / "other.txt"), "none of the words")


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "%STYLE% %DATA% \u2028 \" ' & ]]> <!-- 医生",
    "\x1b[31m红\u202e字",
    "半个\ud83d",
]


def test_hostile_texts_are_text_in_the_page_and_on_the_screen(tmp_path):
    rows = [{"text": text} for text in HOSTILE] + rows_of_subjects(20)
    write(tmp_path / "hostile.jsonl", "\n".join(json.dumps(row) for row in rows))
    done = succeeds(clusters(tmp_path / "hostile.jsonl", tmp_path / "out"))
    assert "\x1b" not in done.out and "\u202e" not in done.out
    page = (tmp_path / "out" / "clusters.html").read_text("utf-8")
    assert (
        page.count("<script") == page.count("</script>") == 2
        and "<img" not in page
        and "onerror" not in re.sub(r'id="data">.*?</script>', "", page, flags=re.DOTALL)
    )
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert not set("<>&\u2028") & {*data}
    shown = [point[3] for point in json.loads(data)["points"]]
    assert shown == [" ".join(row["text"].split()) for row in rows]
    assert "innerHTML" not in page and "http:" not in page and "https:" not in page and "default-src 'none'" in page


def test_the_policy_of_the_page_knows_its_own_script_and_style():
    page = cluster_page.page("名", [{"size": 1, "words": ["词"], "texts": ["文" * 500]}], [(0.5, 0.5, 0, "文", 1.0)])
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    for tag, content in re.findall(r"<(style|script)>(.*?)</\1>", page, re.DOTALL):
        assert f"{tag}-src {page_markup.source(content)}" in policy
    assert "unsafe" not in policy and "文" * 300 + " ..." in page and "文" * 301 not in page


def test_a_map():
    generator = np.random.default_rng(0)
    vectors = np.repeat(np.eye(3) * 5, 20, 0) + generator.normal(0, 0.1, (60, 3))
    places = cluster_page.map_of(vectors.astype(np.float32), 1)
    assert places.shape == (60, 2) and places.min() == 0 and places.max() == 1
    middles = places.reshape(3, 20, 2).mean(1)
    nearest = np.square(places[:, None] - middles).sum(-1).argmin(1)
    assert (nearest == np.repeat(range(3), 20)).all()
    for few in (vectors[:1], vectors[:2], np.ones((40, 3)), vectors[:5, :1]):
        assert np.isfinite(cluster_page.map_of(few, 1)).all()


def test_telling_words_are_those_of_mutual_information():
    generator = np.random.default_rng(0)
    texts = [[f"词{number}" for number in np.flatnonzero(generator.random(12) < 0.3)] for _ in range(50)]
    labels = generator.integers(3, size=50)
    held, words = cluster_words.presence(texts, 2)
    assert (held.toarray() == [[word in text for word in words] for text in texts]).all()
    for cluster, found in enumerate(cluster_words.telling_words(held, words, labels, 20, 3)):
        inside = labels == cluster
        expected = {}
        for word in words:
            has = np.array([word in text for text in texts])
            if has[inside].mean() > has[~inside].mean():
                expected[word] = mutual_info_score(has, inside)
        assert found == sorted(expected, key=expected.get, reverse=True)


def test_typical_texts_are_nearest_to_the_middle():
    vectors = np.array([[0.0], [1], [1.1], [5], [0.9], [9]])
    found = cluster_words.typical_texts(["a", "b", "c", "d", "b", "e"], vectors, np.array([0, 0, 0, 0, 0, 2]), 3, 3)
    assert found == [[2, 1, 0], [], [5]]


def test_scores():
    labels = ["a", "a", None, "b", "b", "b"]
    found = cluster_input.scores(labels, np.array([0, 0, 1, 1, 1, 0]))
    assert found["accuracy"] == pytest.approx(4 / 5) and 0 < found["nmi"] < 1
    assert cluster_input.scores([None, None], np.array([0, 1])) == {}


def test_of_several_starts_the_one_that_fits_best_is_kept():
    vectors = np.random.default_rng(1).normal(size=(200, 8)).astype(np.float32)
    found = cluster_methods.cluster(vectors, 8, "kmeans", 6, 1)
    fits = [fit for fit, _ in found.starts]
    assert len(set(fits)) > 1 and found.chosen == int(np.argmax(fits))
    np.testing.assert_allclose(found.probabilities.sum(1), 1, rtol=1e-5)
    first = cluster_methods.cluster(vectors, 8, "kmeans", 2, 1)
    assert [fit for fit, _ in first.starts] == fits[:2]


def test_codes(file, tmp_path):
    flags = ["--codes", "--codebooks", 2, "--codebook-size", 4, "--code-size", 2, "--code-epochs", 1]
    done = succeeds(clusters(file, tmp_path / "first", *flags))
    found = figures_in(tmp_path / "first")
    assert "product quantisation" in done.out and found["explained"] > 0.2 and found["perplexity"] > 1.5
    rows = lines_of(tmp_path / "first" / "codes.jsonl")
    assert len(rows) == 60 and all(len(row["codes"]) == 2 and max(row["codes"]) < 4 for row in rows)


def test_figures_of_codes():
    vectors = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    texts, labels = [str(number) for number in range(30)], [str(number % 2) for number in range(30)]
    rows = cluster_methods.scaled(vectors)
    perfect = text_codes.Coded(np.arange(30)[:, None], rows)
    found = text_codes.figures_of(perfect, vectors, texts, labels, 1)
    assert (found["explained"], found["recall"], found["different"]) == pytest.approx((1, 1, 1))
    assert found["perplexity"] == pytest.approx(30) and found["same_label"] == found["same_label_vectors"]
    nothing = text_codes.Coded(np.zeros((30, 1), int), np.zeros_like(rows))
    found = text_codes.figures_of(nothing, vectors, texts, [None] * 30, 1)
    assert found["explained"] == pytest.approx(0, abs=1e-5) and found["perplexity"] == 1 and found["recall"] < 0.6
    # The codes of product quantisation are k-means of each slice.
    whole = text_codes.product_codes(vectors, 4, 30, 1)
    np.testing.assert_allclose(whole.decoded, rows, atol=1e-6)


def test_means_of_word_vectors(tmp_path):
    """By rarity, each of length 1, less the mean of the texts that have a known word; others are 0."""
    write(tmp_path / "vectors.txt", "2 2\n甲 3 0\n乙 0 2\n")
    held, words = cluster_words.presence([["甲", "乙"], ["甲"], ["丙"], ["丙", "丁"]], 1)
    assert words == ["甲", "乙", "丙", "丁"]
    both = np.array([np.log(2), np.log(4)]) / np.hypot(np.log(2), np.log(4))
    expected = np.array([both, [1, 0], [0, 0], [0, 0]])
    expected[:2] -= expected[:2].mean(0)
    found = text_vectors.mean_word_vectors(held, words, tmp_path / "vectors.txt")
    np.testing.assert_allclose(found, expected, atol=1e-6)


MISTAKES = [
    (["--clusters", 61], ["--clusters 61", "texts.jsonl has", "different texts"]),
    (["--clusters", 0], ["--clusters 0"]),
    (["--input", "same.txt"], ["--clusters 3", "1 different texts", "at most"]),
    (["--input", "marks.txt"], ["by their words", "1 different"]),
    (["--input", "empty.jsonl"], ["empty.jsonl", "no text"]),
    (["--input", "odd.jsonl"], ["odd.jsonl:2", '"text" is missing']),
    (["--input", "label.jsonl"], ["label.jsonl:1", '"label"']),
    (["--input", "no.txt"], ["no.txt", "no such file"]),
    (["--output", "same.txt"], ["--output same.txt", "already"]),
    (["--run", "nothing", "--pretrained", "x"], ["--run and --pretrained"]),
]


@pytest.mark.parametrize(("flags", "words"), MISTAKES)
def test_mistakes_are_one_line(flags, words, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "same.txt", "同一条\n" * 5)
    write(tmp_path / "marks.txt", "。\n！\n？\n，\n")
    write_lines(tmp_path / "empty.jsonl", [{"text": ""}, {"text": "  "}])
    write_lines(tmp_path / "odd.jsonl", [{"text": "有"}, {"title": "没有"}])
    write_lines(tmp_path / "label.jsonl", [{"text": "有", "label": [1]}])
    check_refusal(
        run_here(SCRIPTS, "cluster_texts", ["--input", "texts.jsonl", "--output", "out", "--clusters", 3, *flags]),
        *words,
    )
    assert not (tmp_path / "out").exists()


def test_odd_files_are_answered(tmp_path):
    """Empty texts are left out and counted; all texts the same, and a single one, are one cluster."""
    write_lines(tmp_path / "some.jsonl", [{"text": ""}, *rows_of_subjects(9), {"text": " "}])
    done = succeeds(clusters(tmp_path / "some.jsonl", tmp_path / "some"))
    assert "2 x empty text" in done.out and len(lines_of(tmp_path / "some" / "clusters.jsonl")) == 9
    for name, content in (("same", "同一条\n" * 5), ("one", "就这一条\n"), ("mark", "。\n")):
        write(tmp_path / f"{name}.txt", content)
        for method in ("kmeans", "gmm"):
            flags = ["--clusters", 1, "--method", method]
            succeeds(clusters(tmp_path / f"{name}.txt", tmp_path / f"{name}-{method}", *flags))
            assert {row["cluster"] for row in lines_of(tmp_path / f"{name}-{method}" / "clusters.jsonl")} == {1}
    flags = ["--codes", "--codebooks", 2, "--codebook-size", 3, "--code-epochs", 1]
    succeeds(clusters(tmp_path / "same.txt", tmp_path / "codes", *flags))
    assert len({tuple(row["codes"]) for row in lines_of(tmp_path / "codes" / "codes.jsonl")}) == 1


def test_the_table_has_every_way_with_its_scores(file, capsys):
    figures = clustering_table.main([
        *["--input", str(file), "--clusters", "3", "--seeds", "1", "2", "--ways", "TF-IDF, k-means", "SVD, k-means"]
    ])  # fmt: skip
    names = {name.rsplit(", ", 1)[0] for name in figures}
    assert names == {"TF-IDF, k-means", "TF-IDF, SVD, k-means"}
    assert figures["TF-IDF, SVD, k-means, accuracy"] == 1 and figures["TF-IDF, SVD, k-means, ari"] == 1
    printed = capsys.readouterr().out
    assert "seeds 1, 2" in printed and "1.0000 (0.0000)" in printed


def test_the_table_puts_given_vectors_beside_those_of_the_texts(file, monkeypatch):
    made = []

    class Recorded:
        def __init__(self, texts, options, seed):
            made.append(options)
            self.values = np.random.default_rng(seed).normal(size=(len(texts), 8)).astype(np.float32)

        def features(self, most_texts):
            return sparse.eye(60, format="csr")

    monkeypatch.setattr(clustering_table, "Vectors", Recorded)
    flags = ["--input", str(file), "--clusters", "3", "--seeds", "1", "--ways", "SVD, k-means", "SimBERT, k-means"]
    clustering_table.main([*flags, "--pretrained", "somewhere"])
    assert [bool(options.pretrained) for options in made] == [False, False, True]

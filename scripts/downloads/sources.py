"""Checkpoints, word vectors and data of the contests, where they are, and under which licence.

As of November 2026 and as far as is known: addresses move, so each can be overridden (--mirror, --url), and none is
asked before somebody wants it. What has no address here is given to those who register or apply.
"""

from typing import NamedTuple

AS_OF = "2026-11"


class Checkpoint(NamedTuple):
    """Of the Hugging Face hub. megabytes: of all that is needed, about."""

    name: str
    repository: str
    megabytes: int
    licence: str
    purpose: str


class Data(NamedTuple):
    """files: addresses by the name that a file gets; under "" an archive that is unpacked. page: where to read about
    it, and to register where there are no files. tree: what train.py needs. below: where in the archive that is."""

    name: str
    task: str
    files: dict[str, str]
    page: str
    licence: str
    tree: str
    below: str = ""


class Package(NamedTuple):
    """A file in the source archive of a Python package, which pip fetches from the index or mirror that it is set to.
    requirement: a name and version. sha256: of the archive. member: the file's path below its one folder."""

    name: str
    requirement: str
    sha256: str
    member: str
    megabytes: int
    licence: str
    purpose: str


CHECKPOINTS = (
    Checkpoint("chinese-roberta-wwm-ext", "hfl/chinese-roberta-wwm-ext", 410, "Apache-2.0", "the usual choice"),
    Checkpoint("chinese-macbert-base", "hfl/chinese-macbert-base", 410, "Apache-2.0", "trained with similar words"),
    Checkpoint("bert-base-chinese", "google-bert/bert-base-chinese", 410, "see its page", "Google's, the oldest"),
    Checkpoint("ernie-3.0-base-zh", "nghuyong/ernie-3.0-base-zh", 470, "see its page", "Baidu's, converted"),
    Checkpoint("rbt3", "hfl/rbt3", 155, "Apache-2.0", "three layers: for CPUs"),
    Checkpoint(
        "chinese-electra-small", "hfl/chinese-electra-180g-small-discriminator", 50, "Apache-2.0", "12 narrow layers"
    ),
    Checkpoint("chinese-roberta-wwm-ext-large", "hfl/chinese-roberta-wwm-ext-large", 1300, "Apache-2.0", "for GPUs"),
)

WORD_VECTORS = (
    Package(
        "word-vectors",
        "synonyms==3.8.0",
        "73e7a994ad478a9da1ab89f06d4f14d5067b4deccb636299548bd680321e1724",
        "synonyms/data/words.vector",
        54,
        "MIT",
        "125,796 words of Chinese Wikipedia, size 100",
    ),
)

_GITHUB = "https://raw.githubusercontent.com"
_TABLEQA = f"{_GITHUB}/ZhuiyiTechnology/TableQA/master"
_CMRC = f"{_GITHUB}/ymcui/cmrc2018/master/squad-style-data"
_DRCD = f"{_GITHUB}/DRCKnowledgeTeam/DRCD/master"

DATA = (
    Data(
        "dureader_robust",
        "lic2020_reading_comprehension",
        {"": "https://bj.bcebos.com/paddlenlp/datasets/dureader_robust-data.tar.gz"},
        "https://www.luge.ai",
        "research only",
        "train.json, dev.json",
    ),
    Data(
        "cmrc2018",
        "lic2020_reading_comprehension",
        {"train.json": f"{_CMRC}/cmrc2018_train.json", "dev.json": f"{_CMRC}/cmrc2018_dev.json"},
        "https://github.com/ymcui/cmrc2018",
        "CC BY-SA 4.0",
        "train.json, dev.json",
    ),
    Data(
        "drcd",
        "lic2020_reading_comprehension",
        {"train.json": f"{_DRCD}/DRCD_training.json", "dev.json": f"{_DRCD}/DRCD_dev.json"},
        "https://github.com/DRCKnowledgeTeam/DRCD",
        "CC BY-SA 3.0",
        "train.json, dev.json",
    ),
    Data(
        "duie",
        "lic2020_relation_extraction",
        {"": "https://dataset-bj.cdn.bcebos.com/qianyan/DuIE_2_0.zip"},
        "https://www.luge.ai",
        "see its page",
        "duie_train.json, duie_dev.json, duie_schema.json",
    ),
    Data(
        "duee",
        "lic2020_event_extraction",
        {},
        "https://www.luge.ai",
        "see its page",
        "duee_train.json, duee_dev.json, duee_event_schema.json",
    ),
    Data(
        "tableqa",
        "nl2sql",
        {
            "train.json": f"{_TABLEQA}/train/train.json",
            "train.tables.json": f"{_TABLEQA}/train/train.tables.json",
            "dev.json": f"{_TABLEQA}/val/val.json",
            "dev.tables.json": f"{_TABLEQA}/val/val.tables.json",
        },
        "https://github.com/ZhuiyiTechnology/TableQA",
        "research only, not to be passed on",
        "train.json, train.tables.json, dev.json, dev.tables.json",
    ),
    Data(
        "webqa",
        "webqa_dgcnn",
        {"": "https://paddlepaddle.bj.bcebos.com/dataset/webqa/WebQA.v1.0.zip"},
        "https://kexue.fm/archives/4338",
        "see its page",
        "training.json.gz, validation.ir.json.gz",
        "data",
    ),
    Data(
        "ccks2019_el",
        "ccks2019_entity_linking",
        {},
        "https://www.biendata.xyz/competition/ccks_2019_el/",
        "by registration",
        "train.json, dev.json (lines of train.json), kb_data",
    ),
    Data(
        "csl",
        "seq2seq_titling",
        {},
        "https://github.com/CLUEbenchmark/CLGE",
        "see its page",
        "train.json, dev.json (csl_title_train.json, csl_title_dev.json)",
    ),
    Data(
        "lcsts",
        "seq2seq_titling",
        {},
        "http://icrc.hitsz.edu.cn/Article/show/139.html",
        "by application",
        "train.json, dev.json",
    ),
)

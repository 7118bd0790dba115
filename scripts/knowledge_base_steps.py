"""The steps of `benchmark.py knowledge-base`. Each runs in a process of its own, so that the memory it reports is its
own.

    python scripts/knowledge_base_steps.py generate FOLDER --entities 400000
    python scripts/knowledge_base_steps.py build FOLDER                        then open, candidates

The last line on stdout is a JSON object of figures: seconds, and bytes of memory at most. No TensorFlow.
"""

import argparse
import itertools
import json
import random
import sys
import time
from pathlib import Path

from process_memory import peak
from samples import _names

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "competitions" / "ccks2019_entity_linking"))

SYLLABLES = (
    _names.SURNAMES, _names.PLACE_FIRST, _names.PLACE_LAST, _names.BRAND_FIRST, _names.BRAND_LAST, *_names.TITLE_FIRST, *_names.TITLE_LAST,
    *_names.SONG_FIRST, *_names.SONG_LAST, *_names.ALBUM_FIRST, *_names.ALBUM_LAST, *_names.BOOK_FIRST, *_names.BOOK_LAST,
)  # fmt: skip
KINDS = (
    "市",
    "县",
    "镇",
    "大学",
    "中学",
    "公司",
    "集团",
    "传",
    "之歌",
    "第二季",
    "电影节",
    "出版社",
    "有限责任公司",
    "的秘密",
    "大道",
    "杯锦标赛",
)
LATIN = ("Alpha", "NOVA", "X1", "mini", "Pro Max", "ＴＶ", "DJ", "3D")
PREDICATES = tuple(
    "性别 职业 国籍 出生地 代表作品 导演 主演 类型 作者 出版社 歌手 专辑 所属地区 面积 中文名 外文名 年代 简称 创办时间 标签".split()
)
FILLERS = (
    "的",
    "在",
    "新闻：",
    "与",
    "最新消息",
    "怎么样",
    "《",
    "》",
    "，",
    "和",
    "高清视频",
    " ",
    "2019年",
    "第三集",
)


def generate(source: Path, entities: int) -> dict[str, float]:
    """Writes a knowledge base in the official format, the same every time, and beside it 1,000 texts with its names;
    all invented.

    An entity has 1.6 names and 7.5 facts on average, one of them long. Every seventh name is that of several entities,
    and more than a third have another name within them.
    """
    rng = random.Random(1)
    characters = list(dict.fromkeys("".join(SYLLABLES)))
    rng.shuffle(characters)
    cumulative = list(itertools.accumulate(1 / (rank + 20) for rank in range(len(characters))))

    def word(shortest: int, longest: int) -> str:
        return "".join(rng.choices(characters, cum_weights=cumulative, k=rng.randint(shortest, longest)))

    def name() -> str:
        kind = rng.random()
        if not names or kind < 0.2:
            return rng.choice(_names.SURNAMES) + word(1, 2)
        if kind < 0.3:
            return word(2, 3) + rng.choice(_names.PLACE_LAST)
        if kind < 0.35:
            return rng.choice(LATIN) + word(1, 4) + rng.choice(LATIN)
        if kind < 0.45:
            return word(4, 20)
        if kind < 0.6:
            return rng.choice(names)
        return (word(0, 4) + rng.choice(names)[:12] + rng.choice(KINDS))[:20]

    names: list[str] = []
    phrases = [word(2, 24) for _ in range(20_000)]
    with source.open("w", encoding="utf-8") as file:
        for number in range(entities):
            own = [name() for _ in range(rng.choices((1, 2, 3, 5), (62, 25, 9, 4))[0])]
            names += own
            data = [
                {"predicate": rng.choice(PREDICATES), "object": rng.choice(phrases)} for _ in range(rng.randint(4, 9))
            ]
            data.append({"predicate": "摘要", "object": "，".join(rng.choices(phrases, k=rng.randint(3, 8)))})
            record = {
                "alias": own,
                "subject_id": str(10_000 + number),
                "subject": own[0],
                "type": ["Thing"],
                "data": data,
            }
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    texts = [text(rng, names) for _ in range(1000)]
    source.with_name("texts.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    return {"source_bytes": source.stat().st_size}


def text(rng: random.Random, names: list[str]) -> str:
    """22 to 50 characters: names, and what is between them."""
    length, pieces = rng.randint(22, 50), ""
    while len(pieces) < length:
        pieces += rng.choice(names) + rng.choice(FILLERS)
    return pieces[:length]


def build(source: Path, folder: Path) -> dict[str, float]:
    """The index, built as train.py builds it."""
    from knowledge_base import open_knowledge_base

    begun = time.perf_counter()
    opened = open_knowledge_base(source, folder)
    seconds = time.perf_counter() - begun
    return {
        "build_seconds": seconds,
        "build_bytes": peak(),
        "index_bytes": opened.path.stat().st_size,
        "names": opened.name_count,
    }


def open_(source: Path, folder: Path) -> dict[str, float]:
    """The index that is there, opened as train.py opens it (which reads the whole source for its fingerprint) and as
    predict.py does."""
    from knowledge_base import KnowledgeBase, open_knowledge_base

    begun = time.perf_counter()
    opened = open_knowledge_base(source, folder)
    seconds, memory = time.perf_counter() - begun, peak()
    begun = time.perf_counter()
    KnowledgeBase(opened.path)
    return {"open_seconds": seconds, "open_bytes": memory, "open_index_seconds": time.perf_counter() - begun}


def candidates(source: Path, folder: Path) -> dict[str, float]:
    """All names in 1,000 texts, and the ids of all their candidates: the first time that they are asked for."""
    from knowledge_base import open_knowledge_base

    texts = json.loads(source.with_name("texts.json").read_text(encoding="utf-8"))
    opened = open_knowledge_base(source, folder)
    begun = time.perf_counter()
    found = [opened.candidates(match.name) for text in texts for match in opened.matches(text)]
    seconds = time.perf_counter() - begun
    return {
        "candidates_seconds": seconds,
        "candidates_bytes": peak(),
        "matches": len(found),
        "candidates": sum(map(len, found)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("generate", "build", "open", "candidates"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--entities", type=int, default=400_000)
    arguments = parser.parse_args()
    source = arguments.folder / "kb_data"
    if arguments.step == "generate":
        figures = generate(source, arguments.entities)
    else:
        figures = {"build": build, "open": open_, "candidates": candidates}[arguments.step](source, arguments.folder)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

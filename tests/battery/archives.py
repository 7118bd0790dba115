"""Hostile archives: bombs, damaged ones, other methods, many members, names that lead elsewhere. The bounds are scaled
down to a tenth of a megabyte, and the bombs with them."""

import gzip
import io
import struct
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from unittest import mock

from common import archives
from common.json_document import read_json_document, read_json_records
from common.submission import read_bytes, read_json_lines, read_lines
from common.tokenizers.word_vectors import read_word_vectors

import competition
from battery import Part, Tally
from battery.files import scored, submission_of
from battery.mutations import mutated_bytes
from contests import CONTESTS, Contest
from workshop import Workshop, make_data, sample_of

#: Bytes that anything may unpack to here.
LIMIT = 10**5

READERS: dict[str, Callable[[Path], object]] = {
    "read_bytes": read_bytes,
    "read_lines": lambda path: sum(1 for _ in read_lines(path, Counter())),
    "read_json_lines": lambda path: sum(1 for _ in read_json_lines(path, Counter())),
    "read_json_document": lambda path: read_json_document(path, (dict, list)),
    "read_json_records": lambda path: sum(1 for _ in read_json_records(path, Counter())),
    "read_word_vectors": lambda path: read_word_vectors(path, skipped=Counter()),
}


class Archives(Part):
    """An archive must be read or refused, and nothing may be unpacked without end."""

    memory = 2**28

    def __init__(self, folder: Path, workshop: Workshop, contests: list[Contest] = CONTESTS):
        self.folder = folder
        self.contents = {}
        for contest in contests:
            good = contest.read(sample_of(contest) / "train.json")[:3]
            data = make_data(contest, folder / contest.folder, good, good) / "dev.json"
            self.contents[contest.folder] = submission_of(contest, good, data.read_bytes())
        self.contests = contests

    def attempt(self, generator: Random, tally: Tally) -> None:
        contest = generator.choice(self.contests)
        suffix, content = hostile(self.contents[contest.folder], generator)
        path = self.folder / contest.folder / f"archive{suffix}"
        path.write_bytes(content)
        gold = path.with_name("dev.json")
        with (
            mock.patch.object(archives.open_bytes.__wrapped__, "__defaults__", (LIMIT,)),
            mock.patch.object(archives, "MAX_UNPACKED_BYTES", LIMIT),
        ):
            for what, read in READERS.items():
                found = tally.call(f"{what}, {suffix}", lambda read=read: read(path), path)
                if isinstance(found, bytes) and len(found) > max(LIMIT, path.stat().st_size):
                    tally.fault(f"{what}, {suffix}", f"unpacks {len(found):,} bytes")
            task = competition.load(contest.folder, "task")
            for script in ("train", "submission"):
                tally.call(
                    f"{contest.folder}, {script}, {suffix}",
                    lambda script=script: contest.reader(task, path, script),
                    path.parent,
                )
            tally.call(
                f"{contest.folder}, evaluate.py, {suffix}",
                lambda: scored(contest, gold, path, "--max-megabytes", 1),
                path,
            )
        path.unlink()


def hostile(good: bytes, generator: Random) -> tuple[str, bytes]:
    """The end of a name, and what is in the file."""
    content = good if generator.random() < 0.4 else much(good, generator)
    packed = generator.choice((_zip, _zip, _zip, _gz))(content, generator)
    if generator.random() < 0.4:
        packed = mutated_bytes(packed, generator)
    natural = ".zip" if packed.startswith(b"PK") else ".gz"
    return (natural if generator.random() < 0.8 else generator.choice((".zip", ".gz", ".ZIP", ".json", ""))), packed


def much(good: bytes, generator: Random) -> bytes:
    """About as many bytes as are allowed, a little less, or much more."""
    size = generator.choice((LIMIT // 2, LIMIT - 100, LIMIT, LIMIT + 1, 2 * LIMIT, 30 * LIMIT))
    begin, piece, end = generator.choice(
        (
            *((b"", b"\n", b""), (b"", b"{}\n", b""), (b"", b"null\n", b""), (b"", b"\0", b""), (b"", b"\t\n", b"")),
            *((b'{"text": "', b"a", b'"}'), (b"[", b"0,", b"0]"), (b"[", b"{},", b"{}]"), (b"{", b'"":0,', b'"":0}')),
            *(
                (b"", b"[", b""),
                (b"", b" ", b"{}"),
                (b"", b'"a":', b""),
                (good, good, b""),
                (b"", good[:200] + b"\n", b""),
            ),
            *((b"5000000 1\n", b"a 1\n", b""), (b"", b"1\ta\n", b""), (b"", "字".encode(), b"")),
        )
    )
    return begin + piece * ((size - len(begin) - len(end)) // len(piece)) + end


def _gz(content: bytes, generator: Random) -> bytes:
    packed = gzip.compress(content, mtime=0)
    kind = generator.randrange(7)
    if kind == 0:
        return packed + packed
    if kind == 1:
        return packed + generator.choice((b"\0" * 100, b"more", packed[:10]))
    if kind == 2:
        return packed[:-8] + struct.pack("<II", generator.getrandbits(32), generator.getrandbits(32))
    if kind == 3:
        return gzip.compress(packed, mtime=0)
    if kind == 4:
        held = io.BytesIO()
        with tarfile.open(fileobj=held, mode="w:gz") as archive:
            archive.addfile(tarfile.TarInfo("data.json"), None)
        return held.getvalue()
    return packed


_NAMES = (
    *(
        "data.json",
        "文件.json",
        "folder/data.json",
        "../data.json",
        "/etc/data.json",
        "C:\\data.json",
        "folder/",
        "",
        " ",
    ),
    *(
        "a\x1b[31m.json",
        "a\n.json",
        "字" * 1000,
        "x" * 65_000,
        ".json",
        "a\u202e.json",
        "\ud83d.json",
        "data.json\0.exe",
    ),
)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
#: In the header of a member: where flags, method, checksum, sizes and length of the name are, and how many bytes.
_LOCAL = ((6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2))
_CENTRAL = ((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (38, 4), (42, 4))


def _zip(content: bytes, generator: Random) -> bytes:
    held = io.BytesIO()
    names = [generator.choice(_NAMES) if generator.random() < 0.3 else "data.json"]
    names *= generator.choice((1, 1, 1, 1, 1, 0, 2, 300))
    with zipfile.ZipFile(held, "w", allowZip64=True) as archive:
        for number, name in enumerate(names):
            member = zipfile.ZipInfo(name.encode("utf-8", "replace").decode() if number == 0 else f"{number}")
            member.compress_type = generator.choice(_METHODS)
            member.external_attr = generator.choice((0o644, 0o644, 0o120777, 0o40755)) << 16
            archive.writestr(member, content if number == 0 else b"{}\n")
    packed = bytearray(held.getvalue())
    if names and generator.random() < 0.4:
        _change_header(packed, generator)
    return bytes(packed)


def _change_header(packed: bytearray, generator: Random) -> None:
    """One field of a header says something else."""
    begin, fields = generator.choice(((0, _LOCAL), (packed.rfind(b"PK\x01\x02"), _CENTRAL)))
    offset, size = generator.choice(fields)
    value = generator.choice((0, 1, 9, 10**6, 2**31 - 1, 2**32 - 1, generator.getrandbits(32))) % 256**size
    packed[begin + offset : begin + offset + size] = value.to_bytes(size, "little")

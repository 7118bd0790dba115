"""Archives as organisers make them come out whole; as attackers make them, one line and nothing on the disk."""

import bz2
import gzip
import io
import lzma
import os
import resource
import stat
import struct
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.command_line import UserError
from common.downloads.unpacking import Limits, safe_parts, unpack

from helpers import refused

FILES = {"train.json": b'{"text": "\xe6\x97\xa5"}\n' * 50, "deep/er/dev.json": b"[]", "empty": b""}


def zip_of(path, files, **attributes):
    """files: contents by name, or a ZipInfo in the place of a name."""
    with zipfile.ZipFile(path, "w", **attributes) as archive:
        for name, data in files if isinstance(files, list) else files.items():
            archive.writestr(name, data)
    return path


def tar_of(path, members, mode="w"):
    """members: contents by name, or TarInfos with the content of each."""
    with tarfile.open(path, mode) as archive:
        for member, data in members if isinstance(members, list) else members.items():
            if isinstance(member, str):
                member = tarfile.TarInfo(member)
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def tar_info(name, size=0, **values):
    info = tarfile.TarInfo(name)
    info.size = size
    for key, value in values.items():
        setattr(info, key, value)
    return info


def zip_info(name, mode=0, **values):
    info = zipfile.ZipInfo(name)
    info.filename = info.orig_filename = name  # as it is written, NUL and backslashes included
    info.external_attr = mode << 16
    for key, value in values.items():
        setattr(info, key, value)
    return info


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused_archive(tmp_path, archive, *words, limits=Limits()):
    """Unpacking it ends with one line, and nothing is left anywhere."""
    before = sorted(tmp_path.rglob("*"))
    refused(lambda: unpack(archive, tmp_path / "a" / "out", limits), archive, *words)
    (tmp_path / "a").rmdir()
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("mode", ["zip", "w:", "w:gz", "w:bz2", "w:xz"])
def test_honest_archives_come_out_whole(tmp_path, mode):
    path = tmp_path / "archive"  # its name says nothing
    _ = zip_of(path, FILES, compression=zipfile.ZIP_DEFLATED) if mode == "zip" else tar_of(path, FILES, mode)
    folder = tmp_path / "new" / "out"
    assert unpack(path, folder) == sorted(FILES) and contents(folder) == FILES
    assert os.listdir(folder.parent) == ["out"]
    refused(lambda: unpack(path, folder), folder, "is there already")


def test_what_holds_one_folder_becomes_that_folder(tmp_path):
    unpack(tar_of(tmp_path / "a", [(tar_info("top", type=tarfile.DIRTYPE), b""), ("top/x", b"1")]), tmp_path / "out")
    assert contents(tmp_path / "out") == {"x": b"1"}
    unpack(zip_of(tmp_path / "b", [("top/", b""), ("top/x", b"1"), ("top/y/", b"")]), tmp_path / "two")
    macos = [("top/x", b"1"), ("__MACOSX/", b""), ("__MACOSX/top/._x", b"2")]
    assert unpack(zip_of(tmp_path / "c", macos), tmp_path / "three") == ["x"]
    assert contents(tmp_path / "two") == {"x": b"1"} and (tmp_path / "two/y").is_dir()
    assert stat.S_IMODE((tmp_path / "two").stat().st_mode) == 0o777 & ~os.umask(os.umask(0o022))


def test_modes_of_the_archive_do_not_count(tmp_path):
    tar = tar_of(tmp_path / "t", [(tar_info("x", 1, mode=0o6777), b"1"), (tar_info("y", 1, mode=0), b"1")])
    packed = zip_of(tmp_path / "z", [(zip_info("x", stat.S_IFREG | 0o6777), b"1"), (zip_info("y", stat.S_IFREG), b"1")])
    (tmp_path / "plain").touch()
    for number, archive in enumerate((tar, packed)):
        unpack(archive, tmp_path / f"out{number}")
        modes = {path.stat().st_mode for path in (tmp_path / f"out{number}").iterdir()}
        assert modes == {(tmp_path / "plain").stat().st_mode}


def test_names_of_windows_in_chinese(tmp_path):
    names = {"A" * 12: "训练\\甲.json".encode("gbk"), "B" * 15: "训练/乙.json".encode()}
    raw = zip_of(tmp_path / "z", dict.fromkeys([*names, "c/丙.json"], b"1")).read_bytes()
    for place, name in names.items():
        assert len(place) == len(name)
        raw = raw.replace(place.encode(), name)
    (tmp_path / "z").write_bytes(raw)
    assert unpack(tmp_path / "z", tmp_path / "out") == ["c/丙.json", "训练/乙.json", "训练/甲.json"]
    raw = tar_of(tmp_path / "t", {"AAAA.json": b"1"}).read_bytes()
    info = tar_info("训练.json".encode("gbk").decode("utf-8", "surrogateescape"), 1)
    raw = info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape") + raw[512:]
    (tmp_path / "t").write_bytes(raw)
    assert unpack(tmp_path / "t", tmp_path / "out2") == ["训练.json"]


OUTSIDE = ["/etc/x", "../x", "a/../../x", "a/..", "..\\x", "C:\\x", "c:x", "\\\\server\\x", "a\x01b", "", ".", "a" * 300, "a/" * 20 + "x"]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_elsewhere(tmp_path, name):
    for archive in (
        zip_of(tmp_path / "z", [("fine", b"1"), (zip_info(name), b"2")]),
        tar_of(tmp_path / "t", [("fine", b"1"), (tar_info(name, 1), b"2")]),
    ):
        refused_archive(tmp_path, archive, "do not trust")


def test_a_name_that_ends_early_in_c(tmp_path):
    path = zip_of(tmp_path / "z", [("fine.json", b"1"), ("evil.json", b"2")])
    path.write_bytes(path.read_bytes().replace(b"evil.json", b"evil\0json"))
    refused_archive(tmp_path, path, "do not trust")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, b"Z"])  # fmt: skip
def test_links_and_devices_in_a_tar(tmp_path, kind):
    member = tar_info("x", type=kind, linkname="../../etc")
    archive = tar_of(tmp_path / "t", [("fine", b"1"), (member, b""), ("x/passwd", b"2")])
    refused_archive(tmp_path, archive, "a link or a device")


def test_sparse_files_in_a_tar(tmp_path):
    path = tmp_path / "t"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tar_info("x", 4)
        info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.size": str(2**40), "GNU.sparse.map": "0,4"}
        archive.addfile(info, io.BytesIO(b"1234"))
    refused_archive(tmp_path, path, "a link or a device")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip(tmp_path, kind):
    archive = zip_of(tmp_path / "z", [("fine", b"1"), (zip_info("x", kind | 0o777), b"../../etc")])
    refused_archive(tmp_path, archive, "a link or a device")


@pytest.mark.parametrize("names", [["x", "x"], ["x", "X"], ["x", "x/y"], ["x/y", "x"], ["é", "e\u0301"], ["a", "./a"], ["a\\b", "a/b"]])  # fmt: skip
def test_names_that_stand_twice(tmp_path, names):
    with pytest.warns(UserWarning) if names[0] == names[1] else pytest.MonkeyPatch.context():
        packed = zip_of(tmp_path / "z", [(zip_info(name), b"1") for name in names])
    for archive in (packed, tar_of(tmp_path / "t", [(tar_info(name, 1), b"1") for name in names])):
        refused_archive(tmp_path, archive, "stands twice")


ZEROS = bytes(30_000_000)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_bombs(tmp_path, pack):
    tar = tar_of(tmp_path / "plain", {"x": ZEROS}).read_bytes()
    (tmp_path / "plain").unlink()
    (tmp_path / "t").write_bytes(pack(tar))
    refused_archive(tmp_path, tmp_path / "t", "unpacks to more than")
    zipped = zip_of(tmp_path / "z", {"x": ZEROS}, compression=zipfile.ZIP_DEFLATED)
    refused_archive(tmp_path, zipped, "unpacks to more than")
    many = Limits(ratio=10**9, most_bytes=10**7)
    refused_archive(tmp_path, zipped, "unpacks to more than 10 MB", limits=many)
    refused_archive(tmp_path, tmp_path / "t", "unpacks to more than 10 MB", limits=many)


def test_a_tar_that_says_much_or_goes_on_behind_its_end(tmp_path):
    (tmp_path / "t").write_bytes(tar_info("x", 10**12).tobuf() + bytes(10_000))
    refused_archive(tmp_path, tmp_path / "t", "unpacks to more than")
    tar = tar_of(tmp_path / "plain", {"x": b"1"}).read_bytes()
    (tmp_path / "plain").unlink()
    (tmp_path / "t").write_bytes(gzip.compress(tar + ZEROS, 1))
    refused_archive(tmp_path, tmp_path / "t", "unpacks to more than")


def test_a_zip_that_says_more_than_it_holds(tmp_path):
    path = zip_of(tmp_path / "z", {"x": b"a" * 1000}, compression=zipfile.ZIP_DEFLATED)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 1000), struct.pack("<I", 2000)))
    refused_archive(tmp_path, path, "x is shorter than the archive says")


def test_a_zip_that_says_little_and_holds_much(tmp_path):
    path = zip_of(tmp_path / "z", {"x": ZEROS}, compression=zipfile.ZIP_DEFLATED)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", len(ZEROS)), struct.pack("<I", 100)))
    refused_archive(tmp_path, path)


def test_a_header_of_gigabytes_is_not_read_into_the_memory(tmp_path):
    header = tar_info("x", 2**33, type=tarfile.XHDTYPE).tobuf(tarfile.GNU_FORMAT)
    with gzip.open(tmp_path / "t", "wb", compresslevel=1) as file:
        file.write(header)
        for _ in range(60):
            file.write(bytes(2**20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused_archive(tmp_path, tmp_path / "t", "a header of more than a megabyte", limits=Limits(ratio=10**9))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000


def test_thousands_of_members(tmp_path):
    names = [(f"{number}/", b"") for number in range(101)]
    zipped = zip_of(tmp_path / "z", names)
    tar = tar_of(tmp_path / "t", [(tar_info(name, type=tarfile.DIRTYPE), b"") for name, _ in names])
    for archive in (zipped, tar):
        refused_archive(tmp_path, archive, "more than 100 files", limits=Limits(members=100))


def test_what_is_damaged_or_no_archive(tmp_path):
    whole = {name: (tmp_path / name) for name in ("zip", "tar", "gz")}
    zip_of(whole["zip"], FILES)
    tar_of(whole["tar"], FILES)
    tar_of(whole["gz"], FILES, "w:gz")
    for path in whole.values():
        data = path.read_bytes()
        # The members of a tar end after 3,072 bytes; whole blocks of zeros follow.
        for end in (600, 1536, 2560, 3072) if path.name == "tar" else (len(data) // 2, len(data) - 9):
            path.write_bytes(data[:end])
            refused_archive(tmp_path, path, "download it again")
    data = gzip.compress(b"no tar")
    for content in (b"", b"<html>", b"PK", data, data[:-3]):
        (tmp_path / "x").write_bytes(content)
        refused_archive(tmp_path, tmp_path / "x")
    refused_archive(tmp_path, tar_of(tmp_path / "x", [(tar_info("only", type=tarfile.DIRTYPE), b"")]), "holds no file")


def test_a_checksum_at_the_end_counts(tmp_path):
    data = bytearray(tar_of(tmp_path / "t", FILES, "w:gz").read_bytes())
    data[-6] ^= 1
    (tmp_path / "t").write_bytes(data)
    refused_archive(tmp_path, tmp_path / "t", "download it again")


def test_a_password(tmp_path):
    path = zip_of(tmp_path / "z", {"x": b"1"})
    data = bytearray(path.read_bytes())
    for magic, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(magic) + place] |= 1
    path.write_bytes(data)
    refused_archive(tmp_path, path, "needs a password")


@given(st.text(alphabet="ab./\\:C\0é", max_size=12))
def test_a_safe_name_stays_below_its_folder(name):
    parts = safe_parts(name)
    if parts is not None:
        path = os.path.normpath(os.path.join("/srv/out", *parts))
        assert path == "/srv/out" or path.startswith("/srv/out/")
        assert "\0" not in path


@settings(max_examples=60)
@given(st.data())
def test_mutated_archives_are_unpacked_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("mutated")
    kind = data.draw(st.sampled_from(["zip", "w:", "w:gz", "w:xz"]))
    path = zip_of(folder / "a", FILES) if kind == "zip" else tar_of(folder / "a", FILES, kind)
    mutated = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(mutated)
    try:
        unpack(path, folder / "out")
    except UserError:
        assert os.listdir(folder) == ["a"]

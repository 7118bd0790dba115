"""The flags of download.py."""

import re
from dataclasses import dataclass
from pathlib import Path

from common.command_line import UserError, check_at_least


@dataclass
class Config:
    """Download weights of a checkpoint or data of a contest: resumed where it broke off, checked, whole or not at all."""

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
    """Server in place of the one in the known addresses, such as https://hf-mirror.com for checkpoints."""
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

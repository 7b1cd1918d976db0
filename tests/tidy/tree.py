"""The files a check looks at: everything git knows or would add, by path relative to the root."""

import pathlib
import subprocess
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class SourceFile:
    """A text file of the project."""

    path: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """Without line ends."""
        return self.text.splitlines()

    @property
    def is_cpp(self) -> bool:
        """C++ source or header."""
        return self.path.endswith((".cc", ".h"))


def project_files(root: pathlib.Path) -> list[SourceFile]:
    """Text files under version control, or new and not ignored; deleted ones are left out."""
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={root}", "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True).stdout
    found = []
    for path in sorted(set(filter(None, listing.split("\0")))):
        try:
            found.append(SourceFile(path, (root / path).read_text()))
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # binary, deleted, or a link to a folder
    return found

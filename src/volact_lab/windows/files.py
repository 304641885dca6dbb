"""The file system: paths that do not care about case, owners and DACLs.

Like the registry, a shared image of the release with the server's own changes
over it.  System programs are *opaque*: they exist, have owners and DACLs and
can be run, but have no content that could be read.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from volact_lab import codes
from volact_lab.errors import LabError, win32
from volact_lab.windows import acl
from volact_lab.windows.acl import Acl

SYSTEM_FILE_ACL = acl.parse(
    f"D:PAI(A;;FA;;;{acl.TRUSTED_INSTALLER})(A;;0x1200a9;;;BA)(A;;0x1200a9;;;SY)(A;;0x1200a9;;;BU)"
)
USER_ACL = acl.parse("D:(A;;FA;;;SY)(A;;FA;;;BA)")
_FORBIDDEN = frozenset('<>"|?*')


@dataclass(frozen=True, slots=True)
class Node:
    """A file or folder.  ``data`` is None for folders and opaque programs."""

    path: str
    folder: bool = False
    data: bytes | None = None
    dacl: Acl = USER_ACL
    owner: str = acl.ADMINISTRATORS
    modified: float = field(default_factory=time.time)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("\\")[2]


Image = dict[str, Node]


@lru_cache(maxsize=4096)
def normal(path: str, cwd: str = "C:\\") -> str:
    """An absolute path with backslashes and without dots.  WinFault for a bad name."""
    path = path.replace("/", "\\")
    if len(path) < 2 or path[1] != ":":
        path = (cwd[:2] + path) if path.startswith("\\") else f"{cwd}\\{path}"
    drive, rest = path[:2].upper(), path[2:]
    if _FORBIDDEN & set(rest) or ":" in rest:
        raise win32(codes.INVALID_NAME, path)
    parts: list[str] = []
    for part in rest.split("\\"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part.rstrip(". ") or part)
    return f"{drive}\\" + "\\".join(parts)


def parent(path: str) -> str:
    """The folder above a normal path."""
    head = path.rpartition("\\")[0]
    return head if len(head) > 2 else f"{head}\\"


def add(image: Image, node: Node) -> None:
    """Put a node into an image, with the folders above it."""
    above = parent(node.path)
    if above.lower() not in image and len(node.path) > 3:
        add(image, Node(above, folder=True, dacl=node.dacl, owner=node.owner))
    image[node.path.lower()] = node


class Files:
    """A server's files.  ``token`` is who acts; the default is an administrator."""

    def __init__(self, base: Mapping[str, Node]) -> None:
        self._base = base
        self._own: dict[str, Node | None] = {}

    def find(self, path: str) -> Node | None:
        """The node at a normal path, or None."""
        lower = path.lower()
        return self._own[lower] if lower in self._own else self._base.get(lower)

    def is_file(self, path: str) -> bool:
        """Whether a file is there."""
        node = self.find(path)
        return node is not None and not node.folder

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        node = self.find(path)
        return node is not None and node.folder

    def stat(self, path: str) -> Node:
        """The node at a path; WinFault shows whether the file or its folder is missing."""
        node = self.find(path)
        if node is None:
            there = self.is_folder(parent(path))
            raise win32(codes.FILE_NOT_FOUND if there else codes.PATH_NOT_FOUND, path)
        return node

    def read(self, path: str) -> bytes:
        """The content of a file."""
        node = self.stat(path)
        if node.folder:
            raise win32(codes.ACCESS_DENIED, path)
        if node.data is None:
            raise LabError(f"the content of {path} is not modelled")
        return node.data

    def write(self, path: str, data: bytes, token: Collection[str] = acl.ADMIN_TOKEN) -> None:
        """Create or overwrite a file."""
        node = self.find(path)
        if node is None:
            if not self.is_folder(parent(path)):
                raise win32(codes.PATH_NOT_FOUND, path)
            node = Node(path, dacl=self.stat(parent(path)).dacl)
        elif node.folder or not node.dacl.allows(token, acl.WRITE):
            raise win32(codes.ACCESS_DENIED, path)
        self._own[path.lower()] = replace(node, data=data, modified=time.time())

    def make_folder(self, path: str) -> None:
        """Create one folder."""
        if self.find(path) is not None:
            raise win32(codes.ALREADY_EXISTS, path)
        if not self.is_folder(parent(path)):
            raise win32(codes.PATH_NOT_FOUND, path)
        self._own[path.lower()] = Node(path, folder=True)

    def delete(self, path: str, token: Collection[str] = acl.ADMIN_TOKEN) -> None:
        """Remove a file or an empty folder."""
        node = self.stat(path)
        if node.folder and next(self.children(path), None):
            raise win32(codes.DIR_NOT_EMPTY, path)
        if not node.dacl.allows(token, acl.DELETE):
            raise win32(codes.ACCESS_DENIED, path)
        self._own[path.lower()] = None

    def rename(self, old: str, new: str) -> None:
        """Move a file to a name that is free."""
        node = self.stat(old)
        if node.folder:
            raise LabError(f"renaming folders is not modelled: {old}")
        if self.find(new) is not None:
            raise win32(codes.ALREADY_EXISTS, new)
        if not self.is_folder(parent(new)):
            raise win32(codes.PATH_NOT_FOUND, new)
        self._own[new.lower()] = replace(node, path=new)
        self._own[old.lower()] = None

    def children(self, path: str) -> Iterator[Node]:
        """What is directly inside a folder."""
        start = path.lower().rstrip("\\") + "\\"
        own = [node for node in self._own.values() if node]
        rest = [node for lower, node in self._base.items() if lower not in self._own]
        for node in (*own, *rest):
            lower = node.path.lower()
            below = lower[len(start) :] if lower.startswith(start) else ""
            if below and "\\" not in below:
                yield node

    def change(self, path: str, *, dacl: Acl | None = None, owner: str | None = None) -> None:
        """Replace a node's DACL or owner, for any caller."""
        node = self.stat(path)
        self._own[path.lower()] = replace(node, dacl=dacl or node.dacl, owner=owner or node.owner)

    def may_change_dacl(self, path: str, token: Collection[str]) -> bool:
        """Whether the token may write the DACL: by an entry, or as the owner."""
        node = self.stat(path)
        return node.owner in token or node.dacl.allows(token, acl.WRITE_DAC)

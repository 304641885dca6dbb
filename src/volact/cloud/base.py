"""The seam between volact and a cloud: what a cloud declares, and what it can be asked.

A cloud is one folder beside this file.  Its ``declaration`` module holds
``CLOUD``, a ``Cloud``, and imports no SDK; the module that ``Cloud.module``
names fulfils ``CloudModule`` and is imported when the first call is due.
No limit, address form or wording of a single cloud is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from volact.errors import ErrorKind, InputError, TransportError
from volact.model.profile import Image
from volact.model.server import AccountSettings
from volact.model.text import Text, say

# Whether a failed call may fare better in a moment.  "throttled": nothing was
# begun; "unsure": it may have begun, so only a repeatable call is made again.
Again = Literal["never", "throttled", "unsure"]


class ApiError(TransportError):
    """A call of a cloud's API that failed.

    Args:
        kind: the contract's error kind.
        message: what happened, with the API's own words.
        hint: what to do about it.
        code: the API's own code, or the SDK's.
        again: whether the same call may fare better in a moment.
        about_one: whether one instance of many may have failed the call, so
            that a call for fewer of them may succeed.
    """

    def __init__(  # noqa: PLR0913  (an error carries fields)
        self,
        kind: ErrorKind,
        message: str,
        hint: str = "",
        *,
        code: str,
        again: Again = "never",
        about_one: bool = False,
    ) -> None:
        super().__init__(
            kind, message, hint, passing="refused" if again == "throttled" else "never"
        )
        self.code = code
        self.again: Again = again
        self.about_one = about_one
        self.may_have_begun = again == "unsure"  # also when a try before may have
        self.after_s = 0.0  # how long the API asks to wait before the next call


# What a cloud declares


class PollInterval(msgspec.Struct, frozen=True):
    """The pauses between two polls of an invocation: the first, how they grow, the longest."""

    first_s: float = 0.5
    growth: float = 1.5
    longest_s: float = 4.0


class Timing(msgspec.Struct, frozen=True):
    """How long equal scripts are gathered, and when results are polled."""

    window_s: float = 0.2
    poll: PollInterval = PollInterval()


class CommandLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a cloud's run-command takes in one call.

    Example: a run-command for one machine at a time has ``start_batch=1``,
    ``invocations_per_poll=1`` and, where its tasks have no ids of their own,
    ``tasks_per_poll=0``.
    """

    service: str  # its name, for messages
    start_batch: int  # instances of one call that starts a script
    readiness_batch: int  # instances of one question whether they can be reached
    cancel_batch: int  # instances of one cancellation
    invocations_per_poll: int  # invocations of one call that lists their tasks
    tasks_per_poll: int = 0  # tasks of one call that asks by their ids; 0: there is none
    script_bytes: int  # the longest script, as it travels
    script_in_base64: bool = False  # whether it travels in Base64
    output_bytes: int  # what is kept of a task's output
    longest_s: int  # the longest time that a script may be given
    timing: Timing = Timing()

    def script_size(self, script: bytes) -> int:
        """The bytes of a script as it travels."""
        return -(-len(script) // 3) * 4 if self.script_in_base64 else len(script)


class AccountOption(msgspec.Struct, frozen=True, kw_only=True):
    """A setting of an account: an option of the command line and a key of inventories.

    Example: ``name="profile"`` of the cloud ``acme`` is the option
    ``--acme-profile``, the key ``acme-profile`` and the field ``profile`` of
    the cloud's ``AccountSettings``.
    """

    name: str
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    is_path: bool = False  # relative to the inventory that names it
    check: Callable[[str], None] | None = None  # ``InputError`` for a text that cannot be meant


def file_option(name: str, help: str) -> AccountOption:
    """A setting that names a file."""
    return AccountOption(name=name, help=help, metavar="FILE", is_path=True)


class ListingSyntax(msgspec.Struct, frozen=True, kw_only=True):
    """How ``--from CLOUD:SCOPE,SCOPE`` and ``--from-filter`` are written."""

    scope: str  # what a scope is called: "region"
    pattern: str  # of one scope
    example: str  # one scope
    filters: tuple[str, ...] = ()  # names of filters
    filter_pattern: str = r"(?!)"  # further names of filters
    filter_pattern_shown: str = ""  # that pattern for people: "tag:KEY"
    filter_example: str = ""
    filter_values: int = 1  # values of one filter
    filters_at_once: int = 1


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """What a cloud's folder declares; everything generic is worked out from it."""

    name: str  # that of its profile, and the word of ``--from``
    title: str
    extra: str  # ``pip install 'volact[extra]'`` brings its SDK
    module: str  # fulfils ``CloudModule``
    scheme: str  # of an address that is reached by run-command
    place: str  # pattern of what follows ``scheme://``: a scope, a slash, an instance
    place_shown: str  # "a region and an instance"
    place_example: str  # "ap-jakarta/ins-xxxxxxxx"
    variables: str  # how the names of the variables begin that its SDK reads
    settings: type[AccountSettings] = AccountSettings
    unproven: str  # what no real account has confirmed, in sentences; "": nothing
    options: tuple[AccountOption, ...] = ()
    listing: ListingSyntax | None = None

    def key(self, option: AccountOption) -> str:
        """The key of an inventory, and with two dashes the option, of a setting."""
        return f"{self.name}-{option.name}"

    def settings_of(self, account: AccountSettings) -> AccountSettings:
        """The settings of an account; those of another cloud say nothing of this one."""
        return account if isinstance(account, self.settings) else self.settings()

    def missing_sdk(self) -> InputError:
        """The error where the cloud's SDK is not installed."""
        return InputError(
            say("{title}'s SDK is not installed", title=self.title),
            f"pip install 'volact[{self.extra}]'",
        )


# What a cloud can be asked


class TaskOutput(msgspec.Struct, frozen=True):
    """What a script wrote on one instance.

    ``dropped`` are bytes that the cloud has not kept, -1 where it does not say how many.
    """

    stdout: bytes
    stderr: bytes = b""
    exit_status: int | None = None
    dropped: int = 0


class TaskState(msgspec.Struct, frozen=True, kw_only=True):
    """Where a script stands on one instance of an invocation.

    ``result`` is ``None`` until nothing more will happen.
    """

    invocation: str
    instance: str
    id: str = ""  # the cloud's own id of the task, where there is one
    status: str  # in the cloud's own words
    result: TaskOutput | TransportError | None = None


class RunCommand(Protocol):
    """Runs one script on many instances of one scope (a region, a resource group).

    Every method is one call of the API, or few; batches are never larger than
    ``limits`` says.  Each raises ``ApiError``; with ``about_one`` the caller
    makes the call again for each half of the instances.

    Example::

        id = await command.start(["i-1", "i-2"], b"@echo off\\r\\n...", name="x", timeout_s=60)
        for task in await command.tasks_of({id: ["i-1", "i-2"]}):
            print(task.instance, task.status, task.result)
    """

    @property
    def limits(self) -> CommandLimits:
        """What one call takes."""

    def group(self, _instance: str) -> str:
        """A word that instances have in common which may share a call; here all may."""
        return ""

    async def readiness(self, instances: Sequence[str]) -> Mapping[str, TransportError | None]:
        """Whether a script can be started on instances of one group.

        Returns:
            For each instance why it cannot be reached, or ``None``.
        """

    async def start(
        self, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
    ) -> str:
        """Start a ``.bat`` on all instances, or on none and raise.

        Args:
            instances: of one group, each once.
            script: the file's bytes, within ``limits.script_bytes``.
            name: how the cloud's own console shows it.
            timeout_s: when the cloud is to end it.

        Returns:
            The id of the invocation.
        """

    async def tasks_of(self, open_tasks: Mapping[str, Sequence[str]]) -> Sequence[TaskState]:
        """The tasks of a few invocations.

        Args:
            open_tasks: by invocation the instances that are still awaited;
                others may be among the result and are passed over.
        """

    async def tasks(self, _ids: Sequence[str]) -> Sequence[TaskState]:
        """Tasks by their ids; never called where ``limits.tasks_per_poll`` is 0."""
        return ()

    async def cancel(self, invocation: str, instances: Sequence[str]) -> None:
        """End a script on some instances.  Cancelling what has ended does no harm."""


class ListedInstance(msgspec.Struct, frozen=True, kw_only=True):
    """One instance of a list: a server, or something that is passed over."""

    id: str  # within its scope
    name: str = ""
    place: str  # as in the cloud's addresses: scope, slash, instance
    is_windows: bool
    exists: bool = True  # False while it is being made or removed
    private_address: str = ""
    image: str = ""
    license: str = ""
    tags: tuple[str, ...] = ()


class ServerList(msgspec.Struct, frozen=True):
    """What one scope has: every instance, and the images that are known of.

    ``unread`` are sentences on what else of them could not be read, such as addresses.
    """

    instances: tuple[ListedInstance, ...]
    images: Mapping[str, Image]
    unread: tuple[Text, ...] = ()


class ListServers(Protocol):
    """Lists the instances of one scope."""

    async def list_servers(self, filters: Mapping[str, Sequence[str]]) -> ServerList:
        """Every instance that the filters let through, of all pages.

        Args:
            filters: values by name, as ``ListingSyntax`` lets them be written.

        Raises:
            ApiError: the list is not complete.
        """


class Account(Protocol):
    """An account whose keys were found; it lives as long as a run."""

    def run_command(self, scope: str) -> RunCommand:
        """The run-command of one scope."""

    def list_servers(self, scope: str) -> ListServers:
        """The list of one scope."""


class CloudModule(Protocol):
    """What the module that ``Cloud.module`` names has; importing it may import the SDK."""

    def check_account(self, settings: AccountSettings) -> None:
        """``InputError`` for what is known to be wrong before any call."""

    async def open_account(self, settings: AccountSettings) -> Account:
        """Find the keys of an account; ``InputError`` says where they were sought."""

"""What a WinRM service answers when it cannot: its codes, subcodes and words.

Codes and words that clients have recorded from real servers; a comment marks
where one is only inferred.
"""

from __future__ import annotations

from dataclasses import dataclass

_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"


@dataclass
class Fault(Exception):  # noqa: N818  # SOAP's own word
    """A SOAP fault as Windows writes it."""

    code: int
    subcode: str
    text: str
    detail: str = ""

    @property
    def detail_uri(self) -> str:
        """The fault detail as a name, ``""`` for none."""
        return f"{_DETAIL}{self.detail}" if self.detail else ""


def timed_out() -> Fault:
    """No output within OperationTimeout: a client asks again."""
    text = (
        "The WS-Management service cannot complete the operation within the time specified "
        "in OperationTimeout. "
    )
    return Fault(0x80338029, "w:TimedOut", text)


def plugin_timed_out() -> Fault:
    """Time-out of the shell's own plug-in for input, which it may have taken in all the same."""
    text = "This operation returned because the timeout period expired. "
    return Fault(1460, "w:InternalError", text)


def no_shell(shell_id: str) -> Fault:
    """The shell is not there, or no longer."""
    text = (
        f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the "
        "shell was not found on the server. Possible causes are: the specified ShellId is "
        "incorrect or the shell no longer exists on the server. Provide the correct ShellId "
        "or create a new shell and retry the operation. "
    )
    return Fault(0x8033805B, "w:InvalidSelectors", text, "UnexpectedSelectors")


def no_command() -> Fault:
    """The command is not there, or no longer."""
    text = (
        "The Windows Remote Shell received a request to perform an operation on a command "
        "identifier that does not exist. Either the command has completed execution or the "
        "client specified an invalid command identifier. "
    )
    return Fault(0x8033805B, "w:InvalidSelectors", text, "UnexpectedSelectors")


def too_many_shells(limit: int, *, old: bool) -> Fault:
    """One more shell than the user may have; ``old`` is WinRM 2.0."""
    if old:
        text = (
            "The WS-Management service cannot process the request. This user is allowed a "
            f"maximum number of {limit} concurrent shells, which has been exceeded. Close "
            "existing shells or raise the quota for this user. "
        )
        return Fault(0x803381A5, "w:QuotaLimit", text)
    text = (
        "The WS-Management service cannot process the request. The maximum number of "
        "concurrent shells for this user has been exceeded. Close existing shells or raise "
        "the quota for this user. "
    )
    return Fault(0x803381E4, "w:QuotaLimit", text)


def too_many_commands() -> Fault:
    """One more command than a shell may have.  Inferred for WinRM 2.0."""
    text = (
        "The WS-Management service cannot process the request. The maximum number of "
        "concurrent commands per shell has been exceeded. Retry the request later or raise "
        "the Maximum Commands per Shell quota. "
    )
    return Fault(0x803381E9, "w:QuotaLimit", text)


def envelope_too_large(limit_kb: int) -> Fault:
    """A request beyond MaxEnvelopeSizekb.  The words are inferred."""
    text = f"The request is larger than the maximum envelope size of {limit_kb} KB. "
    return Fault(0x80338049, "w:EncodingLimit", text, "ServiceEnvelopeLimit")


def access_denied() -> Fault:
    """The account is no administrator here, or came with a filtered token."""
    return Fault(5, "w:AccessDenied", "Access is denied. ")


def aborted() -> Fault:
    """The command was ended while a request waited for its output."""
    text = (
        "The I/O operation has been aborted because of either a thread exit or an "
        "application request. "
    )
    return Fault(995, "w:InternalError", text)


def not_xml() -> Fault:
    """The body is not what it should be."""
    text = "The SOAP XML in the message does not match the corresponding XML schema definition. "
    return Fault(0x80338041, "w:SchemaValidationError", text)


def no_such_action(action: str) -> Fault:
    """An action that is not one of this resource's."""
    text = f"The action is not supported by the service: {action}. "
    return Fault(0x80338001, "a:ActionNotSupported", text)

"""Faults of the system around licensing: services, files, policy, script host, image."""

from __future__ import annotations

from volact.model.report import Verdict
from volact_lab.faults.base import SINCE_2012, Fault, always
from volact_lab.faults.states import notification
from volact_lab.windows import acl
from volact_lab.windows.image import (
    DAMAGED_POLICY_BYTES,
    PRODUCT_OPTIONS,
    VBSCRIPT,
    WSH,
    product_policy,
)
from volact_lab.windows.machine import Machine
from volact_lab.windows.registry import dword, sz
from volact_lab.windows.services import IFEO, KMS_PROGRAM
from volact_lab.windows.spec import Spec

IMPORTED_IMAGE = "img-labimported"
BYOL_IMAGE = "img-labbyol"


def _stop_licensing(machine: Machine) -> None:
    """Its process has ended: what depends on it runs on."""
    service = machine.services.get(machine.release.licensing_service)
    service.state, service.pid = "Stopped", 0


def _service_disabled(machine: Machine) -> None:
    notification(machine)
    _stop_licensing(machine)
    machine.services.configure(machine.release.licensing_service, "Disabled")


def _enabled_at_once(spec: Spec) -> Verdict:
    """Since 2012 only the system may enable sppsvc; an administrator's way takes a restart."""
    return "healthy" if spec.release.startswith("2008") or spec.by_cloud else "attention"


def _notifier_stopped(machine: Machine) -> None:
    machine.services.stop("sppuinotify")


def _execute_denied(machine: Machine) -> None:
    """As optimising tools do it: a denying entry, or no account left that may execute."""
    notification(machine)
    _stop_licensing(machine)
    node = machine.licensing_file()
    forms = (
        node.dacl.denying(acl.NETWORK_SERVICE, acl.READ_EXECUTE & ~0x100000),
        node.dacl.denying(acl.NETWORK_SERVICE, 0x1200A0),
        acl.parse(f"D:PAI(A;;FA;;;{acl.TRUSTED_INSTALLER})(A;;FR;;;BA)(A;;FR;;;SY)(A;;FR;;;BU)"),
    )
    form = machine.spec.variant("execute-denied", len(forms))
    machine.files.change(node.path, dacl=forms[form])


def _debugger(machine: Machine) -> None:
    notification(machine)
    _stop_licensing(machine)
    key = f"{IFEO}\\{machine.licensing_file().name}"
    machine.registry.set(key, "Debugger", sz("C:\\Windows\\System32\\systray.exe"))


def _kms_debugger(machine: Machine) -> None:
    """Left by a tool that is gone: the program that speaks KMS cannot start."""
    notification(machine)
    machine.registry.set(f"{IFEO}\\{KMS_PROGRAM}", "Debugger", sz("C:\\Windows\\nothing.exe"))


def _kms_library(machine: Machine) -> None:
    """A library is loaded into the program that speaks KMS: its answers may be forged."""
    key = f"{IFEO}\\{KMS_PROGRAM}"
    machine.registry.set(key, "GlobalFlag", dword(0x100))
    machine.registry.set(key, "VerifierDlls", sz("unknown.dll"))


def _image_findings(spec: Spec) -> tuple[str, ...]:
    own = spec.variant("image-imported")
    return ("license-byol",) if own else ("image-not-entitled",)


def _image(machine: Machine) -> None:
    notification(machine)
    own = machine.spec.variant("image-imported")
    machine.metadata["instance/image-id"] = BYOL_IMAGE if own else IMPORTED_IMAGE


def _policy_damaged(machine: Machine) -> None:
    if machine.spec.variant("product-policy"):
        notification(machine)
    machine.registry.set(PRODUCT_OPTIONS, "ProductPolicy", product_policy(DAMAGED_POLICY_BYTES))


def _script_host_off(machine: Machine) -> None:
    root, value = (
        ("HKLM", dword(0)),
        ("HKLM", sz("0")),
        ("HKCU", dword(0)),
    )[machine.spec.variant("wsh-disabled", 3)]
    machine.registry.set(f"{root}\\{WSH}", "Enabled", value)


# Those that every execution makes, then those before steps.
_CHECKS = ("error-number", "wmi-column", "safe-array", "bitness", "clock")
_STEP_CHECKS = ("exit-code", "registry-number", "acl-text", "closed-port")


def _odd(machine: Machine) -> None:
    machine.odd = _CHECKS[machine.spec.variant("self-check", len(_CHECKS))]


def _odd_for_steps(machine: Machine) -> None:
    notification(machine)
    machine.odd = _STEP_CHECKS[machine.spec.variant("self-check-of-steps", len(_STEP_CHECKS))]


def _call_blocked(machine: Machine) -> None:
    """WMI does not answer at all, or its provider of licensing does not."""
    forms = ("ConnectServer", "FROM SoftwareLicensingService", "FROM SoftwareLicensingProduct")
    machine.blocking = (forms[machine.spec.variant("call-blocked", len(forms))],)


def _activation_blocked(machine: Machine) -> None:
    notification(machine)
    machine.blocking = ("SoftwareLicensingProduct.Activate",)


def _no_vbscript(machine: Machine) -> None:
    """Not installed any more, unregistered, or slmgr.vbs alone taken away."""
    form = machine.spec.variant("vbscript-missing", 3)
    gone = {0: ("vbscript.dll", "slmgr.vbs"), 1: (), 2: ("slmgr.vbs",)}[form]
    for name in gone:
        machine.files.delete(f"C:\\Windows\\System32\\{name}", {acl.TRUSTED_INSTALLER})
    if form < 2:
        machine.registry.delete_key(VBSCRIPT)


FAULTS = (
    Fault("sppsvc-disabled", always("service-disabled"), _enabled_at_once, _service_disabled),
    Fault(
        "sppuinotify-stopped",
        always("spp-notification-stopped"),
        "healthy",
        _notifier_stopped,
        releases=("2008 R2",),
    ),
    Fault("execute-denied", always("licensing-binary-blocked"), "healthy", _execute_denied),
    Fault(
        "ifeo",
        always("licensing-binary-blocked"),
        "attention",
        _debugger,
        agreed=lambda _spec: "healthy",
    ),
    Fault(
        "kms-debugger",
        always("licensing-binary-blocked", "not-licensed"),
        "attention",
        _kms_debugger,
        releases=SINCE_2012,
        agreed=lambda _spec: "healthy",
    ),
    Fault(
        "kms-library",
        always("emulator-suspected"),
        "attention",
        _kms_library,
        releases=SINCE_2012,
    ),
    Fault("image-imported", _image_findings, "attention", _image, home_only=True),
    Fault("product-policy", always("product-policy-damaged"), "attention", _policy_damaged),
    Fault("self-check", always("agent-self-check-failed"), "attention", _odd),
    Fault("self-check-of-steps", always("not-licensed"), "failed", _odd_for_steps),
    Fault("call-blocked", always("call-blocked"), "attention", _call_blocked),
    Fault("activation-blocked", always("not-licensed"), "failed", _activation_blocked),
    Fault("vbscript-missing", always("vbscript-missing"), "healthy", _no_vbscript),
    Fault("wsh-disabled", always("wsh-disabled"), "attention", _script_host_off),
)

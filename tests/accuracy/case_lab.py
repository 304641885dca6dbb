"""Cases as simulated servers: the same release, edition, language, role and faults.

Only what the lab has can be tied to it: its releases, its languages, no
domain controllers, Tencent's profile and no consent.
"""

from __future__ import annotations

from case_file import BadCaseError, Case, label, load_cases

from volact_lab.faults import FAULTS
from volact_lab.hosts.manners import MANNERS
from volact_lab.windows.language import LANGUAGES
from volact_lab.windows.releases import RELEASES
from volact_lab.windows.spec import Spec

SEED = 7
_EDITIONS = {"Datacenter Evaluation": "Datacenter", "Standard Evaluation": "Standard"}


def lab_cases() -> dict[str, Case]:
    """Every case that is tied to the lab, by the name of its server there."""
    cases = [case for case in load_cases() if case.lab]
    return {f"case-{number:03d}": case for number, case in enumerate(cases, 1)}


def specs(cases: dict[str, Case]) -> tuple[Spec, ...]:
    """The servers of the lab for these cases."""
    return tuple(_spec(name, index, case) for index, (name, case) in enumerate(cases.items(), 1))


def _spec(name: str, index: int, case: Case) -> Spec:
    _check(case)
    return Spec(
        name=name,
        index=index,
        seed=SEED,
        release=case.release,
        language=case.language,
        edition=_EDITIONS.get(case.edition, case.edition),
        core=case.core,
        domain="corp.example" if case.role == "member" else "",
        faults=case.lab,
        # Every manner of a KMS host but HTTP, which is a finding of its own.
        forms=(*case.lab_forms.items(), ("kms-manner", index % MANNERS.index("http"))),
    )


def _check(case: Case) -> None:
    """Name the case that asks for what the lab does not have."""
    unknown = [fault for fault in case.lab if fault not in FAULTS]
    domain = any(FAULTS[fault].domain_member for fault in case.lab if fault in FAULTS)
    for wrong, what in (
        (bool(unknown), f"faults {', '.join(unknown)}"),
        (case.release not in RELEASES, f"release {case.release}"),
        (case.language not in LANGUAGES, f"language {case.language}"),
        (case.role == "controller", "domain controllers"),
        (domain != (case.role == "member"), f"role {case.role} with these faults"),
        (case.provider != "tencent", f"provider {case.provider}"),
    ):
        if wrong:
            raise BadCaseError(f"{label(case)}: the lab does not have {what}")

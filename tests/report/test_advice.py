"""What reports advise about judged servers: no repair that volact refuses, no bare consent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from report_samples import HOW
from servers import PUBLIC_IMAGE, context, facts_of, product, server
from test_report_text import text_of

from volact.core.assessment import assess
from volact.core.context import Context
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.core.rows import license_row, os_row
from volact.knowledge.load import load_profile, profile_names
from volact.model.profile import Image
from volact.model.report import ServerReport
from volact.report.base import Invocation
from volact.report.next_step import next_step, shared_step

AGAIN = "volact activate -i lab.toml --limit web-01"
NOW_ISH = "2026-01-31T07:00:00Z"


def row(
    raw: dict[str, Any], command: str, ctx: Context | None = None, name: str = "web-01"
) -> ServerReport:
    """The row of this server in a run of this command, before any step."""
    ctx = msgspec.structs.replace(
        ctx or context(), clouds=tuple(map(load_profile, profile_names()))
    )
    a = assess(facts_of(raw), ctx)
    findings = diagnose(a)
    found = ServerReport(
        name=name,
        address="ssh://10.0.0.5:22",
        provider=ctx.knowledge.profile.name,
        verdict="attention",
        os=os_row(a),
        license=license_row(a),
        findings=findings,
    )
    if command == "check":
        return found
    plan = make_plan(a, findings)
    return msgspec.structs.replace(
        found,
        plan=tuple({"do": s.do, "because": list(s.because), **s.params} for s in plan.steps),
        refusals=tuple(msgspec.structs.asdict(refusal) for refusal in plan.refusals),
        reason=plan.reason,
    )


def run(command: str, **changes: Any) -> Invocation:
    return msgspec.structs.replace(HOW, command=command, **changes)


def todo(
    raw: dict[str, Any], command: str, ctx: Context | None = None, **changes: Any
) -> list[str]:
    """The lines of the single server's note after "To do"."""
    text = text_of([row(raw, command, ctx)], run(command, **changes), columns=300)
    lines = text.partition("\nTo do")[2].splitlines()
    return [line.strip() for line in lines if line.strip()]


def own_licence(image: Image) -> Context:
    return context(images={PUBLIC_IMAGE: image})


UNLICENSED = server("2019", licensed=False)
BYOL = own_licence(Image(type="PUBLIC_IMAGE", license="BYOL"))
IMPORTED = own_licence(Image(source="EXTERNAL_IMPORT"))
RELEASE_20H2 = server("2019", licensed=False, os__build=19042, os__sku=145)
RELEASE_23H2 = server("2022", licensed=False, os__build=25398, os__sku=407)
AZURE_EDITION = server("2022", licensed=False, sku=407)
EMULATOR = server("2019", kms="127.0.0.2")
UNDISCOVERED = server(
    "2019",
    licensed=False,
    kms=None,
    events={
        "12288": [NOW_ISH, ["0x8007232B", "0x00000000", ""]],
        "12289": None,
        "8198": None,
    },
)
RETAIL = server("2019", products=[product("2019", licensed=False, channel="RETAIL")])


def test_no_repair_is_promised_where_windows_contacts_no_kms_host() -> None:
    for changes in ({"licensed": False}, {"GracePeriodRemaining": 20_000}):
        forced = product("2019", VLActivationTypeEnabled=1, **changes)
        lines = todo(server("2019", products=[forced]), "check")
        assert "volact repairs" not in " ".join(lines)


@pytest.mark.parametrize("ctx", [BYOL, IMPORTED], ids=["own-licence", "imported-image"])
def test_no_repair_is_promised_where_the_licence_does_not_cover_the_server(ctx: Context) -> None:
    """volact activate answered: no steps, the image uses your own licence."""
    for raw in (UNLICENSED, server("2019", licensed=False, kms="kms1.example.com")):
        (line,) = todo(raw, "check", ctx)
        assert line.endswith("If the licence covers it: --override-entitlement REASON.")


@pytest.mark.parametrize("raw", [RELEASE_20H2, RELEASE_23H2], ids=["unsupported", "without-gvlk"])
@pytest.mark.parametrize("command", ["check", "plan", "activate"])
def test_no_activation_is_promised_on_a_release_that_volact_leaves_as_it_is(
    raw: dict[str, Any], command: str
) -> None:
    """The same line stood under the result of an activate that had just refused."""
    assert not [line for line in todo(raw, command) if line.startswith(AGAIN)]


def test_what_volact_repairs_on_such_a_release_is_offered() -> None:
    raw = server(
        "2019",
        licensed=False,
        os__build=19042,
        os__sku=145,
        services__sppsvc=["Stopped", "Disabled"],
    )
    lines = todo(raw, "check")
    assert "After that, volact repairs service-disabled:" in lines
    assert AGAIN in lines


@pytest.mark.parametrize(
    ("raw", "provider", "option"),
    [
        (AZURE_EDITION, "tencent", "--provider azure"),
        (UNDISCOVERED, "generic", "--kms-host HOST"),
        (EMULATOR, "tencent", "--allow move-kms"),
    ],
    ids=["azure-edition", "not-discovered", "emulator"],
)
def test_the_option_that_the_repair_needs_is_in_the_command(
    raw: dict[str, Any], provider: str, option: str
) -> None:
    lines = todo(raw, "check", context(provider))
    assert f"{AGAIN} {option}" in lines
    assert AGAIN not in lines


def test_a_provider_that_was_named_is_not_named_beside_another() -> None:
    lines = todo(AZURE_EDITION, "check", login="--provider tencent --user adm")
    assert f"{AGAIN} --user adm --provider azure" in lines


def test_answers_are_read_again_with_the_option_too() -> None:
    lines = todo(
        AZURE_EDITION, "check", selector="", by_hand="volact read-answer a.txt --provider tencent"
    )
    assert "volact read-answer a.txt --provider azure --format commands" in lines


def test_answers_are_not_read_again_for_what_needs_a_consent_that_cannot_be_given_there() -> None:
    lines = todo(EMULATOR, "check", selector="", by_hand="volact read-answer a.txt")
    assert not [line for line in lines if line.startswith("volact read-answer")]


CONDITIONS = [
    (UNLICENSED, BYOL, "If the licence covers it", "--override-entitlement REASON"),
    (EMULATOR, None, "Find out what was installed, and remove it.", "--allow move-kms"),
    (RETAIL, None, "If a volume licence covers this server", "--replace-key"),
]


@pytest.mark.parametrize(
    ("raw", "ctx", "condition", "option"), CONDITIONS, ids=["own-licence", "emulator", "retail"]
)
@pytest.mark.parametrize("command", ["plan", "activate"])
def test_a_consent_is_offered_after_its_condition(
    raw: dict[str, Any], ctx: Context | None, condition: str, option: str, command: str
) -> None:
    rows = [row(raw, command, ctx, name) for name in ("a", "b")]
    for lines, names in (
        (next_step(rows[:1], run(command)), "a"),
        (shared_step(rows, run(command)), "a,b"),
    ):
        asked = lines.index(f"volact activate -i lab.toml --limit {names} {option}")
        assert lines[asked - 1] == "volact repairs this only with your consent:"
        assert condition in " ".join(lines[:asked])


def test_a_condition_that_differs_per_server_is_told_as_the_first_ones() -> None:
    other = server("2016", products=[product("2016", licensed=False, channel="RETAIL")])
    rows = [row(RETAIL, "plan", name="a"), row(other, "plan", name="b")]
    lines = shared_step(rows, run("plan"))
    assert "(for the first server; it differs per server)" in lines
    assert lines[-1] == "volact activate -i lab.toml --limit a,b --replace-key"


def test_other_findings_are_named_only_where_there_are_any() -> None:
    """It said "Repair the other findings first" where Windows is not licensed, and no more."""
    alone = todo(UNLICENSED, "check")
    (finding,) = [f for f in row(UNLICENSED, "check").findings if f.id == "not-licensed"]
    assert finding.remedy == "On the server: cscript /nologo %windir%/system32/slmgr.vbs -ato"
    assert alone[0] == "volact repairs not-licensed:"
    wrong = server("2019", licensed=False, port=1668)
    (finding,) = [f for f in row(wrong, "check").findings if f.id == "not-licensed"]
    assert finding.remedy.startswith("Repair the other findings first, then on the server: ")

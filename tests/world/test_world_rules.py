"""Firewall rules as reg.exe shows them.

Fields of https://learn.microsoft.com/openspecs/windows_protocols/ms-gpfas (2.2.2.19) and
lines that real machines printed: four spaces, the name, four spaces, the type, four spaces,
the rule.  Names of rules are GUIDs, words, or resources of a DLL.
"""

from __future__ import annotations

from windows_tools import Tools

SHOWN = (
    "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters"
    "\\FirewallPolicy\\FirewallRules\r\n"
    "    IIS-WebServerRole-FTP-Passive-In-TCP    REG_SZ    v2.29|Action=Allow|Active=FALSE|Dir=In|"
    "Protocol=6|App=%windir%\\system32\\svchost.exe|Svc=FTPSVC|"
    "Name=@%SystemRoot%\\system32\\firewallapi.dll,-38543|\r\n"
    "    Microsoft-Windows-PeerDist-HttpTrans-In    REG_SZ    v2.31|Action=Allow|Active=FALSE|"
    "Dir=In|Protocol=6|LPort=80|App=SYSTEM|Name=@peerdistsh.dll,-10000|"
    "Desc=@peerdistsh.dll,-11000|EmbedCtxt=@peerdistsh.dll,-9000|\r\n"
    "    {0428E35C-5C69-4743-8F0F-AEDDE87B2992}    REG_SZ    v2.31|Action=Block|Active=TRUE|"
    "Dir=Out|Protocol=6|RPort=1688|Name=KMS|\r\n"
    "    {36516C13-1766-44F3-ABAB-F195E1B51E0A}    REG_SZ    v2.31|Action=Allow|Active=TRUE|"
    "Dir=Out|Protocol=6|RPort=1688|Profile=Private|Name=Let KMS out|\r\n\r\n"
)


def test_the_agent_finds_the_rules_in_what_reg_shows() -> None:
    tools = Tools()
    rules = tools.read(SHOWN, "firewallRules()")
    assert len(rules) == 8  # the same text stands for the policy's rules
    assert all(rule.startswith("v2.") and rule.endswith("|") for rule in rules)
    blocking = tools.read(SHOWN, "chosenRules(firewallRules(), BLOCKING)")
    rule = "v2.31|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=1688|Name=KMS|"
    assert blocking == [rule, rule]

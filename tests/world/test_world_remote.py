"""What Win32-OpenSSH and WinRM say on the wire, beside what the lab says."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from volact_lab.ssh import server
from volact_lab.winrm import envelope
from volact_lab.winrm.faults import timed_out

# Banners in logs of clients that met real servers; 8.1 came with Server 2022, 9.5 with 2025.
BANNER = re.compile(r"OpenSSH_for_Windows_(7\.7|8\.0|8\.1|8\.6|8\.9|9\.2|9\.4|9\.5|9\.8|10\.0)")
# https://github.com/diyan/pywinrm/blob/master/winrm/tests/test_protocol.py: a fault of
# Server 2022.
FAULT = """<s:Fault xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Code><s:Value>s:Receiver</s:Value>
<s:Subcode><s:Value>w:TimedOut</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">
The WS-Management service cannot complete the operation within the time specified in
OperationTimeout.  </s:Text></s:Reason><s:Detail><f:WSManFault
 xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="2150858793"
 Machine="server2022.domain.test"><f:Message>The WS-Management service cannot complete the
operation within the time specified in OperationTimeout.  </f:Message></f:WSManFault></s:Detail>
</s:Fault>"""


def tree(element: ElementTree.Element) -> tuple[str, tuple[str, ...], list[object]]:
    """Names of an element, of its attributes, and of what is in it."""
    return element.tag, tuple(element.attrib), [tree(inner) for inner in element]


def test_the_lab_answers_as_open_ssh_for_windows() -> None:
    assert BANNER.fullmatch(server._BANNER)


def test_a_fault_of_the_lab_is_built_as_one_of_windows() -> None:
    sent = ElementTree.fromstring(envelope.fault(timed_out(), "uuid:1", "server"))
    found = next(iter(sent.iter("{http://www.w3.org/2003/05/soap-envelope}Fault")))
    known = ElementTree.fromstring(FAULT)
    assert tree(found) == tree(known)
    detail = "{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}WSManFault"
    codes = [next(fault.iter(detail)).attrib["Code"] for fault in (found, known)]
    assert codes[0] == codes[1] == "2150858793"

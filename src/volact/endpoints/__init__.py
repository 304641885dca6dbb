"""Health of the provider's KMS, time and DNS servers, as seen from this machine.

A check is a connection and a greeting, never an activation.  Every outcome is a value with
a word; no error of another machine is raised.  What a *server* reaches is a fact of its
own and comes from the agent.

    found = await check_profile(profile, timeout_s=3.0)
    print(found.ok, [host.word for host in found.kms])
"""

from volact.endpoints.check import Endpoints, check_endpoints, check_profile
from volact.endpoints.dns import DnsHealth, probe_dns
from volact.endpoints.kms import KmsHealth, probe_kms
from volact.endpoints.ntp import NtpHealth, probe_ntp

__all__ = [
    "DnsHealth",
    "Endpoints",
    "KmsHealth",
    "NtpHealth",
    "check_endpoints",
    "check_profile",
    "probe_dns",
    "probe_kms",
    "probe_ntp",
]

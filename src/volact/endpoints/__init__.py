"""How the provider's services look from where volact runs: KMS, NTP, DNS.

Health only: a connection and a greeting, never an activation.  Every outcome
is a value with a word; nothing here raises for what another machine does.
What a *server* reaches is its own fact and comes from the agent.
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

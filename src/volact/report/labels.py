"""What the keys of evidence, of steps and of their results are called for a person.

What each kind of step does is declared beside it, in ``core.steps``.

A key that is not here is shown as it is spelt, without its underscores.
"""

from __future__ import annotations

from volact.model.text import Text, say

LABELS: dict[str, Text] = {
    "accepted": say("accepted"),
    "after_step_s": say("clock error after the step"),
    "beyond_phase_limit": say("beyond the phase limit"),
    "bias_min": say("time zone offset"),
    "build": say("build"),
    "bytes": say("bytes"),
    "channel": say("channel"),
    "client": say("NTP client"),
    "cmid": say("client machine ID"),
    "code": say("code"),
    "current": say("configured"),
    "debugger": say("debugger"),
    "deny": say("denied to"),
    "dns": say("DNS servers"),
    "edition": say("edition"),
    "effective": say("in effect"),
    "expected": say("expected"),
    "host": say("host"),
    "hosts": say("hosts"),
    "hresult": say("code"),
    "image": say("image"),
    "interval_min": say("renewal interval"),
    "keep": say("may stay"),
    "layer": say("configured in"),
    "left_min": say("left"),
    "license": say("licence"),
    "licensed": say("licensed"),
    "limits": say("limits"),
    "missing": say("missing"),
    "name": say("name"),
    "off": say("disabled in"),
    "override": say("override reason"),
    "partial_key": say("key ends in"),
    "path": say("path"),
    "peers": say("time servers"),
    "port": say("port"),
    "product": say("product"),
    "products": say("products"),
    "profiles": say("firewall profiles"),
    "provider": say("provider"),
    "raise_limits": say("phase limits raised for the step"),
    "rearm": say("rearms left"),
    "reason": say("reason"),
    "release": say("release"),
    "replace": say("replaces a key"),
    "role": say("role"),
    "rules": say("firewall rules"),
    "sddl": say("permissions"),
    "servers": say("servers"),
    "service": say("service"),
    "services": say("services"),
    "sid": say("account"),
    "since_min": say("last renewal"),
    "skew_s": say("clock error"),
    "sku": say("edition number"),
    "source": say("source"),
    "start": say("start mode"),
    "state": say("state"),
    "status": say("status"),
    "target": say("target edition"),
    "type": say("type"),
    "via": say("configured through"),
    "why": say("why"),
    "within_s": say("within"),
    "zone": say("time zone"),
}

# Values of evidence that are words: shown as they are, translated where a catalogue has them.
VALUES: tuple[Text, ...] = (
    say("refused"),
    say("timeout"),
    say("standalone"),
    say("member"),
    say("controller"),
)

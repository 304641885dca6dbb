"""Whether a DNS server of the provider resolves a name.

The server is asked directly, not through this machine's resolver: names of a cloud's
internal services resolve at its own servers only.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import Literal

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import msgspec

from volact.endpoints.resolve import connect_word, elapsed_ms
from volact.model.text import Text, say

DnsWord = Literal["ok", "no-such-name", "refused", "timeout", "unreachable", "bad-answer"]

SAYS: dict[str, Text] = {
    "ok": say("knows the name"),
    "no-such-name": say("does not know the name"),
    "refused": say("refuses to answer"),
    "timeout": say("no answer"),
    "unreachable": say("no way to this address"),
    "bad-answer": say("the answer is not a DNS answer to this question"),
}


_MOST_ADDRESSES = 64  # of one name; a datagram holds thousands


class DnsHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one DNS server about one name."""

    server: str
    name: str
    word: DnsWord
    addresses: tuple[str, ...] = ()
    ms: float | None = None


async def probe_dns(
    server: str, name: str, port: int = 53, timeout_s: float = 3.0, record: str = "A"
) -> DnsHealth:
    """Ask one server for the addresses of one name."""
    begun = time.perf_counter()
    found = DnsHealth(server=server, name=name, word="bad-answer")
    try:
        question = dns.message.make_query(name, record)
        answer, _ = await dns.asyncquery.udp_with_fallback(
            question, server, timeout=timeout_s, port=port, ignore_unexpected=True
        )
    except dns.exception.Timeout:
        return msgspec.structs.replace(found, word="timeout")
    except OSError as error:
        return msgspec.structs.replace(found, word=connect_word(error))
    except (dns.exception.DNSException, ValueError):
        return found
    records = (
        item.to_text()
        for entry in answer.answer
        if entry.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)
        for item in entry
    )
    addresses = tuple(islice(records, _MOST_ADDRESSES))
    word = _answer_word(answer.rcode(), addresses)
    return msgspec.structs.replace(found, word=word, addresses=addresses, ms=elapsed_ms(begun))


def _answer_word(code: dns.rcode.Rcode, addresses: tuple[str, ...]) -> DnsWord:
    if code == dns.rcode.REFUSED:
        return "refused"
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return "bad-answer"
    return "ok" if addresses else "no-such-name"

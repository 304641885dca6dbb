"""The lab's KMS host and metadata server, as the network sees them."""

from __future__ import annotations

import asyncio
import http.client
import uuid
from email.utils import parsedate_to_datetime

import pytest
from lab_world import Place

from volact.endpoints.kms import probe_kms
from volact.model.profile import HostPort
from volact_lab import dcerpc
from volact_lab.hosts.kms import MAGIC, KmsHost
from volact_lab.windows.http import HttpPool, Limits
from volact_lab.windows.machine import Machine


async def talk(port: int, *messages: bytes) -> list[bytes]:
    """Send messages one by one; b"" where the host hung up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for message in messages:
        writer.write(message)
        answers.append(await asyncio.wait_for(reader.read(4096), 120))
    writer.close()
    return answers


async def kms() -> tuple[KmsHost, int]:
    host = KmsHost(("2016",))
    first, *_ = await host.start()
    return host, first


async def test_the_health_probe_finds_a_kms_host() -> None:
    host, port = await kms()
    health = await probe_kms(HostPort("127.0.0.1", port), 60.0)
    assert health.word == "ok"
    assert host.answered == 0
    await host.stop()


async def test_another_interface_is_rejected_and_nonsense_is_not_acknowledged() -> None:
    host, port = await kms()
    other = (uuid.UUID(int=7), 1, 0)
    [rejected] = await talk(port, dcerpc.bind(3, other))
    header = dcerpc.parse_header(rejected)
    assert header is not None
    assert (header.kind, header.call) == (dcerpc.BIND_ACK, 3)
    assert not dcerpc.accepted(rejected)
    two_contexts = bytearray(dcerpc.bind(4))
    two_contexts[24] = 2
    [refused] = await talk(port, bytes(two_contexts))
    nak = dcerpc.parse_header(refused)
    assert nak is not None
    assert nak.kind == dcerpc.BIND_NAK
    await host.stop()


@pytest.mark.parametrize(
    "message",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x05\x00\x00\x03\x10\0\0\0\xff\xff\0\0\1\0\0\0", b"\x16\x03\x01"],
)
async def test_what_is_no_bind_is_closed_without_an_answer(message: bytes) -> None:
    host, port = await kms()
    assert await talk(port, message) == [b""]
    await host.stop()


async def test_behind_the_bind_nothing_but_the_labs_own_message_is_answered() -> None:
    host, port = await kms()
    request = dcerpc.HEADER.pack(5, 0, 0, 3, dcerpc.LITTLE_ENDIAN, 24, 0, 2) + bytes(8)
    for message in (request, MAGIC + b"\0\0\0\2{}", MAGIC + b"\xff\xff\xff\xff", b"x"):
        answers = await talk(port, dcerpc.bind(1), message)
        assert dcerpc.accepted(answers[0])
        assert answers[1] == b""
    assert host.answered == 0
    await host.stop()


async def test_a_bind_may_come_in_pieces() -> None:
    host, port = await kms()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for byte in dcerpc.bind(9):
        writer.write(bytes([byte]))
        await writer.drain()
    assert dcerpc.accepted(await asyncio.wait_for(reader.read(200), 120))
    writer.close()
    await host.stop()


async def test_metadata_is_real_http_with_keep_alive_and_a_date(here: Place) -> None:
    here.machine()
    peer = here.world.internet.peers["169.254.0.23", 80]

    def ask() -> tuple[list[int], str, bool]:
        connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=120)
        statuses, socket = [], None
        for key in ("instance-id", "no-such-key"):
            headers = {"X-Lab-Server": "web-01"}
            connection.request("GET", f"/latest/meta-data/{key}", headers=headers)
            socket = socket or connection.sock
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
            date = answer.headers["Date"]
        kept = connection.sock is socket
        connection.close()
        return statuses, date, kept

    statuses, date, kept = await asyncio.to_thread(ask)
    assert statuses == [200, 404]
    assert parsedate_to_datetime(date).utcoffset() is not None
    assert kept


async def test_each_server_gets_its_own_metadata_over_one_connection(here: Place) -> None:
    one, other = here.machine(), here.machine(name="db-02", index=2)
    url = "http://metadata.tencentyun.com/latest/meta-data/instance-id"

    def ask(machine: Machine) -> str:
        pool = HttpPool(machine.network, machine.spec.name)
        first = pool.request("GET", url, {}, Limits(connect_s=60.0)).body.decode()
        assert pool.request("GET", url, {}, Limits(connect_s=60.0)).body.decode() == first
        pool.close()
        return first

    first, second = await asyncio.to_thread(lambda: (ask(one), ask(other)))
    assert first == one.metadata["instance-id"]
    assert second == other.metadata["instance-id"]
    assert first != second

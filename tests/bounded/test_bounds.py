"""No HTTP server makes volact hold more, wait longer or go elsewhere than it may."""

from __future__ import annotations

import hashlib
import ssl
import threading
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from evil_http import FLOODS, SLOW, Say, compressed, evil
from pypsrp.negotiate import HTTPNegotiateAuth

from volact.bounded.http_client import BoundedHandler, stays_at_origin
from volact.bounded.http_session import bind_session
from volact.bounded.stream import Limits, PeerLimitError

MOST = 256 * 1024
LIMITS = Limits(most_bytes=MOST, total_s=120.0)
QUICK = Limits(most_bytes=MOST, total_s=0.3)
# What the sockets of both ends may hold on top of the bound.
BUFFERS = 16 * 1024 * 1024
# Long enough for any machine: only a hang takes longer.
HANG_S = 120.0

Ask = Callable[[int, Limits], None]


def by_requests(port: int, limits: Limits) -> None:
    with requests.Session() as session:
        bind_session(session, limits, "never")
        session.post(f"http://127.0.0.1:{port}/wsman", data=b"x", timeout=600).close()


def by_urllib(port: int, limits: Limits) -> None:
    opener = urllib.request.OpenerDirector()
    opener.add_handler(BoundedHandler(limits))
    with opener.open(f"http://127.0.0.1:{port}/", timeout=600) as answer:
        answer.read()


ASKS = pytest.mark.parametrize("ask", [by_requests, by_urllib])


def cause_of(error: BaseException) -> BaseException:
    """What is at the bottom of an exception that wraps others."""
    inner = [error.__cause__, error.__context__, *error.args, getattr(error, "reason", None)]
    found = next((one for one in inner if isinstance(one, BaseException)), None)
    return error if found is None or isinstance(error, PeerLimitError) else cause_of(found)


@ASKS
@pytest.mark.parametrize("say", FLOODS.values(), ids=FLOODS)
def test_a_flood_ends_at_the_bound_and_the_socket_is_closed(ask: Ask, say: Say) -> None:
    with evil(say) as server:
        with pytest.raises(Exception) as caught:
            ask(server.port, LIMITS)
        assert server.over.wait(HANG_S), "the socket stayed open"
        assert server.sent < MOST + BUFFERS
    assert not isinstance(caught.value, MemoryError)


@ASKS
@pytest.mark.parametrize("say", SLOW.values(), ids=SLOW)
def test_a_trickle_ends_in_time(ask: Ask, say: Say) -> None:
    """Each read alone is quick, and there is no last one: only the time for all can end it."""
    with evil(say) as server:
        with pytest.raises(Exception) as caught:
            ask(server.port, QUICK)
        assert server.over.wait(HANG_S)
    assert isinstance(cause_of(caught.value), TimeoutError)


@ASKS
def test_nothing_is_decompressed_or_asked_to_be_compressed(ask: Ask) -> None:
    with evil(compressed) as server:
        with pytest.raises(Exception) as caught:
            ask(server.port, LIMITS)
        assert b"\r\nAccept-Encoding: identity\r\n" in server.requests[0]
    assert "compressed" in str(cause_of(caught.value))


def moved(to: str) -> Say:
    def say(send: Callable[[bytes], None]) -> None:
        send(
            b"HTTP/1.1 307 Moved\r\nLocation: "
            + to.encode()
            + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )

    return say


def found(send: Callable[[bytes], None]) -> None:
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


def test_redirects_are_followed_nowhere_or_within_the_origin() -> None:
    with evil(found) as elsewhere:
        for policy, to in (
            ("never", f"http://127.0.0.1:{elsewhere.port}/"),
            ("never", "/here"),
            ("same-origin", f"http://127.0.0.1:{elsewhere.port}/"),
            ("same-origin", "//localhost/"),
            ("same-origin", "//["),
            ("same-origin", "//127.0.0.1:port/"),
        ):
            with evil(moved(to)) as server, requests.Session() as session:
                bind_session(session, LIMITS, policy)  # type: ignore[arg-type]
                with pytest.raises(requests.ConnectionError, match="is a redirect"):
                    session.post(f"http://127.0.0.1:{server.port}/", data=b"secret", timeout=600)
                assert len(server.requests) == 1
        assert elsewhere.requests == []


def test_a_redirect_within_the_origin_is_followed() -> None:
    with evil(moved("/other")) as server, requests.Session() as session:
        bind_session(session, LIMITS, "same-origin")
        session.max_redirects = 3
        with pytest.raises(requests.TooManyRedirects):
            session.get(f"http://127.0.0.1:{server.port}/", timeout=600)
        assert len(server.requests) == 4


def test_an_origin_has_a_port() -> None:
    assert stays_at_origin("https://h/x", "https://h:443/")
    assert not stays_at_origin("https://h/x", "http://h/x")
    assert not stays_at_origin("https://h/", "https://h.evil/")


def test_abort_ends_a_thread_that_waits() -> None:
    begun, over = threading.Event(), threading.Event()

    def silent(_send: Callable[[bytes], None]) -> None:
        begun.set()
        over.wait(HANG_S)

    with evil(silent) as server, requests.Session() as session:
        bounds = bind_session(session, LIMITS, "never")
        ended: list[Exception] = []

        def ask() -> None:
            try:
                session.get(f"http://127.0.0.1:{server.port}/", timeout=HANG_S)
            except requests.RequestException as error:
                ended.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        assert begun.wait(HANG_S)
        bounds.abort()
        thread.join(HANG_S / 2)
        over.set()
        assert not thread.is_alive()
        assert ended
        with pytest.raises(requests.ConnectionError, match="no further request"):
            session.get(f"http://127.0.0.1:{server.port}/", timeout=600)


def test_the_login_is_bound_to_the_certificate(tmp_path: Path) -> None:
    """The library finds the TLS socket below the bound, and hashes what it was shown."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with evil(found, context) as server, requests.Session() as session:
        bind_session(session, LIMITS, "never")
        url = f"https://localhost:{server.port}/wsman"
        answer = session.get(url, timeout=HANG_S, verify=str(pem), stream=True)
        bound = HTTPNegotiateAuth._get_cbt_data(answer)  # type: ignore[no-untyped-call]
        answer.close()
    digest = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()
    assert bound == b"tls-server-end-point:" + digest

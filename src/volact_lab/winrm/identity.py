"""Certificates of a lab: an authority, servers that it vouches for, one that it does not.

Made anew for every lab and kept in a folder that goes with it.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from spnego.channel_bindings import GssChannelBindings

_LIFE = datetime.timedelta(days=7)
_SERVER, _CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def bindings(self) -> GssChannelBindings:
        """What ties a login to a connection that shows this certificate (RFC 5929)."""
        digest = self.certificate.fingerprint(hashes.SHA256())
        return GssChannelBindings(application_data=b"tls-server-end-point:" + digest)

    @property
    def pem(self) -> bytes:
        """The certificate as text."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as text, without a passphrase."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class Shown:
    """What a listener shows, and what a login to it is bound to."""

    context: ssl.SSLContext
    bindings: GssChannelBindings


class Authority:
    """A certificate authority for servers and people."""

    def __init__(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        basics = x509.BasicConstraints(ca=True, path_length=0)
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = _builder(_name(name), _name(name), key)
        builder = builder.add_extension(basics, critical=True).add_extension(usage, critical=True)
        self.own = Signed(builder.sign(key, hashes.SHA256()), key)

    def server(self) -> Signed:
        """A certificate for a server on the loopback address."""
        places = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        return self._vouch("lab server", _SERVER, places)

    def person(self, name: str) -> Signed:
        """A certificate to log in with."""
        return self._vouch(name, _CLIENT, x509.SubjectAlternativeName([x509.DNSName("lab")]))

    def _vouch(
        self, name: str, use: x509.ObjectIdentifier, names: x509.SubjectAlternativeName
    ) -> Signed:
        key = ec.generate_private_key(ec.SECP256R1())
        own = self.own.key.public_key()
        builder = (
            _builder(_name(name), self.own.certificate.subject, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(names, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
        )
        return Signed(builder.sign(self.own.key, hashes.SHA256()), key)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


class Identities:
    """What the listeners of a lab show, and what they take."""

    def __init__(self, folder: Path) -> None:
        authority, stranger = Authority("volact lab"), Authority("another authority")
        self.authority_pem = authority.own.pem
        self.person = authority.person("lab operator")
        self._people = folder / "people.pem"
        self._people.write_bytes(authority.own.pem)
        self.known = self._shown(folder / "known.pem", authority.server())
        self.unknown = self._shown(folder / "unknown.pem", stranger.server())

    def _shown(self, path: Path, signed: Signed) -> Shown:
        path.write_bytes(signed.pem + signed.key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.load_verify_locations(self._people)
        context.verify_mode = ssl.CERT_OPTIONAL
        return Shown(context, signed.bindings)

"""The licensing service: keys, KMS settings, activation, and their traces.

It obeys the service manager: when its program cannot start, nothing of it can
be asked.  Sources of a KMS host in their order: group policy, the product's own
setting, the service's, DNS.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from volact.model.profile import Edition
from volact_lab import codes
from volact_lab.errors import LabError, WinFault, win32
from volact_lab.hosts.kms import Ask, Reply
from volact_lab.windows import kms_client
from volact_lab.windows.clock import Clock
from volact_lab.windows.events import SLC, SPP, Event, EventLog
from volact_lab.windows.network import Network
from volact_lab.windows.products import GRACE_MIN, VALIDITY_MIN, Product
from volact_lab.windows.registry import Registry, sz
from volact_lab.windows.releases import Generation, Release
from volact_lab.windows.services import IFEO, KMS_PROGRAM, ServiceManager
from volact_lab.windows.store import TokenStore

POLICY = (
    "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\CurrentVersion\\Software Protection Platform"
)
NAME = "KeyManagementServiceName"
PORT = "KeyManagementServicePort"
_KEY = re.compile(r"[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Fa-f:]{2,45}")
_UMBRELLA = frozenset({codes.SL_BAD_TIMESTAMP, codes.SL_ID_MISMATCH})


@dataclass
class Licensing:
    """All of a server's licensing.  ``editions`` are the published keys."""

    release: Release
    sku: int
    computer: str
    in_domain: bool
    editions: Sequence[Edition]
    registry: Registry
    services: ServiceManager
    network: Network
    clock: Clock
    log: EventLog
    store: TokenStore
    products: list[Product] = field(default_factory=list)
    cmid: str = ""
    rearm: int = 3
    rearmed: bool = False  # until the restart
    wakes: bool = True  # whether asking for it starts the service
    caching: bool = True
    by_flag: bool = False  # whether a count that is too low is a flag of 12289 alone, no code
    activations: int = 0
    _past: float = 0.0  # how long ago what is being recorded happened

    def __post_init__(self) -> None:
        """The service reads its store whenever it starts."""
        self.services.on_start[self.release.licensing_service] = self.store.service_starts

    def need_service(self) -> None:
        """Start the licensing service as asking for it does; WinFault when it cannot."""
        service = self.services.get(self.release.licensing_service)
        if not self.wakes and service.start != "Disabled" and service.state != "Running":
            raise win32(codes.SERVICE_REQUEST_TIMEOUT)
        self.services.ensure(self.release.licensing_service)

    def _need_order(self) -> None:
        """WinFault where keys and activation cannot work at present."""
        if self.rearmed:
            raise WinFault(codes.SL_REARMED)
        match self.store.state:
            case "damaged":
                raise WinFault(codes.SL_STORE)
            case "empty":
                raise WinFault(codes.SL_NO_LICENCE)
            case "filled":
                raise WinFault(codes.SL_RECREATED)
            case "whole":
                return

    def product(self, product_id: str) -> Product:
        """The product with that activation id."""
        for product in self.products:
            if product.id == product_id:
                return product
        raise WinFault(codes.WBEM_NOT_FOUND, product_id)

    # KMS settings; ``product`` None means: of the service

    def _key(self, product: Product | None) -> str:
        if product is None:
            return self.release.licensing_key
        return f"{self.release.licensing_key}\\{product.app}\\{product.id}"

    def machine(self, product: Product | None = None) -> str | None:
        """The KMS host that is set there."""
        return self.registry.text(self._key(product), NAME)

    def port(self, product: Product | None = None) -> int:
        """The KMS port that is set there; 0 when none is."""
        text = self.registry.text(self._key(product), PORT) or "0"
        return int(text) if text.isdigit() else 0

    def set_machine(self, name: str, product: Product | None = None) -> None:
        """Set the KMS host."""
        if not _HOST.fullmatch(name):
            raise WinFault(codes.E_INVALIDARG, name)
        self.registry.set(self._key(product), NAME, sz(name))

    def set_port(self, port: int, product: Product | None = None) -> None:
        """Set the KMS port."""
        if not 0 < port < 65536:
            raise WinFault(codes.E_INVALIDARG, str(port))
        self.registry.set(self._key(product), PORT, sz(str(port)))

    def clear(self, value: str, product: Product | None = None) -> None:
        """Forget the KMS host or port; that none was set is no failure."""
        if self.registry.find(self._key(product), value):
            self.registry.delete_value(self._key(product), value)

    def kms_host(self, product: Product) -> tuple[str, int]:
        """The host that an activation of this product asks."""
        name = self.registry.text(POLICY, NAME)
        if name:
            return name, int(self.registry.text(POLICY, PORT) or 1688)
        for layer in (product, None):
            name = self.machine(layer)
            if name:
                return name, self.port(layer) or 1688
        # Without a name DNS is asked; the lab's zones publish no KMS record.
        raise WinFault(codes.DNS_NAME_ERROR if self.in_domain else codes.NAME_SYNTAX)

    # Keys and activation

    def install_key(self, key: str) -> None:
        """Install a product key, as ``InstallProductKey`` does."""
        self._need_order()
        key = key.upper()
        edition = next((e for e in self.editions if e.gvlk == key), None)
        if not _KEY.fullmatch(key) or edition is None:
            raise WinFault(codes.SL_INVALID_KEY)
        if self.release.build not in edition.builds:
            raise WinFault(codes.SL_INVALID_KEY)
        if self.sku not in edition.skus:
            raise WinFault(codes.SL_SKU_MISMATCH)
        target = next((p for p in self.products if self._takes(p)), None)
        if target is None:
            raise WinFault(codes.SL_SKU_MISMATCH)
        for product in self.products:
            if product.partial_key and product.app == target.app and not product.addon:
                product.drop_key()
        target.give_key(key[-5:], 2, codes.SL_INITIAL_GRACE, GRACE_MIN)

    def _takes(self, product: Product) -> bool:
        windows = product.name.startswith("Windows(R)") and not product.addon
        return windows and product.is_kms_client

    def activate(self, product: Product) -> None:
        """Activate a product; WinFault is what ``Activate()`` throws."""
        self.activations += 1
        self._need_order()
        if not product.partial_key:
            raise WinFault(codes.SL_NO_KEY)
        if not product.is_kms_client:
            # Retail and the like go to Microsoft over the Internet: not from here.
            raise WinFault(codes.HTTP_NAME)
        host, port = self._find_host(product)
        if self.registry.text(f"{IFEO}\\{KMS_PROGRAM}", "Debugger"):
            raise WinFault(codes.SERVER_EXEC_FAILURE)
        reply = self._ask(product, host, port)
        self._record_answer(reply)
        if reply.code:
            raise WinFault(reply.code)
        product.set_state(1, codes.SL_LICENSED_KMS, VALIDITY_MIN)
        product.kms_key_id = "00000-00000-000-000000-00-0000-0000.0000-0000000"

    def _find_host(self, product: Product) -> tuple[str, int]:
        try:
            return self.kms_host(product)
        except WinFault as fault:
            data = (f"hr=0x{fault.code:08X}", f"RuleId=lab;Action=AutoActivate;SkuId={product.id}")
            self._record(8198, data if self.release.generation >= Generation.SPP2 else data[:1])
            raise

    def _ask(self, product: Product, host: str, port: int) -> Reply:
        question = Ask(
            cmid=self.cmid,
            release=self.release.name,
            product=product.id,
            time=self.clock.now(),
            name=self.computer,
        )
        try:
            reply = kms_client.ask(self.network, host, port, question)
        except WinFault as fault:
            self._record_request(product, host, port, fault.code)
            raise WinFault(codes.SL_NO_KMS, f"{host}:{port}") from fault
        if reply.code in _UMBRELLA:
            # The host answered, but as if it were not there: the reason is in the event.
            self._record_request(product, host, port, reply.code)
            raise WinFault(codes.SL_NO_KMS, f"{host}:{port}")
        self._record_request(product, host, port, 0)
        return reply

    def remember_success(self, product: Product, host: str, port: int, ago_s: float) -> None:
        """Leave the traces of an activation that lies in the past."""
        self._past = ago_s
        self._record_request(product, host, port, 0)
        self._record_answer(Reply(code=0, count=50))
        self._past = 0.0

    def remember_failure(self, product: Product, host: str, port: int, code: int) -> None:
        """Leave the traces of a request that just failed with a code."""
        self._past = 3600.0
        answered = code == codes.SL_NOT_ENOUGH_COUNT
        self._record_request(product, host, port, 0 if answered else code)
        if answered:
            self._record_answer(Reply(code=code, count=1))
        self._past = 0.0

    def _record_request(self, product: Product, host: str, port: int, code: int) -> None:
        fields = (
            self._number(code),
            self._number(0),
            f"{host}:{port}",
            self.cmid,
            self._stamp(),
            "0",
            str(product.status),
            str(product.minutes_left),
            product.id,
            "5",
        )
        self._record(12288, (", ".join(fields),))

    def _record_answer(self, reply: Reply) -> None:
        flags = 0x04000000 if reply.code == codes.SL_NOT_ENOUGH_COUNT else 0
        fields = (
            self._number(0 if flags and self.by_flag else reply.code),
            self._number(flags),
            "0" if reply.code else "1",
            "0",
            str(reply.count),
            str(reply.activation_min),
            str(reply.renewal_min),
            self._stamp(),
        )
        self._record(12289, (", ".join(fields),))

    def _number(self, number: int) -> str:
        """Short, as in Microsoft's table of events, whose 12289 has the flag alone; or whole."""
        return f"0x{number:X}" if self.by_flag else f"0x{number:08X}"

    def _record(self, number: int, data: tuple[str, ...]) -> None:
        provider = SLC if self.release.generation is Generation.SL else SPP
        level = 2 if number == 8198 else 4
        self.log.add(Event(number, self.clock.now() - self._past, data, provider, level))

    def _stamp(self) -> str:
        return f"{datetime.fromtimestamp(self.clock.now() - self._past, UTC):%Y/%m/%d %H:%M}"

    def edition(self) -> Edition:
        """The published key's edition for this build and SKU; LabError when there is none."""
        for edition in self.editions:
            if self.release.build in edition.builds and self.sku in edition.skus:
                return edition
        raise LabError(f"no published key for build {self.release.build}, SKU {self.sku}")

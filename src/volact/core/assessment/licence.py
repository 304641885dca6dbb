"""Products and licence states: derived once from the licensing facts.

Never only the first product: a server may hold several keys, and add-ons
(extended updates and the like) are no Windows licence.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from volact.core.assessment.channel import OWN_CHANNELS, KeyChannel, channel_of
from volact.core.assessment.kms_setting import (
    KmsLayers,
    KmsSetting,
    host_in_use,
    kms_layers,
    own_setting,
)
from volact.core.assessment.system import EVALUATION_SKUS, WINDOWS, Family, family_of
from volact.model.fact import ABSENT, Fact, Known, Unreadable, is_known, is_unreadable, value_of
from volact.model.facts import Facts, Product
from volact.model.text import Text, raw, say

LICENSED = 1
TIMED_OUT = 0x800705B4  # how the agent reports that its time was over
FULL_TERM_MIN = 259_200  # 180 days: how long one KMS activation lasts

# VLActivationType: what the last activation was by; VLActivationTypeEnabled: what it may be by.
_BY_DIRECTORY, _BY_TOKEN = 1, 3
_NO_VERSION = 0xFFFFFFFF

STATUS_NAMES: dict[str, Text] = {  # in the order of LicenseStatus
    "unlicensed": say("unlicensed"),
    "licensed": say("licensed"),
    "initial-grace": say("initial grace period"),
    "out-of-tolerance-grace": say("out-of-tolerance grace period"),
    "non-genuine-grace": say("grace period, not genuine"),
    "notification": say("notification mode"),
    "extended-grace": say("extended grace period"),
}
_STATUS = tuple(STATUS_NAMES)


def status_text(status: int) -> Text:
    """LicenseStatus in a sentence."""
    word = status_word(status)
    return STATUS_NAMES.get(word) or raw(word)


def status_word(status: int) -> str:
    """LicenseStatus as a word of the JSON document."""
    return _STATUS[status] if 0 <= status < len(_STATUS) else f"status-{status}"


class ProductState(msgspec.Struct, frozen=True, kw_only=True):
    """One product of Windows itself that has a key.

    ``licensed`` is ``None`` when its status could not be read.  ``own_kms`` is a
    KMS host set for this product alone; ``kms`` is the host that activates it.
    ``by_directory``: the last activation came from Active Directory; ``by_token``: from a
    token; ``None``: not known.
    """

    facts: Product
    channel: KeyChannel
    licensed: bool | None
    by_directory: bool | None
    by_token: bool | None
    own_kms: Fact[KmsSetting]
    kms: Fact[KmsSetting]

    @property
    def is_client(self) -> bool:
        """Whether a KMS host activates this product."""
        return self.channel == "kms-client"

    @property
    def by_kms(self) -> bool | None:
        """Whether its last activation, if there was one, came from a KMS host; ``None``: unread."""
        if self.by_directory or self.by_token:
            return False
        return None if None in (self.by_directory, self.by_token) else True

    @property
    def kept_from_kms(self) -> bool:
        """Whether it is set to another way of activation, and not licensed by that."""
        forced = (value_of(self.facts.vl_enabled) or 0) in (_BY_DIRECTORY, _BY_TOKEN)
        return forced and (self.licensed is False or self.by_kms is True)

    @property
    def partial_key(self) -> str | None:
        """The last five characters of its key."""
        return value_of(self.facts.partial_key)

    @property
    def left_min(self) -> int:
        """Minutes until the licence or grace period ends; 0: it does not, or unknown."""
        return value_of(self.facts.grace_min) or 0

    @property
    def reason(self) -> int | None:
        """LicenseStatusReason, an HRESULT."""
        return value_of(self.facts.reason)

    def ends(self, now: datetime) -> str:
        """When the licence or grace period ends; ``""``: never, or when is not known.

        Whole minutes: the server counts no finer, and rows stay comparable.
        """
        left = value_of(self.facts.grace_min)
        if not left:
            return ""
        try:
            end = now + timedelta(minutes=left)
        except OverflowError:
            return ""  # beyond the year 9999: no licence lasts that long
        return end.replace(second=0, microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def status_word(self) -> str | None:
        """LicenseStatus as a word of the JSON document."""
        status = value_of(self.facts.status)
        return None if status is None else status_word(status)


class LicenceState(msgspec.Struct, frozen=True, kw_only=True):
    """The products of Windows and what they show together.

    ``subjects`` are the products that decide whether this server is licensed: the
    KMS clients where there are any, else the licensed products; a leftover key beside
    them decides nothing.  ``main`` stands for the server in a table.
    ``unlicensed`` are the subjects known not to be licensed.  ``all_licensed``
    holds where every subject is known to be licensed and there is one.
    ``has_key`` is ``None`` when that is not known.  ``undetermined``: some
    product may be a Windows licence of any kind, for want of a fact.
    ``products_known``: the server listed its products, be it none; ``unread``: it
    could not.
    """

    products: tuple[ProductState, ...]
    clients: tuple[ProductState, ...]
    subjects: tuple[ProductState, ...]
    main: ProductState | None
    unlicensed: tuple[ProductState, ...]
    all_licensed: bool
    in_use: bool  # some product of any channel licenses Windows
    has_key: bool | None
    undetermined: bool
    products_known: bool
    unread: bool
    is_kms_host: bool
    is_evaluation: bool

    @property
    def replaceable(self) -> bool:
        """Whether the first key is one of the owner's, and none is or may be in use."""
        own = bool(self.products) and self.products[0].channel in OWN_CHANNELS
        return own and all(product.licensed is False for product in self.products)

    @property
    def kept_from_kms(self) -> bool:
        """Whether Windows contacts no KMS host for one of its clients, by a setting."""
        return any(product.kept_from_kms for product in self.clients)

    @property
    def none_to_lose(self) -> bool:
        """Whether it is known that some subject, or Windows as a whole, is not licensed."""
        return self.status_known and not self.all_licensed

    @property
    def status_known(self) -> bool:
        """Whether it is known of every subject if it is licensed."""
        return not self.unread and all(p.licensed is not None for p in self.subjects)


def licence_of(facts: Facts, layers: KmsLayers | None = None) -> LicenceState:
    """The licence of a server; from its facts alone, no provider is needed."""
    family = family_of(facts.os)
    products = tuple(_products(facts, layers or kms_layers(facts), family))
    clients = tuple(product for product in products if product.is_client)
    subjects = clients or _in_use(products) or products
    undetermined = any(_is_undetermined(product) for product in value_of(facts.products) or ())
    unread = is_unreadable(facts.products)
    return LicenceState(
        products=products,
        clients=clients,
        subjects=subjects,
        main=next((p for p in subjects if p.licensed), next(iter(subjects), None)),
        unlicensed=tuple(p for p in subjects if p.licensed is False),
        all_licensed=bool(subjects) and all(p.licensed for p in subjects),
        in_use=any(p.licensed for p in products),
        has_key=True if products else None if unread or undetermined else False,
        undetermined=undetermined,
        products_known=is_known(facts.products),
        unread=unread,
        is_kms_host=_is_kms_host(facts, products),
        is_evaluation=_is_evaluation(facts, subjects),
    )


def _in_use(products: tuple[ProductState, ...]) -> tuple[ProductState, ...]:
    """Those that license Windows; none where one could not be read, which may do so too."""
    if any(product.licensed is None for product in products):
        return ()
    return tuple(product for product in products if product.licensed)


def is_unlicensed(product: Product) -> bool:
    """Whether this product, of Windows or not, is known not to be licensed."""
    return isinstance(product.status, Known) and product.status.value != LICENSED


def _products(facts: Facts, layers: KmsLayers, family: Family) -> Iterator[ProductState]:
    """The keyed products that license Windows itself; none when unreadable."""
    for product in value_of(facts.products) or ():
        if not _is_windows(product):
            continue
        own, status = own_setting(product, layers.service, family), product.status
        yield ProductState(
            facts=product,
            channel=channel_of(product),
            licensed=status.value == LICENSED if isinstance(status, Known) else None,
            by_directory=_by_directory(product, family),
            by_token=_by_token(product, family),
            own_kms=own,
            kms=host_in_use(product, own, layers, family),
        )


def _by_directory(product: Product, family: Family) -> bool | None:
    """Before 2012 Active Directory activates nothing, and there is no such property."""
    if is_unreadable(product.vl_type) and family not in ("2008", "2008 R2"):
        return None
    return value_of(product.vl_type) == _BY_DIRECTORY


def _by_token(product: Product, family: Family) -> bool | None:
    """As slmgr.vbs tells it: a version of an issuance licence, after Active Directory is ruled out.

    No version is 0xFFFFFFFF, which the agent leaves out.  Server 2008 has no such property.
    """
    version = product.other.get("TokenActivationILVID", ABSENT)
    if family == "2008" or value_of(product.vl_type) == _BY_DIRECTORY:
        return False
    if is_unreadable(version):
        return None
    activated = is_known(version) and version != Known(_NO_VERSION)
    return activated or value_of(product.vl_type) == _BY_TOKEN


def _is_kms_host(facts: Facts, products: tuple[ProductState, ...]) -> bool:
    """Whether this server is known to be a KMS host itself."""
    if (value_of(facts.licensing.is_kms_host) or 0) > 0:
        return True
    return any(
        product.channel == "kms-host" or (value_of(product.facts.is_kms_host) or 0) > 0
        for product in products
    )


def _is_evaluation(facts: Facts, subjects: tuple[ProductState, ...]) -> bool:
    """Whether this is an evaluation, by its number or by the only kind of key that decides."""
    sku = value_of(facts.os.sku)
    if sku is not None and sku in EVALUATION_SKUS:
        return True
    # What is left of the trial beside the key of a full edition decides nothing.
    return bool(subjects) and all(product.channel == "eval" for product in subjects)


def out_of_time(facts: Facts) -> bool:
    """Whether the agent did not get to ask what decides: the script's time was over."""
    asked = (facts.products, facts.licensing.version, facts.licensing.cmid)
    return any(isinstance(fact, Unreadable) and fact.hresult == TIMED_OUT for fact in asked)


def _is_undetermined(product: Product) -> bool:
    if value_of(product.addon):
        return False
    if not is_known(product.addon) or is_unreadable(product.partial_key):
        return True
    kind = (product.description, product.channel)
    return channel_of(product) == "unknown" and any(isinstance(f, Unreadable) for f in kind)


def _is_windows(product: Product) -> bool:
    if value_of(product.partial_key) == "" or not is_known(product.partial_key):
        return False
    application = value_of(product.other.get("ApplicationID", ABSENT))
    if application is not None and str(application).lower() != WINDOWS:
        return False
    return isinstance(product.addon, Known) and not product.addon.value

"""One word for one thing in every language: a term of the English has its one translation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gather import LOCALE, occurrences

from volact.words.po import entries_of

# English, an expression; Indonesian; Simplified Chinese.
TERMS = (
    ("KMS host", "host KMS", "KMS 主机"),
    ("KMS client", "klien KMS", "KMS 客户端"),
    ("product key", "kunci produk", "产品密钥"),
    ("grace period", "masa tenggang", "宽限期"),
    ("rearm", "rearm", "rearm"),
    ("rollout", "peluncuran", "部署"),
    ("finding", "temuan", "问题"),
    ("evidence", "bukti", "依据"),
    ("canar(?:y|ies)", "server canary", "金丝雀"),
    ("worker", "worker", "工作进程"),
    ("jump host", "jump host", "跳板机"),
    ("firewall", "firewall", "防火墙"),
    (r"prox(?:y|ies)\b", "proksi", "代理服务器"),
    ("endpoint", "endpoint", "终结点"),
    ("renewal", "perpanjangan", "续订"),
    ("group policy", "kebijakan grup", "组策略"),
    ("domain controller", "pengontrol domain", "域控制器"),
    ("account", "akun", "帐户"),
    ("instance", "instance", "实例"),
    ("heartbeat", "heartbeat", "心跳"),
    ("cannot be listed", "daftar", "列出"),
    ("private address", "alamat privat", "专用地址"),
    ("public address", "alamat publik", "公共地址"),
    ("undo", "batal", "撤销"),
    (r"an undo\b|undo of", "pembatalan perubahan", "撤销"),
    (r"(?<!azure )(?<!evaluation )(?<!full )editions?\b", "edisi", "版本类型"),
    (r"releases?\b", "rilis", "版本"),
    (r"(?<!SFTP )(?<!of )(?<!over a )channel", "kanal", "通道"),  # of a key, not of messages
    (r"licensed\b", "lisensi", "授权"),
    (r"renew(?:s|ed)?\b(?! the certificate)", "perpanjang", "续订"),
    ("provider's", "penyedia", "云服务商"),
    ("ticket", "tiket", "票证"),
    ("retail(?!:)", "retail", "零售"),
    (r"fields?\b", "kolom", "字段"),
    ("rights on", "hak atas", "权限"),
    ("Plug and Play service", "layanan Plug and Play", "即插即用服务"),
    ("approve[rds]?\\b", "etuju", "批准"),
    ("SSH agent", "agen SSH", "SSH agent"),
    (r"(?<!SSH )agent\b", "agen", "代理程序"),
    ("antivirus", "antivirus", "防病毒软件"),
    ("licence stat(?:e|us)", "status lisensi", "许可证状态"),
    ("entitlement", "hak lisensi", "授权资格"),
)
# Other words for the same: of a file, an instance, a directory, the output, retail, a field, to
# install, to publish; an answer, to listen, an endpoint, to filter, an account, online, a region,
# a release, a provider, a ticket, licensed, an agent, to restart.
OTHERS = {
    "id": (
        r"\b(?:berkas|instans|keluaran|masukan|proxy|setelan|detak|mendaftar|ritel|bidang)(?:nya)?\b"
        r"|\b(?:di)?instal\b|publikasi"
    ),
    "zh_CN": (
        "应答|监听|(?<!终)端点|过滤|账|联机|区域|发行版|提供商|票据|获许可|代理(?!程序|服务器)|重新启动"
    ),
}
# English words of two senses, each with all places that say it: one translation has one sense.
ONE_SENSE = {
    "From": {"schedule_form.html.j2"},  # the beginning of a time
    "What to do": {"explain.py", "findings.html.j2"},  # a remedy
    "Next": {"macros.html.j2"},  # the next step
    "never": {"store_text.py", "parts.html.j2"},  # not until now
    "Changed": {"run.html.j2", "runs.html.j2"},  # by a step
}
_NAMES = re.compile(r"\{\w+\}|--?\w[\w-]*|\w+[-=/]\w[\w/-]*|volact \w+|consents:|expect: \w+")


def said(name: str) -> list[tuple[str, str]]:
    """Each English sentence without names, with its translations."""
    text = (LOCALE / f"{name}.po").read_text("utf-8")
    return [
        (_NAMES.sub("", entry.text), " ".join(entry.said))
        for entry in entries_of(text)
        if entry.text
    ]


@pytest.mark.parametrize(("name", "column"), [("id", 1), ("zh_CN", 2)])
def test_a_term_has_one_translation(name: str, column: int) -> None:
    sentences = said(name)
    for term in TERMS:
        word = re.compile(rf"\b{term[0]}", re.IGNORECASE)
        found = [pair for pair in sentences if word.search(pair[0])]
        assert found, term
        assert [p for p in found if term[column].casefold() not in p[1].casefold()] == [], term


@pytest.mark.parametrize("name", OTHERS)
def test_no_other_word_is_said_for_it(name: str) -> None:
    other = re.compile(OTHERS[name], re.IGNORECASE)
    assert [pair for pair in said(name) if other.search(pair[1])] == []


@pytest.mark.xdist_group("words")  # the whole source is read once for all
def test_a_word_of_two_senses_is_said_in_one() -> None:
    places = {
        word: {Path(one.place).name for one in occurrences() if one.text == word}
        for word in ONE_SENSE
    }
    assert places == ONE_SENSE

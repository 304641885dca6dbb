"""What is written in the reader's language, and what is English always."""

from __future__ import annotations

import io
import subprocess
import sys

import msgspec
import pytest
from cli_run import volact
from report_samples import HOW, MIXED_SIGNS, healthy, one_of_each, run_of
from test_report_text import text_of

from volact.model.report import ServerReport
from volact.report.make import make_writer
from volact.report.terminal_safe import width
from volact.report.words import pairs
from volact.report.wrap import wrapped
from volact.words import speaking

_LAZY = """
import sys
from volact.cli.entry import main
code = main(["explain", "clock-skew", "--lang", sys.argv[1]])
print(code, "volact.words.po" in sys.modules)
"""


def written(format_: str, language: str) -> str:
    out = io.StringIO(newline="")
    servers = one_of_each()
    with speaking(language):
        writer = make_writer(format_, out, HOW)
        for server in servers:
            writer.add(server)
        writer.finish(run_of(servers))
    return out.getvalue()


@pytest.mark.parametrize("language", ["id", "zh-CN"])
@pytest.mark.parametrize("format_", ["json", "jsonl", "csv"])
def test_data_is_english_in_every_language(format_: str, language: str) -> None:
    assert written(format_, language) == written(format_, "en")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "id",
            (
                "PERLU PERHATIAN  1 server",
                "berikutnya: volact explain 0xC004F038",
                "TIDAK TERJANGKAU",
            ),
        ),
        ("zh-CN", ("需注意  1 台服务器", "下一步：volact explain 0xC004F038", "无法访问")),
    ],
)
def test_the_text_report_is_spoken(language: str, words: tuple[str, ...]) -> None:
    text = written("text", language)
    assert all(word in text for word in words)
    assert all(width(line) <= 100 for line in text.splitlines() if "volact " not in line)


@pytest.mark.parametrize(
    ("language", "words"),
    [("id", ("Laporan aktivasi Windows", "Salin")), ("zh-CN", ("Windows 激活报告", "复制"))],
)
def test_the_page_is_spoken(language: str, words: tuple[str, ...]) -> None:
    text = written("html", language)
    assert f'<html lang="{language}">' in text
    assert all(word in text for word in words)


def test_evidence_is_separated_as_the_language_separates() -> None:
    evidence = {"port": 1668, "hosts": ["a:1688", "b:1688"]}
    assert pairs(evidence) == "port: 1668, hosts: a:1688, b:1688"
    with speaking("zh-CN"):
        assert pairs(evidence) == "端口：1668，主机：a:1688、b:1688"


@pytest.mark.parametrize("server", [*one_of_each(), healthy(repaired=True)])
def test_chinese_lines_have_chinese_signs(server: ServerReport) -> None:
    for command in ("check", "activate"):
        with speaking("zh-CN"):
            said = text_of([server], msgspec.structs.replace(HOW, command=command))
        assert MIXED_SIGNS.findall(said) == []


def test_a_verb_speaks_when_it_is_told() -> None:
    assert "Jam meleset lima menit" in volact("explain", "clock-skew", "--lang", "id").stdout
    assert "时钟偏差达到五分钟" in volact("explain", "clock-skew", "--lang", "zh_CN.UTF-8").stdout
    assert "The clock is wrong" in volact("explain", "clock-skew").stdout


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("id", ("Server DNS  [", "Host KMS hanya terjangkau dari", "Belum dipastikan dengan akun")),
        ("zh-CN", ("KMS 主机只能从 Tencent", "尚未用真实帐户证实")),
    ],
)
def test_what_is_known_of_a_provider_is_spoken(language: str, words: tuple[str, ...]) -> None:
    text = volact("providers", "tencent", "--lang", language).stdout
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [("id", "Alamat KMS bersifat link-local"), ("zh-CN", "KMS 地址是链路本地")],
)
def test_what_a_provider_requires_of_the_path_is_spoken(language: str, words: str) -> None:
    assert words in volact("providers", "aws", "--lang", language).stdout


def test_a_language_that_is_not_spoken_is_wrong_input() -> None:
    done = volact("explain", "clock-skew", "--lang", "fr")
    assert (done.returncode, done.stdout) == (2, "")
    assert "en, id, zh-CN" in done.stderr


@pytest.mark.parametrize(("language", "read"), [("en", False), ("id", True)])
def test_english_reads_no_catalogue(language: str, read: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LAZY, language], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == f"0 {read}"


def test_lines_break_between_ideographs_and_never_before_a_closing_sign() -> None:
    text = "服务器无法解析云服务商主机的名称（kms1.tencentyun.com），请检查设置。" * 3
    lines = wrapped(text, 30, hang=2)
    assert "".join(line.strip() for line in lines) == text
    assert all(width(line) <= 32 for line in lines)
    assert not any(line.lstrip()[0] in "，。）" for line in lines)

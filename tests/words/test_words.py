"""Every sentence has its translation, every placeholder agrees, and English reads no catalogue."""

from __future__ import annotations

import ast
import io
import pickle
import re
import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po as babel_reads
from gather import LOCALE, SOURCE, Message, in_python, in_script, literal, messages, updated

from volact.errors import InputError, TransportError
from volact.model.error_text import error_text
from volact.model.text import Text, count, joined, listed, raw, ready, say
from volact.words import LANGUAGES, choose_language, language, speaking, tr
from volact.words.choose import known_language
from volact.words.po import entries_of, read_po

pytestmark = pytest.mark.xdist_group("words")  # the whole source is read once for all
OTHERS = [name for name in LANGUAGES if name != "en"]
KEPT = ("KMS", "GVLK", "CMID", "MAK", "TCP", "DNS", "NTP", "TLS", "UTC", "DCOM", "--")


def catalogue(name: str) -> Path:
    return LOCALE / f"{name.replace('-', '_')}.po"


def names(template: str) -> set[str]:
    """The placeholders of a template."""
    return {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}


def test_every_language_has_a_catalogue_and_every_catalogue_a_language() -> None:
    assert {path.name for path in LOCALE.glob("*.po")} == {catalogue(n).name for n in OTHERS}


@pytest.mark.parametrize("name", OTHERS)
def test_no_sentence_lacks_a_translation(name: str) -> None:
    known = read_po(catalogue(name).read_text("utf-8")).messages
    missing = [message.text for message in messages() if message.text not in known]
    assert not missing, f"run: make words, then translate in {catalogue(name).name}: {missing}"


@pytest.mark.parametrize("name", OTHERS)
def test_no_catalogue_holds_a_sentence_that_is_not_said(name: str) -> None:
    said = {message.text for message in messages()}
    known = read_po(catalogue(name).read_text("utf-8")).messages
    assert set(known) <= said, "run: make words"


@pytest.mark.parametrize("name", OTHERS)
def test_placeholders_and_terms_agree(name: str) -> None:
    for entry in entries_of(catalogue(name).read_text("utf-8")):
        for said in entry.said if entry.text else ():
            assert names(said) == names(entry.text) | names(entry.many), entry.text
            for word in KEPT:
                assert (word in said) or (word not in entry.text), (word, entry.text)


@pytest.mark.parametrize("name", OTHERS)
def test_catalogues_are_what_any_editor_reads(name: str) -> None:
    text = catalogue(name).read_text("utf-8")
    with catalogue(name).open("rb") as file:
        theirs = {
            message.id[0] if isinstance(message.id, tuple) else message.id: message.string
            for message in babel_reads(file)
            if message.id
        }
    ours = read_po(text).messages
    assert {k: v if isinstance(v, tuple) else (v,) for k, v in theirs.items()} == ours


def test_plurals_differ_only_in_words() -> None:
    plurals = [message for message in messages() if message.many]
    assert plurals
    assert [one for one in plurals if not names(one.text) <= names(one.many)] == []


def test_templates_name_plain_arguments() -> None:
    for message in messages():
        assert all(re.fullmatch(r"[a-z_]+", field) for field in names(message.text)), message


def test_a_sentence_is_said_with_everything_in_it() -> None:
    text = say(
        "The clock is {how_long} {side}.",
        how_long=say("{hours} h {minutes} min", hours=5, minutes=2),
        side=say("behind"),
    )
    assert text == "The clock is 5 h 2 min behind."
    with speaking("id"):
        assert tr(text) == "Jam tertinggal 5 jam 2 menit."
    with speaking("zh-CN"):
        assert tr(text) == "时钟慢了 5 小时 2 分。"
    assert language() == "en"
    assert tr(text) == text


def test_what_is_not_translated_stays_english_in_the_middle() -> None:
    text = say("{where}: {message}", where="x", message=say("no such sentence {n}", n=3))
    with speaking("zh-CN"):
        assert tr(text) == "x：no such sentence 3"


def test_values_are_never_templates() -> None:
    text = say("{where}: {message}", where="{0.__class__}", message=raw("{x}"))
    with speaking("id"):
        assert tr(text) == "{0.__class__}: {x}"
    assert ready("a {b}") == "a {b}"
    with speaking("id"):
        assert tr(ready("a {b}")) == "a {b}"


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (
            "Windows is licensed by kms.example:1688 of Microsoft Azure, not by a KMS host of "
            "Tencent Cloud; without that host the licence ends on 2027-05-25.",
            "Windows 由 Microsoft Azure 的 kms.example:1688 授权，而不是由 Tencent Cloud 的 KMS "
            "主机授权；没有该主机，许可证将于 2027-05-25 到期。",
        ),
        (
            "the login was refused for KANTOR\\Admin TI (check user, password or key)",
            "KANTOR\\Admin TI 的登录被拒绝（请检查用户名、密码或密钥）",
        ),
        (
            "connection refused (is the SSH server running, on this port?)",
            "连接被拒绝（SSH 服务器是否在此端口上运行？）",
        ),
        (
            "An add-on product is not licensed; this does not affect Windows itself.",
            "1 个附加产品未授权；这不影响 Windows 本身。",
        ),
        (
            "The service Schedule is disabled, and licensing needs it.",
            "服务 Schedule 已被禁用，而许可功能需要它。",
        ),
        (
            "the credentials may not do this (Forbidden.RAM) "
            "(docs/ecs.md lists what the RAM policy must allow)",
            "凭据无权执行此操作（Forbidden.RAM）（docs/ecs.md 列出了 RAM 策略必须允许的操作）",
        ),
        (
            "2 servers skipped: run 21ad verified them less than an hour ago; "
            "the rollout stopped: interrupted; 5 of 20 servers were not started",
            "已跳过 2 台服务器：运行 21ad 在不到一小时前已验证；"
            "部署已停止：已中断；20 台服务器中有 5 台未开始",
        ),
        (
            "a name; the rollout stopped: interrupted; 5 of 20 servers were not started",
            "a name；部署已停止：已中断；20 台服务器中有 5 台未开始",
        ),
        ("a name; a second; a third", "a name; a second; a third"),
        ("kms.example, kms1.example", "kms.example、kms1.example"),
        ("a name of its own", "a name of its own"),
    ],
)
def test_a_sentence_of_the_store_is_said_whole(stored: str, said: str) -> None:
    with speaking("zh-CN"):
        assert tr(stored) == said


def test_numbers_choose_the_form() -> None:
    assert count(1, "{n} server", "{n} servers") == "1 server"
    assert count(3, "{n} server", "{n} servers") == "3 servers"
    with speaking("id"):
        assert tr(count(3, "{n} server", "{n} servers")) == "3 server"


def test_a_language_with_several_plurals_is_understood() -> None:
    slavic = (
        'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : '
        'n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"\n\n'
        'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "x"\nmsgstr[1] "y"\nmsgstr[2] "z"\n\n'
        '#, fuzzy\nmsgid "c"\nmsgstr "guess"\n'
    )
    read = read_po(slavic)
    assert [read.messages["a"][read.form(n)] for n in (1, 2, 5, 21)] == ["x", "y", "z", "x"]
    assert "c" not in read.messages


def test_lists_are_sentences_too() -> None:
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert (listed([]), joined(["a"])) == ("", "a")
    with speaking("zh-CN"):
        assert tr(joined(["a", "b", "c"])) == "a、b 和 c"


def test_a_sentence_survives_being_stored() -> None:
    text = count(2, "{n} server", "{n} servers")
    again = pickle.loads(pickle.dumps(text))
    assert isinstance(again, Text)
    assert (again, again.template, again.many, again.args) == (
        text,
        text.template,
        text.many,
        {"n": 2},
    )


def test_errors_keep_their_line() -> None:
    for error in (
        InputError(
            "no such file", "give the file with the host keys that you trust", where="a.toml"
        ),
        InputError("no such file"),
        TransportError("auth", "the password has expired", "log in once by hand and change it"),
    ):
        assert error_text(error) == error.line()


@pytest.mark.parametrize(
    ("environ", "system", "chosen"),
    [
        ({}, "", "en"),
        ({"LANG": "id_ID.UTF-8"}, "", "id"),
        ({"LANG": "zh_CN.GB18030", "LC_ALL": "C"}, "", "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "zh_SG"}, "", "zh-CN"),
        ({"LANG": "zh_TW.UTF-8"}, "", "en"),
        ({"LC_ALL": "", "LANG": "id"}, "", "id"),
        ({}, "zh_CN", "zh-CN"),
        ({"LANG": "en_GB"}, "zh_CN", "en"),
    ],
)
def test_the_environment_chooses(environ: dict[str, str], system: str, chosen: str) -> None:
    assert choose_language(environ, system) == chosen


@pytest.mark.parametrize(
    ("tag", "name"),
    [("zh", "zh-CN"), ("ZH_cn", "zh-CN"), ("zh-Hans", "zh-CN"), ("id_ID@x", "id"), ("fr", "")],
)
def test_tags_are_read_in_any_spelling(tag: str, name: str) -> None:
    assert known_language(tag) == name


def test_what_is_gathered() -> None:
    code = 'say("a" " b")\ncount(n, "one", "many")\nsay(x)\nother("no")\ntr("t")'
    assert [(m.text, m.many) for m in in_python(code, "")] == [
        ("a b", ""),
        ("one", "many"),
        ("t", ""),
    ]
    script = 'return failed(x, y(1), "it is \\"so\\" now");\nsay("not this");'
    assert [m.text for m in in_script(script, "")] == ['it is "so" now']


@pytest.mark.parametrize("name", OTHERS)
def test_bringing_a_catalogue_up_to_date_loses_nothing(name: str) -> None:
    stem = catalogue(name).stem
    text = updated(catalogue(name).read_text("utf-8"), stem, messages())
    assert updated(text, stem, messages()) == text
    more = updated(text, stem, [*messages(), Message("a sentence that is new", "", "here")])
    assert read_po(more).messages == read_po(text).messages
    assert "a sentence that is new" in more


@pytest.mark.parametrize("word", ["Last", "Report", "Project", "Generally", "POT"])
def test_a_line_that_begins_like_a_head_is_kept(word: str) -> None:
    said = " ".join([word] * 40)  # every line of it begins so
    text = updated("", "id", [Message(said, "", "here")])
    assert text.count(f'"{word} ') > 1
    assert "POT-Creation-Date" not in text
    assert [message.id for message in babel_reads(io.StringIO(text)) if message.id] == [said]


_ERRORS = ("InputError", "StoreError", "NotifyError", "TransportError", "AnswerError", "Refusal")
_WORDS = re.compile(r"[a-z]{2,} [a-z(]{2,}")


def untranslatable(text: str) -> list[str]:
    """Words of an error that are given as they are: ``say`` makes them translatable."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    given = [
        part
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in _ERRORS
        for argument in (*call.args, *(word.value for word in call.keywords))
        for part in (argument.values if isinstance(argument, ast.JoinedStr) else [argument])
    ]
    return [literal(part) for part in given if _WORDS.search(literal(part))]


def test_every_error_can_be_translated() -> None:
    assert untranslatable('raise InputError("no such file", hint=f"give {x} or so")') == [
        "no such file",
        " or so",
    ]
    left = {
        path.name: words
        for path in SOURCE.rglob("*.py")
        if (words := [w for w in untranslatable(path.read_text("utf-8")) if "pip install" not in w])
    }
    assert not left


def test_a_stored_sentence_finds_its_template_again() -> None:
    sentence = say(
        "The KMS host refused: {code}.",
        code=say(
            "{code}, {meaning}", code="0x800706BA", meaning=ready("The RPC server is not available")
        ),
    )
    with speaking("id"):
        assert tr(str(sentence)) == tr(sentence) != str(sentence)
        assert tr("The clock is 7 h 59 min behind.") == "Jam tertinggal 7 jam 59 menit."
        assert tr("the RPC server is not available") == "server RPC tidak tersedia"
        assert tr("activate") == "activate"
        image = say(
            "The image {image} {why}, so the provider's licence does not cover it.",
            image="img-1", why=say("was imported"),
        )  # fmt: skip
        assert tr(str(image)) == tr(image)
        assert tr("web 01, behind the gate") == "web 01, behind the gate"
        late = say(
            "{message} ({hint})",
            message=say("the server did not finish within {seconds} s", seconds="7.73"),
            hint=say("raise --deadline, or find out what its processes wait for"),
        )
        assert tr(str(late)) == tr(late)
        assert tr("web (01), behind (the gate)") == "web (01), behind (the gate)"
    with speaking("zh-CN"):
        assert tr("no login within 20 s") == "20 秒内未能登录"
        stopped = "the rollout stopped: 1 canary failed: web-28; 35 of 40 servers were not started"
        assert not re.search("[a-z]{3,} [a-z]", tr(stopped))
    assert tr("no login within 20 s") == "no login within 20 s"

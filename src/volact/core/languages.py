"""The language of a Windows as BCP 47, from its LCID.  Data and one look-up."""

from __future__ import annotations

_TAGS: dict[int, str] = {
    1025: "ar-SA",
    1026: "bg-BG",
    1028: "zh-TW",
    1029: "cs-CZ",
    1030: "da-DK",
    1031: "de-DE",
    1032: "el-GR",
    1033: "en-US",
    1035: "fi-FI",
    1036: "fr-FR",
    1037: "he-IL",
    1038: "hu-HU",
    1040: "it-IT",
    1041: "ja-JP",
    1042: "ko-KR",
    1043: "nl-NL",
    1044: "nb-NO",
    1045: "pl-PL",
    1046: "pt-BR",
    1048: "ro-RO",
    1049: "ru-RU",
    1050: "hr-HR",
    1051: "sk-SK",
    1053: "sv-SE",
    1054: "th-TH",
    1055: "tr-TR",
    1057: "id-ID",
    1058: "uk-UA",
    1060: "sl-SI",
    1061: "et-EE",
    1062: "lv-LV",
    1063: "lt-LT",
    1066: "vi-VN",
    1081: "hi-IN",
    2052: "zh-CN",
    2057: "en-GB",
    2070: "pt-PT",
    3076: "zh-HK",
    3082: "es-ES",
}


def language_tag(lcid: int) -> str:
    """The tag for an LCID; ``und-x-lcid1234`` for one that is not in the table."""
    return _TAGS.get(lcid, f"und-x-lcid{lcid}")

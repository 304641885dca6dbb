"""Languages of the simulated Windows: numbers, code pages, and what programs print.

The captions are made up to carry the letters of each language; the sentences
are the lab's own.  They exist so that nothing can come to depend on English.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Language:
    """One language.  ``{}`` is where a program puts what it talks about."""

    tag: str
    lcid: int
    oem: str
    ansi: str
    zone: str
    bias: int
    edition_word: str = "{}"
    administrators: str = "Administrators"
    network_service: str = "NT AUTHORITY\\NETWORK SERVICE"
    done: str = "The command completed successfully."
    not_recognized: str = (
        "'{}' is not recognized as an internal or external command,\r\n"
        "operable program or batch file."
    )
    unexpected: str = "{} was unexpected at this time."
    batch_gone: str = "The batch file cannot be found."
    no_label: str = "The system cannot find the batch label specified - {}"
    no_variable: str = "Environment variable {} not defined"
    could_not_find: str = "Could Not Find {}"
    copied: str = "        {} file(s) copied."
    echo_is: str = "ECHO is {}."
    press_key: str = "Press any key to continue . . . "
    version: str = "Version"
    script_host_off: str = (
        "Windows Script Host access is disabled on this machine. "
        "Contact your administrator for details."
    )
    time_too_far: str = "The computer did not resync because the required time change was too big."
    time_no_data: str = "The computer did not resync because no time data was available."
    time_stale: str = "The computer did not resync because only stale time data was available."
    error_word: str = "Error"
    errors: dict[int, str] = field(default_factory=dict)

    def win32_text(self, number: int) -> str:
        """The sentence for a Win32 error number."""
        return self.errors.get(number) or f"{self.error_word} {number}."


_EN = {
    2: "The system cannot find the file specified.",
    3: "The system cannot find the path specified.",
    5: "Access is denied.",
    1056: "An instance of the service is already running.",
    1058: "The service cannot be started because it is disabled.",
    1060: "The specified service does not exist as an installed service.",
    1062: "The service has not been started.",
}

ENGLISH = Language("en", 1033, "cp437", "cp1252", "Singapore Standard Time", 480, errors=_EN)

CHINESE = Language(
    "zh",
    2052,
    "cp936",
    "cp936",
    "China Standard Time",
    480,
    edition_word="{} 版",
    done="命令成功完成。",
    not_recognized="'{}' 不是内部或外部命令，也不是可运行的程序\r\n或批处理文件。",
    unexpected="此时不应有 {}。",
    batch_gone="找不到批处理文件。",
    no_label="系统找不到指定的批处理标签 - {}",
    no_variable="环境变量 {} 没有定义",
    could_not_find="找不到 {}",
    copied="已复制         {} 个文件。",
    echo_is="ECHO 状态: {}。",
    press_key="请按任意键继续. . . ",
    version="版本",
    script_host_off="本机禁止使用 Windows 脚本宿主。请与管理员联系。",
    time_too_far="此计算机没有重新同步，因为要求的时间更改太大。",
    time_no_data="此计算机没有重新同步，因为没有可用的时间数据。",
    time_stale="此计算机没有重新同步，因为只有过时的时间数据可用。",
    error_word="错误",
    errors={2: "系统找不到指定的文件。", 3: "系统找不到指定的路径。", 5: "拒绝访问。"},
)

INDONESIAN = Language(
    "id",
    1057,
    "cp850",
    "cp1252",
    "SE Asia Standard Time",
    420,
    edition_word="edisi {}",
    done="Perintah selesai dengan sukses.",
    not_recognized="'{}' tidak dikenal sebagai perintah internal atau eksternal.",
    unexpected="{} tidak diharapkan saat ini.",
    batch_gone="Berkas batch tidak ditemukan.",
    no_label="Label batch tidak ditemukan - {}",
    no_variable="Variabel {} tidak ada",
    could_not_find="Tidak menemukan {}",
    copied="        {} berkas disalin.",
    echo_is="ECHO: {}.",
    press_key="Tekan sembarang tombol . . . ",
    version="Versi",
    script_host_off="Akses Windows Script Host dinonaktifkan pada mesin ini.",
    time_too_far="Waktu tidak disinkronkan: perubahan terlalu besar.",
    time_no_data="Waktu tidak disinkronkan: tidak ada data waktu.",
    time_stale="Waktu tidak disinkronkan: data waktu sudah lama.",
    error_word="Kesalahan",
    errors={2: "Berkas tidak ditemukan.", 3: "Jalur tidak ditemukan.", 5: "Akses ditolak."},
)

JAPANESE = Language(
    "ja",
    1041,
    "cp932",
    "cp932",
    "Tokyo Standard Time",
    540,
    edition_word="{} エディション",
    done="コマンドは正しく完了しました。",
    not_recognized="'{}' は、内部コマンドまたは外部コマンドとして認識されていません。",
    unexpected="{} の使い方が誤っています。",
    batch_gone="バッチ ファイルが見つかりません。",
    no_label="バッチ ラベルが見つかりません - {}",
    no_variable="環境変数 {} が定義されていません",
    could_not_find="{} が見つかりませんでした",
    copied="        {} 個のファイルをコピーしました。",
    echo_is="ECHO は {} です。",
    press_key="続行するには何かキーを押してください . . . ",
    script_host_off="このマシンでは Windows Script Host へのアクセスが無効です。",
    time_too_far="時刻の変更が大きすぎるため、再同期しませんでした。",
    time_no_data="時刻データがないため、再同期しませんでした。",
    time_stale="時刻データが古いため、再同期しませんでした。",
    error_word="エラー",
    errors={2: "ファイルが見つかりません。", 5: "アクセスが拒否されました。"},
)

GERMAN = Language(
    "de",
    1031,
    "cp850",
    "cp1252",
    "W. Europe Standard Time",
    60,
    edition_word="{}-Edition für Unternehmen",
    administrators="Administratoren",
    network_service="NT-AUTORITÄT\\Netzwerkdienst",
    done="Der Befehl wurde erfolgreich ausgeführt.",
    not_recognized="Der Befehl '{}' ist entweder falsch geschrieben oder konnte nicht gefunden werden.",  # noqa: E501
    unexpected="{} ist syntaktisch an dieser Stelle nicht verarbeitbar.",
    batch_gone="Die Batchdatei kann nicht gefunden werden.",
    no_label="Sprungmarke nicht gefunden - {}",
    no_variable="Die Umgebungsvariable {} ist nicht definiert",
    could_not_find="{} konnte nicht gefunden werden",
    copied="        {} Datei(en) kopiert.",
    echo_is="ECHO ist {}.",
    press_key="Drücken Sie eine beliebige Taste . . . ",
    script_host_off="Der Zugriff auf Windows Script Host ist auf diesem Computer deaktiviert.",
    time_too_far="Der Computer wurde nicht synchronisiert: die Änderung ist zu groß.",
    time_no_data="Der Computer wurde nicht synchronisiert: keine Zeitdaten.",
    time_stale="Der Computer wurde nicht synchronisiert: nur veraltete Zeitdaten.",
    error_word="Fehler",
    errors={2: "Die Datei wurde nicht gefunden.", 5: "Zugriff verweigert."},
)

LANGUAGES = {lang.tag: lang for lang in (ENGLISH, CHINESE, INDONESIAN, JAPANESE, GERMAN)}

/*
 * What this script stands on: the script host and its settings, the engine, the bits of
 * the process and of the system, the code pages.
 */

UNCHANGED.ground = function () {
  var pages = CONTROL + "Nls\\CodePage\\";
  return {
    wsh: ask(function () { return WScript.Version; }),
    engine: ask(function () {
      return ScriptEngine() + " " + ScriptEngineMajorVersion() + "." +
        ScriptEngineMinorVersion() + "." + ScriptEngineBuildVersion();
    }),
    replacement: regNumber(POLICIES + "Internet Explorer\\Main\\JScriptReplacement"),
    process: ask(processor), system: field(os(), "OSArchitecture", asText),
    acp: regText(pages + "ACP"), oem: regText(pages + "OEMCP")
  };
};

function hasSystemFile(name) {
  return files.FileExists(systemFile(name));
}

UNCHANGED.wsh = function () {
  var path = "\\SOFTWARE\\Microsoft\\Windows Script Host\\Settings\\";
  return {machine: regNumber("HKLM" + path + "Enabled"), user: regNumber("HKCU" + path + "Enabled"),
    winsafer: regNumber("HKLM" + path + "UseWINSAFER"), slmgr: hasSystemFile("slmgr.vbs"),
    vbscript: ask(function () {
      return readValue("HKLM\\SOFTWARE\\Classes\\VBScript\\CLSID\\") !== null &&
        hasSystemFile("vbscript.dll");
    })};
};

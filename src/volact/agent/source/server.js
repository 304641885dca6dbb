/*
 * What both facts and steps must know of a server: its release, its licensing
 * program, whether this run is elevated.
 */

var OF_SYSTEM = " FROM Win32_OperatingSystem";
var osRow = null;

function os() {
  if (!osRow) {
    osRow = only("SELECT Caption, Version, BuildNumber, OperatingSystemSKU, OSLanguage," +
      " OSArchitecture, CurrentTimeZone" + OF_SYSTEM);
  }
  return osRow;
}

var W32TIME = SERVICES + "W32Time\\", TIME_POLICY = POLICIES + "W32Time\\";

/* In the hardware hive, which Windows makes anew whenever it starts. */
var RESTART_MARK = "HKLM\\HARDWARE\\DESCRIPTION\\System\\VolactRestart";

var LIMITS = ["MaxPosPhaseCorrection", "MaxNegPhaseCorrection"];

/* The phase limits as they were while a step has raised them: "54000 54000". */
var LIMITS_MARK = W32TIME + "Config\\VolactLimits";

/* From the registry, which answers without WMI, else from WMI. */
function windowsBuild() {
  var build = regNumber(NT + "CurrentBuildNumber");
  if (typeof build !== "number") {
    build = field(os(), "BuildNumber", asNumber);
  }
  return knownNumber(build);
}

/* Builds below 7000 are Server 2008, where licensing has other names. */
function is2008() {
  return windowsBuild() < 7000;
}

function licensingKey() {
  return NT + (is2008() ? "SL\\" : "SoftwareProtectionPlatform\\");
}

/* With this begin the values of the KMS host that Server 2008 found by DNS. */
var OLD_DISCOVERED = "HKEY_USERS\\S-1-5-20" + NT.substr(4) + "SL\\Discovered" + KMS;

/* The licensing program as its service names it. */
function binaryPath() {
  var name = is2008() ? "slsvc" : "sppsvc", image = readValue(SERVICES + name + "\\ImagePath");
  var match = /^\s*"([^"]+)"|^\s*(.*?\.exe)/i.exec(image === null ? "" : String(image));
  return match ? expanded(match[1] || match[2]) : systemFile(name + ".exe");
}

/*
 * Where the registry says what Windows starts instead of the licensing program, or loads into
 * it; or, for kms, of SppExtComObj.exe, which speaks KMS since 2012.
 */
function imageOptions(kms) {
  var path = kms ? "\\SppExtComObj.exe" : binaryPath();
  return NT + "Image File Execution Options" + path.substr(path.lastIndexOf("\\")) + "\\";
}

function debuggerPath(step) {
  return imageOptions(step.kms) + "Debugger";
}

/* The DACL as icacls saves it: the name, then the SDDL, in which "S:" may follow. */
function readSddl(path) {
  var match, out = base + ".out";
  if (!files.FileExists(path) && !files.FolderExists(path)) {
    return null;
  }
  try {
    mustRun("icacls.exe", '"' + path + '" /save "' + out + '" /q');
    match = /(?:^|[\r\n])(D:.*?)(?:S:|[\r\n]|$)/.exec(readFile(out, -1));
  } finally {
    removeFile(out);
  }
  if (!match) {
    throw failure(BAD_DATA);
  }
  return clip(match[1], 1500);
}

/* Only administrators and the system may read this account's hive. */
function elevatedFact() {
  try {
    shell.RegRead("HKEY_USERS\\S-1-5-19\\Environment\\TEMP");
    return true;
  } catch (error) {
    if (hresultOf(error) === DENIED) {
      return false;
    }
    throw error;
  }
}

/*
 * The step that rebuilds the licence store, as Microsoft's page on
 * tokens.dat has it up to the restarts.  The old store is kept beside the new
 * one, and put back when anything fails.
 */

/* Taken for the facts that follow, and for putting the old store back. */
var STORE_RESERVE_MS = 45000, STORE_LEAST_MS = 180000;

/* What is left of the time after which this script is ended from outside. */
function millisecondsLeft() {
  return BUDGET_MS / 0.6 - tick() - STORE_RESERVE_MS;
}

function storeView(folder) {
  var view = {path: clip(folder, 300), tokens: null, spare: files.FileExists(folder + "\\tokens.bar")};
  if (files.FileExists(folder + "\\tokens.dat")) {
    view.tokens = Number(files.GetFile(folder + "\\tokens.dat").Size);
  }
  return view;
}

/* Renaming while the service is down; it comes up again by itself when it is asked. */
function moveStore(service, from, to) {
  stopService(service);
  files.MoveFile(from, to);
}

/* The licence files in a folder and those below it; their paths are ASCII. */
function licenceFiles(folder) {
  var out = base + ".out";
  try {
    runTool("cmd.exe", '/d /c dir /s /b /a-d "' + folder + '\\*.xrm-ms"', out);
    return readFile(out, 0).match(/[A-Z]:\\[^\r\n]*\.xrm-ms(?=[\r\n])/gi) || [];
  } finally {
    removeFile(out);
  }
}

/* A licence file is UTF-8 or, with NUL in every other byte, UTF-16. */
function licenceText(path) {
  var stream = new ActiveXObject("ADODB.Stream"), text;
  stream.Type = 2;
  stream.Charset = "utf-8";
  stream.Open();
  stream.LoadFromFile(path);
  text = stream.ReadText();
  if (text.indexOf("\u0000") >= 0) {
    stream.Position = 0;
    stream.Charset = "unicode";
    text = stream.ReadText();
  }
  stream.Close();
  return text;
}

/*
 * The licences that Windows brings, as slmgr.vbs /rilc installs them.  Where Server 2008
 * keeps them is in no source, but it always has VBScript: there that script does it.
 */
function reinstallLicences(seconds) {
  var until = now() + seconds * 1000, list, i, service;
  if (is2008()) {
    mustRun("cscript.exe", "//nologo //B //T:" + seconds + " " + systemFile("slmgr.vbs") +
      " /rilc");
    return;
  }
  list = licenceFiles(systemFile("spp\\tokens")).concat(licenceFiles(systemFile("oem")));
  service = serviceRow();
  if (!service.row || !list.length) {
    throw failure(service.error || NO_FILE);
  }
  for (i = 0; i < list.length; i++) {
    if (now() > until) {
      throw failure(TIMED_OUT);
    }
    call(service.row, "InstallLicense", "SoftwareLicensingService", "License",
      licenceText(list[i]));
  }
  ask(refreshLicense);
}

/* The store that was kept replaces what is there now. */
function putStoreBack(service, folder) {
  stopService(service);
  removeFile(folder + "\\tokens.dat");
  files.MoveFile(folder + "\\tokens.bar", folder + "\\tokens.dat");
  startService(service);
  removeValue(RESTART_MARK);
}

function rebuildStore(service, folder, seconds) {
  moveStore(service, folder + "\\tokens.dat", folder + "\\tokens.bar");
  startService(service);
  reinstallLicences(seconds);
  if (storeView(folder).tokens === null) {
    throw failure(NO_FILE);
  }
}

STEPS["rebuild-token-store"] = function () {
  var folder = storeFolder(), before = storeView(folder), left = millisecondsLeft();
  var service = is2008() ? "slsvc" : "sppsvc", hresult, back;
  if (awaitsRestart(before)) {
    return awaitsRestart(before);
  }
  if (before.spare) {
    return refused("a store was already saved here: tokens.bar exists", before);
  }
  if (before.tokens === null) {
    return failed(NO_FILE, before, before, "there is no tokens.dat");
  }
  if (left < STORE_LEAST_MS) {
    return refused("this takes minutes: allow more time with --deadline 900", before);
  }
  markRestart("rebuild-token-store");
  try {
    rebuildStore(service, folder, Math.floor(left / 1000));
  } catch (error) {
    hresult = hresultOf(error);
    back = ask(function () {
      if (storeView(folder).spare) {
        putStoreBack(service, folder);
      } else {
        removeValue(RESTART_MARK);
        startService(service);
      }
    });
    return failed(hresult, before, storeView(folder),
      back === null ? "the old store was restored" : "the old store is saved as tokens.bar");
  }
  back = storeView(folder);
  back.restarts = 2;
  return result(true, true, before, back, "restart the server twice");
};

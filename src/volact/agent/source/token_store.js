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

/* The licences that Windows brings, by its own script; no word of it is read. */
function reinstallLicences(seconds) {
  var script = systemFile("slmgr.vbs");
  if (!files.FileExists(script)) {
    return NO_FILE;
  }
  return runTool("cscript.exe", "//nologo //B //T:" + seconds + " " + script + " /rilc");
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
  var hresult;
  moveStore(service, folder + "\\tokens.dat", folder + "\\tokens.bar");
  startService(service);
  hresult = reinstallLicences(seconds);
  if (hresult === null && storeView(folder).tokens === null) {
    hresult = NO_FILE;
  }
  if (hresult !== null) {
    throw failure(hresult);
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

/*
 * The step that gives the licensing program's file back to the account that
 * runs it: reading its DACL as SIDs, and changing it with icacls.
 */

/* SDDL's short names of the accounts that matter here. */
var SID_NAMES = {NS: "S-1-5-20", WD: "S-1-1-0", AU: "S-1-5-11", BU: "S-1-5-32-545",
  BA: "S-1-5-32-544", SY: "S-1-5-18", LS: "S-1-5-19", SU: "S-1-5-6", AN: "S-1-5-7"};

/* Groups that every service account is in, and the services' own accounts. */
var SERVICE_GROUPS = ["S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-6", "S-1-5-15", "S-1-2-0"];
var SERVICE_SIDS = {
  sppsvc: "S-1-5-80-123231216-2592883651-3715271367-3753151631-4175906628",
  slsvc: "S-1-5-80-2119565420-4155874467-2934723793-509086461-374458824"
};

/* Whether an entry's rights hold "execute", as a number or as letter pairs. */
function hasExecute(rights) {
  var i;
  if (/^0x/i.test(rights)) {
    return (Number(rights) & 0x30000020) !== 0;
  }
  for (i = 0; i + 1 < rights.length; i += 2) {
    if (/^(FA|FX|GA|GX|WP)$/.test(rights.substr(i, 2))) {
      return true;
    }
  }
  return false;
}

/* The accounts that the DACL allows (A) or denies (D) to execute the file. */
function executeSids(sddl, kind) {
  var pattern = /\(([^;()]*);([^;()]*);([^;()]*);[^;()]*;[^;()]*;([^;()]*)\)/g, list = [], match;
  while ((match = pattern.exec(sddl)) !== null) {
    if (match[1] === kind && match[2].indexOf("IO") < 0 && hasExecute(match[3])) {
      list.push(SID_NAMES[match[4]] || match[4]);
    }
  }
  return list;
}

function anyOf(wanted, present) {
  return some(wanted, function (one) {
    return includes(present, one);
  });
}

function mayExecute(sddl, sid, denied) {
  var who = [sid].concat(SERVICE_GROUPS, SERVICE_SIDS[is2008() ? "slsvc" : "sppsvc"]);
  return !anyOf(who.concat(denied), executeSids(sddl, "D")) && anyOf(who, executeSids(sddl, "A"));
}

/* The same entries as the file's own, for an icacls without /inheritance (Server 2008). */
function ownDacl(sddl) {
  return "D:P" + sddl.substr(sddl.indexOf("(")).replace(/\((\w+);([A-Z]*)ID([A-Z]*);/g, "($1;$2$3;");
}

/* Entries that come from the folder cannot be taken away: they become the file's own first. */
function inheritsDenial(sddl, denied) {
  var pattern = /\(D;[A-Z]*ID[A-Z]*;[^;()]*;;;([^;()]*)\)/g, match;
  while ((match = pattern.exec(sddl)) !== null) {
    if (includes(denied, SID_NAMES[match[1]] || match[1])) {
      return true;
    }
  }
  return false;
}

function changeAcl(path, sid, denied, sddl) {
  var lines = inheritsDenial(sddl, denied) ? ["/inheritance:d"] : [], i, hresult = null;
  for (i = 0; i < denied.length; i++) {
    if (includes(executeSids(sddl, "D"), denied[i])) {
      lines.push("/remove:d *" + denied[i]);
    }
  }
  if (!anyOf([sid].concat(SERVICE_GROUPS), executeSids(sddl, "A"))) {
    lines.push("/grant *" + sid + ":(RX)");
  }
  for (i = 0; i < lines.length && hresult === null; i++) {
    hresult = runTool("icacls.exe", '"' + path + '" ' + lines[i]);
    if (hresult === BAD_PARAMETER && lines[i] === "/inheritance:d") {
      hresult = writeDacl(path, ownDacl(sddl));
    }
  }
  return hresult;
}

STEPS["grant-execute"] = function (step) {
  var path = binaryPath(), was = readSddl(path), hresult, i, denied = step.deny || [];
  var all = [step.sid].concat(denied), before = {sddl: was}, after;
  for (i = 0; i < all.length; i++) {
    if (!/^S-1(-\d+)+$/.test(all[i])) {
      return failed(BAD_PARAMETER);
    }
  }
  if (was === null) {
    return failed(NO_FILE, before, before);
  }
  if (mayExecute(was, step.sid, denied)) {
    return unchanged(before);
  }
  hresult = changeAcl(path, step.sid, all, was);
  if (hresult === DENIED) {
    before.owner = ownerOf(path);
    hresult = asOwner(path, before.owner, function () {
      return changeAcl(path, step.sid, all, was);
    });
  }
  after = {sddl: readSddl(path)};
  if (before.owner !== undefined) {
    after.owner = ownerOf(path);
  }
  if (!mayExecute(after.sddl, step.sid, denied)) {
    return failed(hresult, before, after, "the permissions are not as requested");
  }
  return typeof before.owner === "string" && after.owner !== before.owner
    ? failed(null, before, after, "the owner could not be restored")
    : result(true, true, before, after);
};

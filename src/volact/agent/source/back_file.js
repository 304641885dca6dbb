/*
 * Restoring the DACL and the debugger of the licensing program.
 */

/*
 * The form in which icacls keeps a DACL: the name, then the text, in UTF-16.
 * Without a byte order mark, which would become a part of the name.
 */
function writeWide(path, text) {
  var stream = files.CreateTextFile(path, true, false), wide = [], i;
  for (i = 0; i < text.length; i++) {
    wide.push(text.charAt(i) + "\u0000");
  }
  stream.Write(wide.join(""));
  stream.Close();
}

function writeDacl(path, sddl) {
  var cut = path.lastIndexOf("\\"), list = base + ".out";
  try {
    writeWide(list, path.substr(cut + 1) + "\r\n" + sddl + "\r\n");
    return runTool("icacls.exe", '"' + path.substr(0, cut) + '" /restore "' + list + '" /q');
  } finally {
    removeFile(list);
  }
}

/* Ownership is taken only where it has to be, and given back. */
function writeDaclAsOwner(path, sddl) {
  var owner = ownerOf(path), hresult = runTool("takeown.exe", '/f "' + path + '" /a');
  if (hresult !== null) {
    return hresult;
  }
  try {
    return writeDacl(path, sddl);
  } finally {
    runTool("icacls.exe", '"' + path + '" /setowner *' +
      (typeof owner === "string" ? owner : TRUSTED_INSTALLER));
  }
}

STEPS["restore-acl"] = function (step) {
  var path = binaryPath();
  if (!/^D:[A-Z_]*(\([^()\r\n]*\))*$/.test(step.sddl)) {
    return failed(BAD_PARAMETER);
  }
  return putBack(function () {
    return {sddl: readSddl(path)};
  }, function (view) {
    return view.sddl === step.sddl;
  }, function (view) {
    return includes(step.expect, view.sddl);
  }, function () {
    var hresult = writeDacl(path, step.sddl);
    return readSddl(path) === step.sddl ? hresult : writeDaclAsOwner(path, step.sddl);
  });
};

STEPS["restore-debugger"] = function (step) {
  var path = debuggerPath();
  return putBack(function () {
    return {"debugger": readValue(path)};
  }, function (view) {
    return view["debugger"] === step["debugger"];
  }, function (view) {
    return view["debugger"] === null;
  }, function () {
    writeText(path, step["debugger"]);
    return null;
  });
};

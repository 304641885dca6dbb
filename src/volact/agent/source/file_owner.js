/*
 * The owner of a file, as a SID, so that it can be restored; and its DACL, written whole.
 */

var TRUSTED_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";

/* The owner, which icacls does not show without a name of some language. */
function fileOwner(path) {
  var file = wmi().Get("Win32_LogicalFileSecuritySetting.Path='" + path.replace(/\\/g, "\\\\") +
    "'");
  var output = file.ExecMethod_("GetSecurityDescriptor");
  return String(property(property(property(output, "Descriptor"), "Owner"), "SIDString"));
}

function ownerOf(path) {
  return ask(function () {
    return fileOwner(path);
  });
}

/*
 * Taking ownership is the last resort, and it is given back to whom it was
 * taken from; if that is not known, to the owner that Windows gives these files.
 */
function asOwner(path, owner, change) {
  var hresult = runTool("takeown.exe", '/f "' + path + '" /a');
  if (hresult !== null) {
    return hresult;
  }
  try {
    return change();
  } finally {
    runTool("icacls.exe", '"' + path + '" /setowner *' +
      (typeof owner === "string" ? owner : TRUSTED_INSTALLER));
  }
}

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

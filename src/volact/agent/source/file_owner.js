/*
 * The owner of a file: as a SID, so that it can be restored.
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

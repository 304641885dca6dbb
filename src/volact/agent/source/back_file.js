/*
 * Restoring the DACL and the debugger of the licensing program.
 */

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
    return readSddl(path) === step.sddl ? hresult : asOwner(path, ownerOf(path), function () {
      return writeDacl(path, step.sddl);
    });
  });
};

STEPS["restore-debugger"] = function (step) {
  var path = debuggerPath(step);
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

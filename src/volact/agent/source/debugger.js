/*
 * The step that removes a debugger of a licensing program.  Only the one
 * that a person was shown: another one may be there for a reason.
 */

STEPS["remove-debugger"] = function (step) {
  var path = debuggerPath(step), before = {"debugger": readValue(path)}, after;
  if (before["debugger"] === null) {
    return unchanged(before);
  }
  if (String(before["debugger"]) !== step["debugger"]) {
    return refused("a different debugger is set now", before);
  }
  removeValue(path);
  after = {"debugger": readValue(path)};
  return after["debugger"] === null ? result(true, true, before, after)
    : failed(null, before, after, "the debugger is still set");
};

/*
 * The step that gives a clone a machine ID of its own.  Windows allows it a few
 * times only and completes it when it is restarted.
 */

STEPS.rearm = function () {
  var row = only("SELECT Version, ClientMachineID, RemainingWindowsReArmCount" + OF_SERVICE);
  var left, before, skip = readValue(licensingKey() + "SkipRearm");
  if (!row.row) {
    return failed(row.error);
  }
  left = asNumber(property(row.row, "RemainingWindowsReArmCount"));
  before = {rearm: left, cmid: String(property(row.row, "ClientMachineID"))};
  if (awaitsRestart(before)) {
    return awaitsRestart(before);
  }
  if (Number(skip) === 1) {
    return refused("SkipRearm is 1, so Windows would ignore the rearm", before);
  }
  if (!(left > 1)) {
    return refused("only one rearm is left, or none", before);
  }
  markRestart("rearm");
  try {
    call(row.row, "ReArmWindows");
  } catch (error) {
    removeValue(RESTART_MARK);
    throw error;
  }
  return result(true, true, before, {restarts: 1}, "restart the server");
};

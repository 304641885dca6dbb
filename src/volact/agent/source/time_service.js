/*
 * Steps about the Windows Time service beyond its clock and its source: what
 * starts it outside of a domain, where since 2008 R2 its own trigger stops it,
 * and the phase limits that an interrupted run has left raised.
 */

STEPS["set-time-trigger"] = function () {
  var before = {triggers: timeTriggers()}, after, hresult, role = certainRole();
  if (role !== 0 && role !== 2) {
    return refused("in a domain the Windows Time service runs by itself", before);
  }
  if (startsWithNetwork(before.triggers)) {
    return unchanged(before);
  }
  hresult = runTool("sc.exe", "triggerinfo w32time start/networkon stop/networkoff");
  after = {triggers: timeTriggers()};
  return startsWithNetwork(after.triggers) ? result(true, true, before, after)
    : failed(hresult, before, after, "the trigger is not as requested");
};

/* Type 2 is the first address, action 1 is to start. */
function startsWithNetwork(triggers) {
  return includes(String(triggers).split(" "), "2/1");
}

STEPS["restore-time-limits"] = function () {
  var saved = savedLimits(), before = readLimits(), restored;
  if (saved === null) {
    return unchanged(before);
  }
  restored = restoreLimits(saved);
  return restored ? result(true, true, before, readLimits())
    : failed(DENIED, before, readLimits(), "the phase limits could not be restored");
};

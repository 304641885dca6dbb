/*
 * The step that stops the licensing service and starts it again.
 */

STEPS["restart-licensing"] = function () {
  var name = is2008() ? "slsvc" : "sppsvc", before = serviceView(findService(name)), after;
  if (before.state === null) {
    return failed(NO_SERVICE, before, before);
  }
  try {
    try {
      stopService(name);
    } finally {
      after = serviceView(startService(name));
    }
  } catch (error) {
    return failed(hresultOf(error), before, serviceView(findService(name)));
  }
  return after.state === "Running" ? result(true, true, before, after)
    : failed(0x8007041D, before, after);
};

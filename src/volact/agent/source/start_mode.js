/*
 * The step that gives a disabled service its start mode back.
 */

STEPS["enable-service"] = function (step) {
  var service = findService(step.name), before = serviceView(service), after, hresult;
  if (!START_VALUES.hasOwnProperty(step.start) || step.start === "disabled") {
    return failed(BAD_PARAMETER, before, before);
  }
  if (!service) {
    return failed(NO_SERVICE, before, before);
  }
  if (service.start !== "Disabled") {
    return unchanged(before);
  }
  hresult = runTool("sc.exe", "config " + step.name + " start= " + step.start);
  after = serviceView(findService(step.name));
  if (after.start === "Disabled" && hresult === DENIED &&
      (step.name === "sppsvc" || step.name === "Schedule")) {
    return enableAtRestart(step, before, after);
  }
  if (after.start === "Disabled") {
    return failed(hresult, before, after, "the service is still disabled");
  }
  return result(true, true, before, after);
};

/*
 * Since Windows 8 only the system may configure the licensing service, and always Schedule.
 * An administrator may write its key, which Windows reads when it starts.
 */
function enableAtRestart(step, before, after) {
  var key = SERVICES + step.name + "\\", note = "it takes effect when the server is restarted";
  before.registry = readValue(key + "Start");
  before.delayed = readValue(key + "DelayedAutoStart");
  after.registry = START_VALUES[step.start];
  after.via = "registry";
  if (step.name === "Schedule") {
    /* No mark: activation does not wait for it. */
    writeNumber(key + "Start", after.registry);
    return result(true, true, before, after, note);
  }
  if (readValue(RESTART_MARK) === step["do"] && before.registry === after.registry) {
    return result(true, false, before, after, note);
  }
  if (awaitsRestart(before)) {
    return awaitsRestart(before);
  }
  markRestart(step["do"]);
  try {
    writeNumber(key + "DelayedAutoStart", step.start === "delayed-auto" ? 1 : 0);
    writeNumber(key + "Start", after.registry);
  } catch (error) {
    removeValue(RESTART_MARK);
    throw error;
  }
  return result(true, true, before, after, note);
}

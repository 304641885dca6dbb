/*
 * Restoring the start mode of a service.  Where only the system may
 * configure it, its key is written, which Windows reads when it starts.
 */

/* What the key says holds from the next start on, where a step has left it so. */
function startView(name) {
  var view = serviceView(findService(name)), mark = readValue(RESTART_MARK), word;
  if (view.start !== null && (mark === "enable-service" || mark === "restore-start-mode")) {
    word = MODES[readValue(SERVICES + name + "\\Start")];
    view.start = word || view.start;
  }
  return view;
}

STEPS["restore-start-mode"] = function (step) {
  var wanted = MODES[START_VALUES[step.start]];
  if (!wanted) {
    return failed(BAD_PARAMETER);
  }
  if (!findService(step.name)) {
    return failed(NO_SERVICE, {state: null, start: null}, {state: null, start: null});
  }
  return putBack(function () {
    return startView(step.name);
  }, function (view) {
    return view.start === wanted;
  }, function (view) {
    return includes(step.expect, view.start);
  }, function (view) {
    var hresult = runTool("sc.exe", "config " + step.name + " start= " + step.start);
    if (hresult === DENIED && step.name === "Schedule") {
      view.delayed = readValue(SERVICES + step.name + "\\DelayedAutoStart");
      return writeStart(SERVICES + step.name + "\\", step, wanted);
    }
    return hresult === DENIED && step.name === "sppsvc" ? startByKey(step, wanted, view) : hresult;
  });
};

/* The mark stands as long as what Windows holds is not yet what the key says. */
function startByKey(step, wanted, before) {
  var key = SERVICES + step.name + "\\", mark = readValue(RESTART_MARK);
  if (mark !== null && mark !== "enable-service" && mark !== "restore-start-mode") {
    return NOT_SUPPORTED;
  }
  before.delayed = readValue(key + "DelayedAutoStart");
  if (findService(step.name).start !== wanted) {
    markRestart(wanted === "Disabled" ? "restore-start-mode" : "enable-service");
  }
  try {
    writeStart(key, step, wanted);
  } catch (error) {
    putValue(RESTART_MARK, mark);
    throw error;
  }
  if (findService(step.name).start === wanted) {
    removeValue(RESTART_MARK);
  }
  return null;
}

function writeStart(key, step, wanted) {
  if (step.delayed === null) {
    removeValue(key + "DelayedAutoStart");
  } else if (step.delayed !== undefined || wanted !== "Disabled") {
    writeNumber(key + "DelayedAutoStart",
      step.delayed === undefined ? Number(step.start === "delayed-auto") : step.delayed);
  }
  writeNumber(key + "Start", START_VALUES[step.start]);
  return null;
}

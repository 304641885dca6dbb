/*
 * Running the steps of a request in order, and the steps that start services.  A step
 * makes sure of something and reports what was before, what is after, and whether it
 * changed anything.
 */

var STEPS = {};

function result(ok, changed, before, after, note) {
  return {ok: ok, changed: changed, hresult: null, before: before || {}, after: after || {},
    note: note || ""};
}

/* It was so already. */
function unchanged(view, note) {
  return result(true, false, view, view, note);
}

function failed(hresult, before, after, note) {
  var outcome = result(false, false, before, after, note);
  outcome.hresult = hresult === null || hresult === undefined ? null : hresult >>> 0;
  return outcome;
}

/* A rule forbids the step: nothing was tried. */
function refused(note, before) {
  var outcome = failed(NOT_SUPPORTED, before, before, note);
  outcome.refused = true;
  return outcome;
}

/* Whether the licensing service is enabled from the next start of Windows on. */
function startsLater() {
  return readValue(RESTART_MARK) === "enable-service";
}

/* Not tried: it cannot work before that. */
function afterRestart(before) {
  var outcome = failed(null, before, before, "possible after a restart of the server");
  outcome.skipped = true;
  return outcome;
}

function forThisRelease(builds) {
  var build = knownNumber(field(os(), "BuildNumber", asNumber));
  return build >= builds[0] && build <= builds[1];
}

function failedBefore(names, done) {
  var i, k;
  for (i = 0; i < (names || []).length; i++) {
    for (k = 0; k < done.length; k++) {
      if (done[k]["do"] === names[i] && !done[k].ok && !done[k].enough) {
        return names[i];
      }
    }
  }
  return "";
}

/* Why a step bound to a wrong clock does not apply, or "". */
function clockIsFine(limit) {
  if (firstSkew === null) {
    return "the clock could not be compared";
  }
  return Math.abs(firstSkew) > limit ? "" : "the clock is right";
}

function runStep(step, done) {
  var outcome, blocker = failedBefore(step.unless_failed, done);
  try {
    if (broken) {
      outcome = refused("self-check failed: " + broken);
    } else if (step.builds && !forThisRelease(step.builds)) {
      outcome = result(true, false, {}, {}, "not for this release");
    } else if (step.clock_off !== undefined && clockIsFine(step.clock_off)) {
      outcome = result(true, false, {}, {}, clockIsFine(step.clock_off));
    } else if (blocker) {
      outcome = failed(null, {}, {}, "skipped: " + blocker + " failed");
      outcome.skipped = true;
    } else if (!STEPS.hasOwnProperty(step["do"])) {
      outcome = failed(NOT_SUPPORTED, {}, {}, "this version of the agent does not know the step");
    } else {
      outcome = STEPS[step["do"]](step, done);
    }
  } catch (error) {
    outcome = failed(hresultOf(error));
  }
  outcome["do"] = step["do"];
  return outcome;
}

/* The clock as it was when the steps began: some apply only if it was wrong. */
var firstSkew = null;

/* What keeps every step from running. */
var broken = "";

function checkGround() {
  broken = failedChecks(CHECKS) || failedChecks(STEP_CHECKS);
}

/* Each step is run through put(), with a name of its own. */
function runSteps(steps, put, tell) {
  var done = [], i;
  for (i = 0; i < steps.length && firstSkew === null; i++) {
    firstSkew = steps[i].clock_off === undefined ? null : skewSeconds();
  }
  for (i = 0; i < steps.length; i++) {
    tick();
    done.push(put(i + " " + steps[i]["do"], function () {
      return runStep(steps[i], done);
    })[1]);
    tick(/clock|time|store/i.test(steps[i]["do"] + steps[i].name));
    if (tell) {
      tell(steps[i], done[i]);
    }
  }
  return done;
}

/* What of a result goes into the answer. */
function publicResult(outcome) {
  return {"do": outcome["do"], ok: outcome.ok, changed: outcome.changed, hresult: outcome.hresult,
    before: outcome.before, after: outcome.after, note: outcome.note};
}

STEPS["start-service"] = function (step) {
  var before = findService(step.name), view = serviceView(before), after, outcome;
  if (!before) {
    return step.optional ? unchanged(view, "no such service")
      : failed(NO_SERVICE, view, view);
  }
  if (before.state === "Running") {
    return unchanged(view);
  }
  if (before.start === "Disabled" && startsLater()) {
    return afterRestart(view);
  }
  if (before.start === "Disabled") {
    return failed(0x80070422, view, view, "the service is disabled");
  }
  try {
    after = serviceView(startService(step.name));
  } catch (error) {
    return hresultOf(error) === 0x80070422 ? afterRestart(view)
      : failed(hresultOf(error), view, serviceView(findService(step.name)));
  }
  outcome = result(after.state === "Running", true, view, after);
  outcome.hresult = outcome.ok ? null : 0x8007041D;
  return outcome;
};

/*
 * The steps about time.  In a domain neither the time source nor the clock is touched.
 */

var LIMITS = ["MaxPosPhaseCorrection", "MaxNegPhaseCorrection"];

function readLimits() {
  var values = {}, i;
  for (i = 0; i < LIMITS.length; i++) {
    values[LIMITS[i]] = regNumber(W32TIME + "Config\\" + LIMITS[i]);
  }
  return values;
}

/* The limits that an interrupted run has left to be restored, or null. */
function savedLimits() {
  var words = readValue(LIMITS_MARK), values = {}, i;
  words = words === null ? [] : String(words).split(" ");
  for (i = 0; i < LIMITS.length; i++) {
    values[LIMITS[i]] = /^\d+$/.test(words[i]) ? Number(words[i]) : null;
  }
  return words.length ? values : null;
}

/*
 * The limits ("-" for none) are recorded before they are raised:
 * if this script is ended, the batch part or the next run restores them.
 */
function raiseLimits(values) {
  var i, words = [], value;
  for (i = 0; i < LIMITS.length; i++) {
    value = values[LIMITS[i]];
    if (isUnreadable(value)) {
      throw failure(value["!"]);
    }
    words.push(value === null ? "-" : value);
  }
  writeText(LIMITS_MARK, words.join(" "));
  for (i = 0; i < LIMITS.length; i++) {
    writeNumber(W32TIME + "Config\\" + LIMITS[i], -1);
  }
  runTool("w32tm.exe", "/config /update");
}

/* Each limit by itself: one that cannot be written must not keep the other. */
function restoreLimits(values) {
  var i, failures = 0, path;
  for (i = 0; i < LIMITS.length; i++) {
    path = W32TIME + "Config\\" + LIMITS[i];
    try {
      if (values[LIMITS[i]] === null) {
        removeValue(path);
      } else {
        writeNumber(path, values[LIMITS[i]]);
      }
    } catch (error) {
      failures++;
    }
  }
  runTool("w32tm.exe", "/config /update");
  if (failures === 0) {
    removeValue(LIMITS_MARK);
  }
  return failures === 0;
}

/* No tool, no right, the service stopped or disabled: trying again is no use. */
var HOPELESS = [NO_FILE, DENIED, 0x80070426, 0x80070422];

/*
 * A time service that has just started has no time data yet, and takes a large offset for
 * a spike: waits that grow, 31 s in all, or until half of the deadline has gone.
 */
function resync(within) {
  var hresult = null, skew = null, wait, begun, span, room = BUDGET_MS / 1.2 - tick();
  for (wait = 1000; ; wait *= 2) {
    begun = now();
    hresult = runTool("w32tm.exe", "/resync /rediscover");
    skew = skewSeconds();
    if (skew === null ? hresult === null : Math.abs(skew) <= within) {
      return {hresult: null, skew: skew, ok: true};
    }
    /* A span over which the clock was set counts for nothing. */
    span = now() - begun;
    room -= wait + (span > 0 && span < BUDGET_MS * 2 ? span : 0);
    if (includes(HOPELESS, hresult) || wait > 16000 || room < 0) {
      return {hresult: hresult, skew: skew, ok: false};
    }
    nap(wait);
  }
}

STEPS["sync-clock"] = function (step) {
  var within = step.within_s || 60, skew = skewSeconds(), before = {skew_s: skew}, limits, done;
  var role = certainRole(), restored = true, outcome;
  if (skew !== null && Math.abs(skew) <= within) {
    return result(true, false, before, before, "the clock is right");
  }
  if (role !== 0 && role !== 2) {
    return refused("a domain member takes its time from the domain", before);
  }
  limits = savedLimits() || readLimits();
  if (step.raise_limits) {
    try {
      raiseLimits(limits);
      done = resync(within);
    } finally {
      restored = readValue(LIMITS_MARK) === null || restoreLimits(limits);
    }
  } else {
    done = resync(within);
  }
  outcome = result(done.ok, done.ok || done.skew !== skew, before, {skew_s: done.skew},
    restored ? "" : "the phase limits could not be restored");
  outcome.ok = done.ok && restored;
  outcome.hresult = done.hresult;
  /* A KMS host accepts four hours: a clock that is still wrong keeps no activation back. */
  outcome.enough = done.skew !== null && Math.abs(done.skew) < 14400;
  if (step.raise_limits) {
    before.limits = limits;
    outcome.after.limits = readLimits();
  }
  return outcome;
};

/*
 * The steps about time.  In a domain neither the time source nor the clock is touched.
 */

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
 * What the time service says of itself, by the numbers that w32tm prints before a bracket:
 * the first is 3 before it has synchronised, the last its newest error, 0 for none.  The line
 * behind its reference says when it last did.  Nothing of it depends on a language.
 */
function timeStatus() {
  var text = String(ask(function () {
    return matchOf("w32tm.exe", "/query /status /verbose", /[\s\S]+/);
  })), numbers = text.match(/\d+(?=\s*\()/g) || [3], at = /0x\w{8}.*\s+(.+)/.exec(text);
  return {leap: Number(numbers[0]), error: Number(numbers.pop()), at: at && at[1]};
}

/*
 * w32tm ends with 0 although it had no time data, and the service may have set the clock by
 * itself a moment before.
 */
function hasSynchronised(status, before, hresult) {
  return status.leap !== 3 &&
    (hresult === null && !status.error || before.at !== null && status.at !== before.at);
}

/*
 * A time service that has just started has no time data yet, and takes a large offset for
 * a spike: waits that grow, 31 s in all, or until half of the deadline has gone.
 */
function resync(within, before) {
  var hresult, skew, status, ok, wait, begun, span, room = BUDGET_MS / 1.2 - tick();
  for (wait = 1000; ; wait *= 2) {
    begun = now();
    hresult = runTool("w32tm.exe", "/resync /rediscover");
    status = timeStatus();
    skew = skewSeconds();
    ok = skew === null ? hasSynchronised(status, before, hresult) : Math.abs(skew) <= within;
    /* A span over which the clock was set counts for nothing. */
    span = now() - begun;
    room -= wait + (span > 0 && span < BUDGET_MS * 2 ? span : 0);
    if (ok || includes(HOPELESS, hresult) || wait > 16000 || room < 0) {
      return {hresult: ok ? null : hresult, skew: skew, ok: ok, at: status.at};
    }
    nap(wait);
  }
}

/* A measured error differs by a second or two each time. */
function wasSet(done, skew, before) {
  return skew === null || done.skew === null ? !!done.at && done.at !== before.at
    : Math.abs(done.skew - skew) > 5;
}

STEPS["sync-clock"] = function (step) {
  var within = step.within_s || 60, skew = skewSeconds(), before = {skew_s: skew}, limits, done;
  var role = certainRole(), restored = true, outcome, status;
  if (skew !== null && Math.abs(skew) <= within) {
    return unchanged(before, "the clock is right");
  }
  if (role !== 0 && role !== 2) {
    return refused("a domain member takes its time from the domain", before);
  }
  limits = savedLimits() || readLimits();
  status = timeStatus();
  if (step.raise_limits) {
    try {
      raiseLimits(limits);
      done = resync(within, status);
    } finally {
      restored = readValue(LIMITS_MARK) === null || restoreLimits(limits);
    }
  } else {
    done = resync(within, status);
  }
  outcome = result(done.ok, wasSet(done, skew, status), before, {skew_s: done.skew},
    !restored ? "the phase limits could not be restored"
      : done.ok || done.skew !== null ? "" : "the Windows Time service has not synchronised");
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

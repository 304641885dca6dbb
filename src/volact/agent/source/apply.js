/*
 * apply: the steps in order, and the result of each.
 */

/* The first worker alone begins steps, but for the one that ends a trial of its own run. */
function stepOnce(name, question) {
  var begun = notes[name], outcome;
  if (begun ? !isBlocked(name) : !resumed || !over && / put-back/.test(name)) {
    return once(name, question);
  }
  outcome = failed(begun ? BLOCKED : null, {}, {}, begun
    ? "not known: a call to Windows never returned" : "skipped: an earlier call never returned");
  outcome["do"] = name.replace(/^\d+ /, "");
  return [name, outcome];
}

WScript.Quit(main(function () {
  var done, results = [], i;
  if (!resumed) {
    takeLock();
    checkGround();
  }
  done = runSteps(REQUEST.steps, stepOnce);
  for (i = 0; i < done.length; i++) {
    results.push(publicResult(done[i]));
  }
  return results;
}, dropLock));

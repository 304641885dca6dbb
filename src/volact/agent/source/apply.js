/*
 * apply: the steps in order, and the result of each.
 */

WScript.Quit(main(function () {
  var done, results = [], i;
  takeLock();
  done = runSteps(REQUEST.steps);
  for (i = 0; i < done.length; i++) {
    results.push(publicResult(done[i]));
  }
  return results;
}, dropLock));

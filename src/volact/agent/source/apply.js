/*
 * apply: the steps in order, and what came of each.
 */

WScript.Quit(main(function () {
  var done = runSteps(REQUEST.steps), results = [], i;
  for (i = 0; i < done.length; i++) {
    results.push(publicResult(done[i]));
  }
  return results;
}));

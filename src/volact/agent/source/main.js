/*
 * probe and apply: facts, steps, the answer line.  Exit codes 10 and 11 are 0
 * and 1 for whoever started the file: the batch part can then tell them from
 * the script host's own.
 */

function answer() {
  var results = [], done, i, facts;
  if (REQUEST.mode === "apply") {
    done = runSteps(REQUEST.steps);
    for (i = 0; i < done.length; i++) {
      results.push(publicResult(done[i]));
    }
  }
  facts = allFacts();
  return {v: 1, id: REQUEST.id, mode: REQUEST.mode, ms: tick(),
    results: REQUEST.mode === "apply" ? results : undefined, facts: facts};
}

function main() {
  removeFile(WScript.ScriptFullName);
  try {
    WScript.Echo(answerLine(answer()));
    return 10;
  } catch (error) {
    WScript.Echo("VOLACT0 error " + hexCode(hresultOf(error)) + " " +
      String(error && error.message).replace(/[^\x20-\x7E]/g, "?"));
    return 11;
  }
}

WScript.Quit(main());

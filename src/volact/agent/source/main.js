/*
 * The answer line of probe and apply.  Exit codes 10 and 11 are 0 and 1 for
 * the caller of the file: the batch part then distinguishes them from the script
 * host's own.
 */

/* Facts are asked for after the steps: they are what then holds. */
function answer(results) {
  var facts = allFacts(results);
  return {v: 1, id: REQUEST.id, mode: REQUEST.mode, ms: tick(), results: results, facts: facts};
}

function main(steps, last) {
  var said;
  try {
    begin();
    said = watch() || ["said", answerLine(answer(steps())), 10];
  } catch (error) {
    said = ["said", "VOLACT0 " + (error && error.busy ? "busy " + error.busy
      : "error " + hexCode(hresultOf(error)) + " " +
        String(error && error.message).replace(/[^\x20-\x7E]/g, "?")), 11];
  } finally {
    if (last) {
      last();
    }
  }
  try {
    note(said);
  } catch (error) {
    /* The folder is gone, and with it the one that would read this. */
    return 11;
  }
  if (!isWorker) {
    WScript.Echo(said[1]);
  }
  return said[2];
}

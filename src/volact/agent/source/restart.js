/*
 * What a restart has to complete: a mark that Windows itself forgets at the
 * next start, because the hardware hive is made anew each time.  No step
 * restarts a server.
 */

/* Start modes as a step has them, and as the registry has them. */
var START_VALUES = {"auto": 2, "delayed-auto": 2, "demand": 3, "disabled": 4};

/* Written before the change: what cannot be marked is not done. */
function markRestart(why) {
  writeText(RESTART_MARK, why);
  if (readValue(RESTART_MARK) !== why) {
    throw failure(DENIED);
  }
}

/* A step that needs a restart is not done twice before it. */
function awaitsRestart(before) {
  var mark = readValue(RESTART_MARK);
  return mark === null ? null
    : refused("Windows has to be restarted first, because of " + clip(mark, 40), before);
}

/*
 * standalone: looks, changes what has to be changed, looks again and says how
 * it stands.  Exit codes 10, 11 and 12 are 0 activated, 1 not, 2 refused.
 */

function standalone() {
  var state, reason, done = [];
  say("volact: activation of this server" + (REQUEST.ask.title ? " with " + REQUEST.ask.title : ""));
  say("Looking at this server");
  tellServer();
  state = licenceState();
  tellState(state);
  reason = refusal(state);
  if (!reason && leaveAlone(state)) {
    say("Nothing to change: it is licensed already.");
  } else if (!reason) {
    tellReach();
    say("Putting right what is wrong");
    done = runSteps(REQUEST.steps, tellStep);
    say("Looking again");
    state = licenceState();
    tellState(state);
  }
  return verdict(state, reason, done);
}

function verdict(state, reason, done) {
  var activation = lastActivation(done), host = "";
  if (reason) {
    say("REFUSED: " + reason);
    return REFUSED_CODE;
  }
  if (allLicensed(state.products) && (!done.length || (activation && activation.ok))) {
    host = state.hosts[state.products[0].id];
    say("ACTIVATED" + (state.products[0].client && host ? " by " + host : "") + ".");
    return LICENSED;
  }
  return activation ? notActivated(state, activation) : neverTried(state, done);
}

/* A licence that was there before proves nothing: what was tried has to have worked. */
function lastActivation(done) {
  var i, activation = null;
  for (i = 0; i < done.length; i++) {
    if (done[i]["do"] === "activate" && !done[i].skipped) {
      activation = done[i];
    }
  }
  return activation;
}

function notActivated(state, activation) {
  var code = activation.hresult === null ? state.error : activation.hresult;
  var host = state.products.length ? state.hosts[state.products[0].id] : null;
  say("NOT ACTIVATED: " + (code === null ? "no error was given" : hexCode(code)) +
    (host ? ", KMS host " + host : "") + (activation.note ? " (" + activation.note + ")" : ""));
  tellClock();
  if (code !== null && REQUEST.ask.codes && REQUEST.ask.codes[hexCode(code)]) {
    say("That means: " + REQUEST.ask.codes[hexCode(code)]);
  } else if (code !== null) {
    say("What the code means: volact explain " + hexCode(code) + ", on any machine that has volact");
  }
  tellKept(state);
  return NOT_LICENSED;
}

function tellKept(state) {
  if (allLicensed(state.products)) {
    say("The licence from before still counts until it ends.");
  }
}

/* Activation was not tried: the first step that failed says why. */
function neverTried(state, done) {
  var i, last = null;
  for (i = done.length - 1; i >= 0; i--) {
    if (!done[i].ok && !done[i].skipped) {
      last = done[i];
    }
  }
  if (last && last.refused) {
    say("REFUSED: " + last["do"] + ": " + last.note);
    return REFUSED_CODE;
  }
  say("NOT ACTIVATED: " + (last ? last["do"] + " failed" +
    (last.hresult === null ? "" : " with " + hexCode(last.hresult)) +
    (last.note ? " (" + last.note + ")" : "") : "activation is not among the steps"));
  if (startsLater()) {
    say("Restart this server, then start this file again: its licensing service comes up then.");
  }
  tellKept(state);
  return NOT_LICENSED;
}

function main() {
  removeFile(WScript.ScriptFullName);
  try {
    return standalone();
  } catch (error) {
    say("NOT ACTIVATED: the script stopped with " + hexCode(hresultOf(error)));
    return NOT_LICENSED;
  }
}

WScript.Quit(main());

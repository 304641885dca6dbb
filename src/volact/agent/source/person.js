/*
 * standalone: probes, changes what has to be changed, probes again and prints
 * the result.  Exit codes 10, 11 and 12 are 0 activated, 1 not, 2 refused.
 */

function standalone() {
  var state, reason, done = [];
  chooseWords();
  say(REQUEST.ask.title
    ? t("volact: activation of this server with {cloud}", {cloud: REQUEST.ask.title})
    : t("volact: activation of this server"));
  say(t("Checking this server"));
  tellServer();
  state = licenceState();
  tellState(state);
  reason = refusal(state);
  if (!reason && leaveAlone(state)) {
    say(t("Nothing to change: already licensed."));
  } else if (!reason) {
    tellReach();
    say(t("Repairing"));
    checkGround();
    keepLicence(state);
    done = runSteps(REQUEST.steps, unwatchedStep, tellStep);
    say(t("Checking again"));
    state = licenceState();
    tellState(state);
  }
  return verdict(state, reason, done);
}

/* A person sees where it blocks, and can end it. */
function unwatchedStep(name, question) {
  return [name, question()];
}

/*
 * A licence that could not be read is read again when the licensing service was repaired:
 * before that no KMS host is replaced, and none that is to be kept.
 */
function keepLicence(state) {
  var names = ["set-kms-host", "clear-kms-host", "activate"], i;
  for (i = 0; state.error !== null && i < names.length; i++) {
    STEPS[names[i]] = afterReading(STEPS[names[i]]);
  }
}

function afterReading(run) {
  return function (step, done) {
    var state = licenceState(), why = refusedKey(state.products) || refusedHost(state);
    if (state.error !== null) {
      return failed(state.error, {}, {}, "the licence could not be read");
    }
    return why ? refused(why) : run(step, done);
  };
}

function verdict(state, reason, done) {
  var activation = lastActivation(done), products = deciding(state.products), host = "";
  if (reason) {
    say(t("REFUSED: {why}", {why: reason}));
    return REFUSED_CODE;
  }
  if (allLicensed(products) && (!done.length || (activation && activation.ok))) {
    host = state.hosts[products[0].id];
    say(products[0].client && typeof host === "string"
      ? t("ACTIVATED by {host}.", {host: host}) : t("ACTIVATED."));
    return LICENSED;
  }
  return activation ? notActivated(state, activation) : neverTried(state, done);
}

/* A licence that was there before proves nothing: what was tried has to have worked. */
function lastActivation(done) {
  return chosen(done, function (outcome) {
    return outcome["do"] === "activate" && !outcome.skipped;
  }).pop();
}

function notActivated(state, activation) {
  var code = activation.hresult === null ? state.error : activation.hresult;
  var products = deciding(state.products);
  var host = products.length ? state.hosts[products[0].id] : null;
  var why = code === null ? t("no error was reported") : hexCode(code);
  if (typeof host === "string") {
    why = t("{code}, KMS host {host}", {code: why, host: host});
  }
  say(t("NOT ACTIVATED: {why}", {why: why}) + (activation.note ? " (" + noted(activation.note) +
    ")" : ""));
  tellClock();
  if (code !== null && REQUEST.ask.codes && REQUEST.ask.codes[hexCode(code)]) {
    say(t("Meaning: {meaning}", {meaning: t(REQUEST.ask.codes[hexCode(code)])}));
  } else if (code !== null) {
    say(t("For the meaning of the code, on any machine with volact: volact explain {code}",
      {code: hexCode(code)}));
  }
  tellKept(state);
  return NOT_LICENSED;
}

function tellKept(state) {
  if (allLicensed(deciding(state.products))) {
    say(t("The earlier licence is valid until it expires."));
  }
}

/* Activation was not tried: the first step that failed gives the reason. */
function neverTried(state, done) {
  var last = chosen(done, function (outcome) {
    return !outcome.ok && !outcome.skipped;
  })[0];
  if (last && last.refused) {
    say(t("REFUSED: {why}", {why: last["do"] + ": " + noted(last.note)}));
    return REFUSED_CODE;
  }
  say(t("NOT ACTIVATED: {why}", {why: last ? whyNot(last)
    : t("activation is not among the steps")}));
  if (startsLater()) {
    say(t("Restart this server, then run this file again:" +
      " the licensing service can then start."));
  }
  tellKept(state);
  return NOT_LICENSED;
}

function whyNot(last) {
  var step = {step: last["do"], code: last.hresult === null ? "" : hexCode(last.hresult)};
  return (step.code ? t("{step} failed with {code}", step) : t("{step} failed", step)) +
    (last.note ? " (" + noted(last.note) + ")" : "");
}

function main() {
  try {
    begin();
    return standalone();
  } catch (error) {
    say(t("NOT ACTIVATED: {why}",
      {why: t("the script stopped with {code}", {code: hexCode(hresultOf(error))}) + " " +
        error.message}));
    return NOT_LICENSED;
  }
}

WScript.Quit(main());

/*
 * What a person at the console reads in standalone mode: what is probed,
 * what is changed, what is left to do; in the words of WORDS where the console
 * shows them.  No key but its tail.
 */

var LICENSED = 10, NOT_LICENSED = 11, REFUSED_CODE = 12;

var onlyAscii = true;

/*
 * Words beyond ASCII need a console whose code page has them; else all is English.  The
 * batch part has what chcp.com says of this console, which is in the words of some language.
 */
function chooseWords() {
  var key = CONTROL + "Nls\\CodePage\\", page = /(\d+)\D*$/.exec(expanded("%cp%"));
  if (PAGES.length) {
    onlyAscii = !includes(PAGES, page ? page[1] : regText(key + "OEMCP")) ||
      !includes(PAGES, regText(key + "ACP"));
    if (onlyAscii) {
      WORDS = {};
    }
  }
}

/* A sentence in the words chosen, with its values. */
function t(text, values) {
  var said = WORDS.hasOwnProperty(text) ? WORDS[text] : text, name;
  for (name in values || {}) {
    if (values.hasOwnProperty(name)) {
      said = said.split("{" + name + "}").join(String(values[name]));
    }
  }
  return said;
}

function say(text) {
  WScript.Echo(String(text).replace(onlyAscii ? /[^\x20-\x7E\r\n]/g
    : /[\x00-\x09\x0B\x0C\x0E-\x1F\x7F]/g, "?"));
}

function statusWord(status) {
  return [t("not licensed"), t("licensed"), t("initial grace period"), t("grace period"),
    t("non-genuine grace period"), t("notification (not activated)"),
    t("extended grace period")][status] || t("status {n}", {n: status});
}

function worded(fact) {
  if (fact === null || fact === undefined) {
    return t("none");
  }
  return typeof fact === "object" ? t("unknown ({code})", {code: hexCode(fact["!"])})
    : String(fact);
}

/* Ideographs take two columns. */
function pad(text) {
  while (text.replace(/[^\x00-\xFF]/g, "xx").length < 12) {
    text += " ";
  }
  return "  " + text;
}

/* Licence state as the person needs it: products, who licensed them, failure. */
function licenceState() {
  var state = {products: [], error: null, hosts: {}}, i;
  try {
    state.products = mainProducts();
  } catch (error) {
    state.error = hresultOf(error);
  }
  for (i = 0; i < state.products.length; i++) {
    state.hosts[state.products[i].id] = kmsHostOf(state.products[i]);
  }
  return state;
}

function acceptedHost(host) {
  return host === DIRECTORY || host === byToken() || some(REQUEST.ask.kms, function (text) {
    var one = splitHost(text);
    return host === joinHost(one.name, one.port);
  });
}

/* The KMS clients where there are any, else the licensed products: others decide nothing. */
function deciding(products) {
  var clients = chosen(products, function (product) {
    return product.client;
  }), licensed = chosen(products, function (product) {
    return product.status === 1;
  });
  return clients.length ? clients : licensed.length ? licensed : products;
}

/* Licensed by an accepted host, or licensed without KMS: nothing is to be changed. */
function leaveAlone(state) {
  var products = deciding(state.products);
  return allLicensed(products) && !some(products, function (product) {
    return product.client && !acceptedHost(state.hosts[product.id]);
  });
}

function tellState(state) {
  var i, product;
  if (state.error !== null) {
    say(pad(t("Licence")) + t("could not be read ({code})", {code: hexCode(state.error)}));
  } else if (!state.products.length) {
    say(pad(t("Licence")) + t("no Windows product with a key"));
  }
  for (i = 0; i < state.products.length; i++) {
    product = state.products[i];
    say(pad(t("Licence")) + t("{status}, key ending in {partial}", {partial: product.partial,
      status: statusWord(product.status) +
        (product.reason >= 0x80000000 ? " (" + hexCode(product.reason) + ")" : "")}));
    say(pad(t("KMS host")) + (state.hosts[product.id] === null ? t("none set")
      : worded(state.hosts[product.id])));
  }
}

function tellServer() {
  var skew = skewSeconds(), off = {n: Math.abs(skew || 0)};
  say(pad("Windows") + worded(field(os(), "Caption", asText)) + " (" +
    worded(field(os(), "Version", asText)) + ")");
  say(pad(t("Clock")) + (skew === null ? REQUEST.ask.date
    ? t("the clock could not be compared") : t("no second clock to compare with")
    : off.n < 2 ? t("right") : skew > 0 ? t("{n} s ahead", off) : t("{n} s behind", off)));
}

function tellClock() {
  var skew = skewSeconds();
  if (skew !== null && Math.abs(skew) > 300) {
    say(t("The clock is wrong by {n} s; a KMS host accepts at most four hours.",
      {n: Math.abs(skew)}));
  }
}

function tellReach() {
  var i, host, one;
  for (i = 0; i < REQUEST.ask.kms.length; i++) {
    host = REQUEST.ask.kms[i];
    one = reach(host);
    say(pad(t("Reachable")) + host + ": " + (one.outcome === "connected" ? t("yes")
      : one.outcome === "unknown" || one.outcome === "http"
        ? t("not certain ({code})", {code: hexCode(one.code)})
        : t("no ({code})", {code: hexCode(one.code)})));
  }
}

function tellStep(step, outcome) {
  var name = step["do"] + (step.name ? " " + step.name : "");
  var other = outcome.note === "not for this release";
  var word = other ? t("not for this release")
    : outcome.refused ? t("refused") : outcome.skipped ? t("skipped")
      : !outcome.ok ? t("FAILED") : outcome.changed ? t("done") : t("already done");
  say("  " + name + ": " + word + (outcome.hresult === null ? "" : " " + hexCode(outcome.hresult)) +
    (outcome.note && !other ? " (" + noted(outcome.note) + ")" : "") + tellChange(outcome));
}

/* A step's own remark; of one that was skipped it names the step before. */
function noted(note) {
  var match = /^skipped: (\S+) failed$/.exec(note);
  return match ? t("skipped: {step} failed", {step: match[1]}) : t(note);
}

function tellChange(outcome) {
  var name, text = "";
  for (name in outcome.after) {
    if (outcome.changed && outcome.after.hasOwnProperty(name) && name !== "sddl" &&
        (outcome.after[name] === null || typeof outcome.after[name] !== "object")) {
      text += "\r\n      " + name + ": " + worded(outcome.before[name]) + " -> " +
        worded(outcome.after[name]);
    }
  }
  return text;
}

/* What the installed keys forbid, or "": no key is replaced without consent. */
function refusedKey(products) {
  var subjects = deciding(products);
  if (some(products, function (product) { return product.host; })) {
    return t("this server is itself a KMS host");
  }
  if (subjects.length && !some(subjects, function (one) { return !one.evaluation; })) {
    return t("this is an evaluation edition, which a KMS host cannot activate." +
      " DISM /online /Get-TargetEditions lists the editions that it can be converted to");
  }
  return subjects.length && !subjects[0].client && subjects[0].status !== 1
    ? t("the installed key is not a KMS client key, and is replaced only with your consent") : "";
}

/* By its name a KMS host of a cloud, which only that cloud's servers may keep. */
function someCloudsHost(host) {
  var name = splitHost(host).name.toLowerCase();
  return some(REQUEST.ask.clouds || [], function (known) {
    return name === known || (known.charAt(0) === "." && name.slice(-known.length) === known);
  });
}

/* Why a KMS client that is not licensed by an accepted host may not get one, or "". */
function refusedClient(product, host) {
  var name = "VLActivationTypeEnabled";
  var kind = propertySince(name, OF_PRODUCT + product.id + "'", BEFORE_2012);
  var unread = isUnreadable(host) ? host : kind;
  if (isUnreadable(unread)) {
    return t("what activates this server could not be read ({code})",
      {code: hexCode(unread["!"])});
  }
  if (kind === 1 || kind === 3) {
    return t("Windows is configured for activation by {kind} only, and contacts no KMS host;" +
      " slmgr.vbs -act-type 2 sets it to KMS", {kind: kind === 1 ? DIRECTORY : byToken()});
  }
  if (product.status === 1 && host === null) {
    return t("this server is licensed, and does not show by which KMS host; a valid licence" +
      " is given up only with your consent");
  }
  return product.status === 1 && !someCloudsHost(host) ? t("this server is licensed by {host}," +
    " which is not a known cloud's KMS host; a valid licence is given up only with your consent",
    {host: host}) : "";
}

/* Why a KMS client's host may not be replaced, as far as it was read, or "". */
function refusedHost(state) {
  var policy = policyHost(), why = "", i, one, host;
  if (isUnreadable(policy)) {
    return t("group policy could not be read ({code})", {code: hexCode(policy["!"])});
  }
  if (policy !== null && !acceptedHost(policy)) {
    return t("group policy sets the KMS host {host}", {host: policy});
  }
  for (i = 0; REQUEST.ask.kms.length && !why && i < state.products.length; i++) {
    one = state.products[i];
    host = state.hosts[one.id];
    if (one.client && (one.status !== 1 || !acceptedHost(host))) {
      why = refusedClient(one, host);
    }
  }
  return why;
}

/* Why nothing may be done here, or "". */
function refusal(state) {
  var name, value, refuse = REQUEST.ask.refuse || {};
  var why = refusedKey(state.products) || refusedHost(state);
  var broken = failedChecks(CHECKS) || failedChecks(STEP_CHECKS);
  if (ask(elevatedFact) === false) {
    return t("an elevated console is needed: right-click the file, Run as administrator");
  }
  if (broken) {
    return t("self-check failed: {checks}", {checks: broken});
  }
  if (why) {
    return why;
  }
  if (readValue(RESTART_MARK) !== null) {
    return t("restart Windows first, because of {step}",
      {step: readValue(RESTART_MARK)});
  }
  for (name in refuse) {
    if (refuse.hasOwnProperty(name)) {
      value = metadataValue(REQUEST.ask.metadata[name]);
      if (typeof value === "string" && refuse[name].hasOwnProperty(value)) {
        return name + " " + value + ": " + t(refuse[name][value]);
      }
    }
  }
  return "";
}

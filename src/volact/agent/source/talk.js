/*
 * What a person at the console reads in standalone mode: what is looked at,
 * what is changed, what is left to do.  Plain ASCII, no key but its tail.
 */

var STATUS_WORDS = ["not licensed", "licensed", "initial grace period", "grace period",
  "non-genuine grace period", "notification (not activated)", "extended grace period"];

var LICENSED = 10, NOT_LICENSED = 11, REFUSED_CODE = 12;

function say(text) {
  WScript.Echo(String(text).replace(/[^\x20-\x7E\r\n]/g, "?"));
}

function worded(fact) {
  if (fact === null || fact === undefined) {
    return "none";
  }
  return typeof fact === "object" ? "unknown (" + hexCode(fact["!"]) + ")" : String(fact);
}

function pad(text) {
  while (text.length < 12) {
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
    state.hosts[state.products[i].id] = kmsHostOf(state.products[i].id);
  }
  return state;
}

/* The host that a product goes to: its own, the server's, the found one; or null. */
function kmsHostOf(id) {
  var found = only("SELECT ID, KeyManagementServiceMachine, KeyManagementServicePort," +
    " DiscoveredKeyManagementServiceMachineName, DiscoveredKeyManagementServiceMachinePort" +
    " FROM SoftwareLicensingProduct WHERE ID='" + id + "'");
  var own = hostFrom(found, "KeyManagementServiceMachine", "KeyManagementServicePort");
  var set = ask(function () { return kmsSetting(kmsLayer({layer: "service"})); });
  return own || (typeof set === "string" ? set : null) || hostFrom(found,
    "DiscoveredKeyManagementServiceMachineName", "DiscoveredKeyManagementServiceMachinePort");
}

function hostFrom(found, name, port) {
  var host = field(found, name, asText), number = field(found, port, asUnsigned);
  return typeof host === "string" && host
    ? joinHost(host, typeof number === "number" ? number : 0) : null;
}

function acceptedHost(host) {
  var i, one;
  for (i = 0; i < REQUEST.ask.kms.length; i++) {
    one = splitHost(REQUEST.ask.kms[i]);
    if (host === joinHost(one.name, one.port)) {
      return true;
    }
  }
  return false;
}

/* Licensed by an accepted host, or licensed without KMS: nothing is to be changed. */
function leaveAlone(state) {
  var i, product;
  for (i = 0; i < state.products.length; i++) {
    product = state.products[i];
    if (product.status !== 1 || (product.client && !acceptedHost(state.hosts[product.id]))) {
      return false;
    }
  }
  return state.products.length > 0;
}

function tellState(state) {
  var i, product;
  if (state.error !== null) {
    say(pad("Licence") + "could not be read (" + hexCode(state.error) + ")");
  } else if (!state.products.length) {
    say(pad("Licence") + "no Windows product with a key");
  }
  for (i = 0; i < state.products.length; i++) {
    product = state.products[i];
    say(pad("Licence") + (STATUS_WORDS[product.status] || "status " + product.status) +
      (product.reason >= 0x80000000 ? " (" + hexCode(product.reason) + ")" : "") +
      ", key ending in " + product.partial);
    say(pad("KMS host") + (state.hosts[product.id] || "none set"));
  }
}

function tellServer() {
  var skew = skewSeconds();
  say(pad("Windows") + worded(field(os(), "Caption", asText)) + " (" +
    worded(field(os(), "Version", asText)) + ")");
  say(pad("Clock") + (skew === null ? "no second clock to compare it with"
    : Math.abs(skew) < 2 ? "right" : Math.abs(skew) + " s " + (skew > 0 ? "ahead" : "behind")));
}

function tellClock() {
  var skew = skewSeconds();
  if (skew !== null && Math.abs(skew) > 300) {
    say("The clock is " + Math.abs(skew) + " s off; a KMS host takes no more than four hours.");
  }
}

function tellReach() {
  var i, host, code;
  for (i = 0; i < REQUEST.ask.kms.length; i++) {
    host = REQUEST.ask.kms[i];
    code = reach(host);
    say(pad("Reachable") + host + ": " + (REACHED[code] ? "yes" : "no (" + hexCode(code) + ")"));
  }
}

function tellStep(step, outcome) {
  var name = step["do"] + (step.name ? " " + step.name : "");
  var word = outcome.note === "not for this release" ? "not for this release"
    : outcome.refused ? "refused" : outcome.skipped ? "skipped"
      : !outcome.ok ? "FAILED" : outcome.changed ? "done" : "already so";
  say("  " + name + ": " + word + (outcome.hresult === null ? "" : " " + hexCode(outcome.hresult)) +
    (outcome.note && outcome.note !== word ? " (" + outcome.note + ")" : "") + tellChange(outcome));
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

/* The host that group policy names when it is not the provider's, or null. */
function foreignPolicy() {
  var key = POLICIES + "Windows NT\\CurrentVersion\\Software Protection Platform\\";
  var name = regText(key + "KeyManagementServiceName"), host;
  if (typeof name !== "string" || !name) {
    return null;
  }
  host = joinHost(name, regNumber(key + "KeyManagementServicePort"));
  return acceptedHost(host) ? null : host;
}

/* What the installed keys forbid, or "": no key is replaced without a person's word. */
function refusedKey(products) {
  var i, clients = 0, licensed = 0;
  for (i = 0; i < products.length; i++) {
    if (products[i].host) {
      return "this server is a KMS host itself";
    }
    if (products[i].evaluation) {
      return "this is an evaluation edition, which no KMS host activates." +
        " DISM /online /Get-TargetEditions lists what it can be turned into";
    }
    clients += products[i].client ? 1 : 0;
    licensed += products[i].status === 1 ? 1 : 0;
  }
  return products.length && !clients && licensed < products.length
    ? "the installed key is not a KMS client key, and is not replaced without your word" : "";
}

/* By its name the KMS host of some cloud, which nobody else may use for good. */
function someCloudsHost(host) {
  var name = splitHost(host).name.toLowerCase(), known = REQUEST.ask.clouds || [], i;
  for (i = 0; i < known.length; i++) {
    if (name === known[i] ||
        (known[i].charAt(0) === "." && name.slice(-known[i].length) === known[i])) {
      return true;
    }
  }
  return false;
}

/* The host of a licence that works and that nobody may give up unasked, or "". */
function ownHost(state) {
  var i, host;
  for (i = 0; i < state.products.length; i++) {
    host = state.hosts[state.products[i].id];
    if (REQUEST.ask.kms.length && state.products[i].status === 1 && state.products[i].client &&
        host && !acceptedHost(host) && !someCloudsHost(host)) {
      return host;
    }
  }
  return "";
}

/* Why nothing may be done here, or "". */
function refusal(state) {
  var name, value, refuse = REQUEST.ask.refuse || {};
  if (ask(elevatedFact) === false) {
    return "this needs an elevated console: right-click the file, Run as administrator";
  }
  if (refusedKey(state.products)) {
    return refusedKey(state.products);
  }
  if (ownHost(state)) {
    return "this server is licensed by " + ownHost(state) + ", which is no cloud's KMS host that" +
      " is known; a licence that works is not given up without your word";
  }
  if (foreignPolicy() !== null) {
    return "group policy sets the KMS host " + foreignPolicy();
  }
  if (readValue(RESTART_MARK) !== null) {
    return "Windows has to be restarted first, because of " + readValue(RESTART_MARK);
  }
  for (name in refuse) {
    if (refuse.hasOwnProperty(name)) {
      value = metadataValue(REQUEST.ask.metadata[name]);
      if (typeof value === "string" && refuse[name].hasOwnProperty(value)) {
        return name + " " + value + ": " + refuse[name][value];
      }
    }
  }
  return "";
}

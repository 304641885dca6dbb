/*
 * The steps that give a server one of its provider's KMS hosts.
 */

/* Name and port together; a port that fails takes the name back as it was. */
function setKms(layer, host, before) {
  var via = setKmsPart(layer, "Machine", host.name);
  try {
    return joinVia(via, setKmsPart(layer, "Port", host.port));
  } catch (error) {
    setKmsPart(layer, "Machine", before ? splitHost(before).name : null);
    throw error;
  }
}

/* The hosts of a step in their order, the present one first if it is among them. */
function inOrder(hosts, present) {
  var order = [], i, host, text;
  for (i = 0; i < hosts.length; i++) {
    host = splitHost(hosts[i]);
    text = joinHost(host.name, host.port);
    if (text === present) {
      order.unshift(text);
    } else {
      order.push(text);
    }
  }
  return order;
}

/*
 * The first host that can be reached; with "unproven" else the first of which it is
 * not known, that let the try time out, or to which this server itself let no connection
 * out; activation then judges.
 */
function chooseHost(order, unproven) {
  var i, one, unclear = null, last = null;
  for (i = 0; i < order.length; i++) {
    one = reach(order[i]);
    last = one.code;
    if (one.outcome === "connected") {
      return {host: order[i]};
    }
    if (unclear === null && includes(["unknown", "http", "filtered", "local"], one.outcome)) {
      unclear = order[i];
    }
  }
  return {host: unproven ? unclear : null, hresult: last, unproven: true};
}

STEPS["set-kms-host"] = function (step) {
  var layer = kmsLayer(step), before = hostView(layer), choice, via, after, outcome;
  choice = chooseHost(inOrder(step.hosts || [], before.host), step.unproven);
  if (!choice.host) {
    return failed(choice.hresult, before, before,
      "none of the KMS hosts can be reached from this server");
  }
  if (choice.host === before.host) {
    return unchanged(before);
  }
  via = setKms(layer, splitHost(choice.host), before.host);
  after = shownHost(kmsLayer(step));
  if (after !== choice.host) {
    return failed(null, before, {host: after, via: via}, "the KMS host is not as requested");
  }
  outcome = result(true, true, before, {host: after, via: via},
    choice.unproven ? "not certain that it can be reached: activation will show" : "");
  return marked(outcome, step, choice.unproven);
};

/* What put-back-kms-host finds again. */
function marked(outcome, step, unproven) {
  if (unproven && outcome.changed) {
    outcome.unproven = step.layer + step.product;
  }
  return outcome;
}

function clearHost(step) {
  var layer = kmsLayer(step), before = hostView(layer), via, after;
  if (before.host === null || includes(step.keep || [], before.host)) {
    return unchanged(before);
  }
  via = joinVia(setKmsPart(layer, "Machine", null), setKmsPart(layer, "Port", null));
  after = kmsSetting(kmsLayer(step));
  return after === null ? marked(result(true, true, before, {host: null, via: via}), step,
    step.unproven) : failed(null, before, {host: after, via: via}, "a KMS host is still set");
}

/* Without a product's id: every KMS client, the first that fails ends it. */
STEPS["clear-kms-host"] = function (step) {
  var outcome = result(true, false, {host: null}, {host: null}), products, i, one;
  if (step.layer !== "product" || step.product) {
    return clearHost(step);
  }
  products = mainProducts();
  for (i = 0; i < products.length && outcome.ok; i++) {
    if (products[i].client) {
      one = clearHost({layer: "product", product: products[i].id, keep: step.keep});
      outcome = one.changed || !one.ok ? one : outcome;
    }
  }
  return outcome;
};

/*
 * Of this same run: what was changed although the reach of the host was not
 * certain is undone when the steps that were to prove it failed.
 */
STEPS["put-back-kms-host"] = function (step, done) {
  var i, judge = failedBefore(step.if_failed, done);
  for (i = 0; judge && i < done.length; i++) {
    if (done[i].unproven === step.layer + step.product) {
      return undoTrial(step, done[i]);
    }
  }
  return result(true, false, {}, {}, "not needed");
};

function undoTrial(step, trial) {
  var before = hostView(kmsLayer(step)), was = trial.before, after;
  if (before.host !== trial.after.host) {
    return refused("changed since; left unchanged", before);
  }
  putHostBack(kmsLayer(step), {host: was.host, name: was.name, port: was.port === undefined &&
    was.host ? splitHost(was.host).port : was.port});
  after = hostView(kmsLayer(step));
  return after.host === was.host ? result(true, true, before, after)
    : failed(null, before, after, "the value is not the earlier one");
}

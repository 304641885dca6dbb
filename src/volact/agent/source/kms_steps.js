/*
 * The steps that give a server one of its provider's KMS hosts.
 */

/* Name and port together; a port that fails takes the name back as it was. */
function setKms(layer, host, before) {
  var via = setKmsName(layer, host.name);
  try {
    return joinVia(via, setKmsPort(layer, host.port));
  } catch (error) {
    if (before) {
      setKmsName(layer, splitHost(before).name);
    } else {
      clearKmsName(layer);
    }
    throw error;
  }
}

/* The present host if it is accepted and there, else the first that is there. */
function chooseHost(hosts, present) {
  var order = [], i, host, text, last = null;
  for (i = 0; i < hosts.length; i++) {
    host = splitHost(hosts[i]);
    text = joinHost(host.name, host.port);
    if (text === present) {
      order.unshift(text);
    } else {
      order.push(text);
    }
  }
  for (i = 0; i < order.length; i++) {
    last = reach(order[i]);
    if (REACHED[last]) {
      return {host: order[i]};
    }
  }
  return {host: null, hresult: last};
}

STEPS["set-kms-host"] = function (step) {
  var layer = kmsLayer(step), before = hostView(layer), choice, via, after;
  choice = chooseHost(step.hosts || [], before.host);
  if (!choice.host) {
    return failed(choice.hresult, before, before,
      "none of the KMS hosts can be reached from here");
  }
  if (choice.host === before.host) {
    return result(true, false, before, before);
  }
  via = setKms(layer, splitHost(choice.host), before.host);
  after = shownHost(kmsLayer(step));
  return after === choice.host ? result(true, true, before, {host: after, via: via})
    : failed(null, before, {host: after, via: via}, "the KMS host is not as wanted");
};

function clearHost(step) {
  var layer = kmsLayer(step), before = hostView(layer), via, after;
  if (before.host === null || includes(step.keep || [], before.host)) {
    return result(true, false, before, before);
  }
  via = joinVia(clearKmsName(layer), clearKmsPort(layer));
  after = kmsSetting(kmsLayer(step));
  return after === null ? result(true, true, before, {host: null, via: via})
    : failed(null, before, {host: after, via: via}, "a KMS host is still set");
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

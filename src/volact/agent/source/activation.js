/*
 * The steps about the key and activation itself, all through the licensing
 * service.  A key is never printed, only its last five characters.
 */

/* The products' key tails, which distinguish one key from another. */
function keyView(products) {
  var tails = [], i;
  for (i = 0; i < products.length; i++) {
    tails.push(products[i].partial);
  }
  return {partial_key: tails.length ? tails.join(" ") : null};
}

function keyForThisServer(keys) {
  var build = field(os(), "BuildNumber", asNumber), sku = field(os(), "OperatingSystemSKU", asNumber);
  var name = String(build) + "/" + String(sku);
  if (typeof build !== "number" || typeof sku !== "number") {
    throw failure(BAD_DATA);
  }
  return keys && keys.hasOwnProperty(name) ? keys[name] : null;
}

STEPS["install-key"] = function (step) {
  var products = mainProducts(), before = keyView(products), key = keyForThisServer(step.keys);
  var service, after;
  if (products.length && !step.replace) {
    return unchanged(before, "a key is already installed");
  }
  if (!key) {
    return failed(null, before, before, "no published key for this build and edition");
  }
  if (products.length === 1 && products[0].partial === key.substr(key.length - 5)) {
    return unchanged(before);
  }
  service = serviceRow();
  if (!service.row) {
    return failed(service.error, before, before);
  }
  call(service.row, "InstallProductKey", "SoftwareLicensingService", "ProductKey", key);
  ask(refreshLicense);
  after = keyView(mainProducts());
  return (after.partial_key || "").indexOf(key.substr(key.length - 5)) >= 0
    ? result(true, true, before, after)
    : failed(null, before, after, "the key is not among the installed ones");
};

/* The products that activation is about. */
function toActivate() {
  return chosen(mainProducts(), function (product) {
    return product.client;
  });
}

function statusView(products) {
  var view = {status: {}, reason: {}}, i;
  for (i = 0; i < products.length; i++) {
    view.status[products[i].id] = products[i].status;
    view.reason[products[i].id] = products[i].reason;
  }
  return view;
}

/* Activates one product; the first failure is the one that is reported. */
function activateOne(product) {
  try {
    call(product.row, "Activate");
  } catch (error) {
    return {hresult: hresultOf(error)};
  }
  return {done: true};
}

function allLicensed(products) {
  return products.length > 0 && !some(products, function (product) {
    return product.status !== 1;
  });
}

STEPS.activate = function () {
  var products, before, changed = false, hresult = null, i, one, after, outcome;
  if (startsLater()) {
    return afterRestart({});
  }
  products = toActivate();
  before = statusView(products);
  if (!products.length) {
    return failed(0xC004F014, before, before, "no Windows product with a KMS client key");
  }
  for (i = 0; i < products.length; i++) {
    one = activateOne(products[i]);
    changed = changed || one.done === true;
    hresult = hresult === null && one.hresult ? one.hresult : hresult;
  }
  ask(refreshLicense);
  after = toActivate();
  outcome = result(hresult === null && allLicensed(after), changed, before, statusView(after));
  if (!outcome.ok) {
    outcome.hresult = hresult === null ? worstReason(after) : hresult;
  }
  return outcome;
};

/* Why a product is not licensed, in its own words; null when it gives none. */
function worstReason(products) {
  var found = chosen(products, function (product) {
    return product.status !== 1 && product.reason >= 0x80000000;
  })[0];
  return found ? found.reason : null;
}

/*
 * The steps about keys, KMS hosts and activation: all through the licensing
 * service itself.  Where a release has no WMI setter for a KMS host, or the
 * class has no rows, the registry values behind it are written instead.
 */

/* Answers that mean "this way does not exist here", not "it went wrong". */
function noSuchWay(hresult) {
  return includes([NOT_FOUND, NOT_IMPLEMENTED, 0x80041017, 0x8004102E, 0x80041055, 0x80041010],
    hresult);
}

/* Where a KMS host is set: the service's row or one product's. */
function kmsLayer(step) {
  var id = step.product, key = licensingKey(), found;
  if (step.layer === "product") {
    if (!/^[0-9A-Fa-f-]{36}$/.test(id || "")) {
      throw failure(BAD_PARAMETER);
    }
    found = only("SELECT ID, KeyManagementServiceMachine, KeyManagementServicePort FROM" +
      " SoftwareLicensingProduct WHERE ID='" + id + "'");
    return {found: found, key: key + APP_ID + "\\" + id + "\\", name: "SoftwareLicensingProduct"};
  }
  return {found: licensingService(), key: key, name: "SoftwareLicensingService"};
}

/* The host that is set at a layer: by WMI where it tells, else by registry. */
function kmsSetting(layer) {
  var name = field(layer.found, "KeyManagementServiceMachine", asText);
  var port = field(layer.found, "KeyManagementServicePort", asUnsigned);
  if (name !== null && typeof name === "object") {
    if (!noSuchWay(name["!"])) {
      throw failure(name["!"]);
    }
    name = readValue(layer.key + "KeyManagementServiceName");
    port = readValue(layer.key + "KeyManagementServicePort");
  } else if (port !== null && typeof port === "object") {
    port = readValue(layer.key + "KeyManagementServicePort");
  }
  return name ? joinHost(String(name), port) : null;
}

/* Does it by WMI where that exists, else by the registry; says which it was. */
function either(layer, byWmi, byRegistry) {
  if (layer.found.row) {
    try {
      byWmi(layer.found.row);
      return "wmi";
    } catch (error) {
      if (!noSuchWay(hresultOf(error))) {
        throw error;
      }
    }
  } else if (!noSuchWay(layer.found.error)) {
    throw failure(layer.found.error);
  }
  byRegistry();
  return "registry";
}

function setKmsName(layer, name) {
  return either(layer, function (row) {
    call(row, "SetKeyManagementServiceMachine", layer.name, "MachineName", name);
  }, function () {
    writeText(layer.key + "KeyManagementServiceName", name);
  });
}

function setKmsPort(layer, port) {
  return either(layer, function (row) {
    call(row, "SetKeyManagementServicePort", layer.name, "PortNumber", port);
  }, function () {
    writeText(layer.key + "KeyManagementServicePort", String(port));
  });
}

function clearKmsName(layer) {
  return either(layer, function (row) {
    call(row, "ClearKeyManagementServiceMachine");
  }, function () {
    removeValue(layer.key + "KeyManagementServiceName");
  });
}

function clearKmsPort(layer) {
  return either(layer, function (row) {
    call(row, "ClearKeyManagementServicePort");
  }, function () {
    removeValue(layer.key + "KeyManagementServicePort");
  });
}

function joinVia(first, second) {
  return first === second ? first : first + "+" + second;
}

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
  var layer = kmsLayer(step), present = kmsSetting(layer), choice, via, after;
  choice = chooseHost(step.hosts || [], present);
  if (!choice.host) {
    return failed(choice.hresult, {host: present}, {host: present},
      "none of the KMS hosts can be reached from here");
  }
  if (choice.host === present) {
    return result(true, false, {host: present}, {host: present});
  }
  via = setKms(layer, splitHost(choice.host), present);
  after = kmsSetting(kmsLayer(step));
  return after === choice.host ? result(true, true, {host: present}, {host: after, via: via})
    : failed(null, {host: present}, {host: after, via: via}, "the KMS host is not as wanted");
};

STEPS["clear-kms-host"] = function (step) {
  var layer = kmsLayer(step), present = kmsSetting(layer), via, after;
  if (present === null) {
    return result(true, false, {host: null}, {host: null});
  }
  via = joinVia(clearKmsName(layer), clearKmsPort(layer));
  after = kmsSetting(kmsLayer(step));
  return after === null ? result(true, true, {host: present}, {host: null, via: via})
    : failed(null, {host: present}, {host: after, via: via}, "a KMS host is still set");
};

/* The products' key tails, so that a key can be told from another. */
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
    return result(true, false, before, before, "a key is installed");
  }
  if (!key) {
    return failed(null, before, before, "no published key for this build and edition");
  }
  if (products.length === 1 && products[0].partial === key.substr(key.length - 5)) {
    return result(true, false, before, before);
  }
  service = only("SELECT Version FROM SoftwareLicensingService");
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
function toActivate(step) {
  var all = mainProducts(), list = [], i;
  for (i = 0; i < all.length; i++) {
    if (step.product ? all[i].id.toLowerCase() === step.product.toLowerCase() : all[i].client) {
      list.push(all[i]);
    }
  }
  return list;
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
  if (product.mak && product.status === 1) {
    return {left: true};
  }
  try {
    call(product.row, "Activate");
  } catch (error) {
    return {hresult: hresultOf(error)};
  }
  return {done: true};
}

function allLicensed(products) {
  var i;
  for (i = 0; i < products.length; i++) {
    if (products[i].status !== 1) {
      return false;
    }
  }
  return products.length > 0;
}

STEPS.activate = function (step) {
  var products = toActivate(step), before = statusView(products), changed = false, hresult = null;
  var i, one, after, outcome;
  if (!products.length) {
    return failed(0xC004F014, before, before, "no Windows product with a KMS client key");
  }
  for (i = 0; i < products.length; i++) {
    one = activateOne(products[i]);
    changed = changed || one.done === true;
    hresult = hresult === null && one.hresult ? one.hresult : hresult;
  }
  ask(refreshLicense);
  after = toActivate(step);
  outcome = result(hresult === null && allLicensed(after), changed, before, statusView(after));
  if (!outcome.ok) {
    outcome.hresult = hresult === null ? worstReason(after) : hresult;
  }
  return outcome;
};

/* Why a product is not licensed, in its own words; null when it gives none. */
function worstReason(products) {
  var i;
  for (i = 0; i < products.length; i++) {
    if (products[i].status !== 1 && products[i].reason >= 0x80000000) {
      return products[i].reason;
    }
  }
  return null;
}

STEPS["refresh-license"] = function () {
  var before = statusView(mainProducts()), after;
  refreshLicense();
  after = statusView(mainProducts());
  return result(true, !sameView(before, after), before, after);
};

function sameView(one, other) {
  var id;
  for (id in one.status) {
    if (one.status[id] !== other.status[id] || one.reason[id] !== other.reason[id]) {
      return false;
    }
  }
  return true;
}

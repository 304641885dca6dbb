/*
 * The steps about KMS hosts, through the licensing service.  Where a release has
 * no WMI setter for it, or the class has no rows, the registry values behind it
 * are written instead.
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

/* The host that a layer shows: by WMI where it tells, else by registry. */
function shownHost(layer) {
  var name = field(layer.found, "KeyManagementServiceMachine", asText);
  var port = field(layer.found, "KeyManagementServicePort", asUnsigned);
  if (name !== null && typeof name === "object") {
    if (!noSuchWay(name["!"])) {
      throw failure(name["!"]);
    }
    return registryHost(layer);
  }
  if (port !== null && typeof port === "object") {
    port = readValue(layer.key + "KeyManagementServicePort");
  }
  return name ? joinHost(name, port) : null;
}

function registryHost(layer) {
  var name = readValue(layer.key + "KeyManagementServiceName");
  return name ? joinHost(name, readValue(layer.key + "KeyManagementServicePort")) : null;
}

/* A layer's own host.  A product without one may show the server's. */
function kmsSetting(layer) {
  var shown = shownHost(layer);
  if (layer.name === "SoftwareLicensingProduct" && shown !== null &&
      registryHost(layer) === null && shown === shownHost(kmsLayer({layer: "service"}))) {
    return null;
  }
  return shown;
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
  after = shownHost(kmsLayer(step));
  return after === choice.host ? result(true, true, {host: present}, {host: after, via: via})
    : failed(null, {host: present}, {host: after, via: via}, "the KMS host is not as wanted");
};

function clearHost(step) {
  var layer = kmsLayer(step), present = kmsSetting(layer), via, after;
  if (present === null || includes(step.keep || [], present)) {
    return result(true, false, {host: present}, {host: present});
  }
  via = joinVia(clearKmsName(layer), clearKmsPort(layer));
  after = kmsSetting(kmsLayer(step));
  return after === null ? result(true, true, {host: present}, {host: null, via: via})
    : failed(null, {host: present}, {host: after, via: via}, "a KMS host is still set");
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

/*
 * Where a KMS host is set, what stands there, and setting it: through the
 * licensing service.  Where a release has no WMI setter for it, or the class has
 * no rows, the registry values behind it are written instead.
 */

/* Answers that mean "this method does not exist here", not "it failed". */
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
    found = only("SELECT ID, " + KMS + "Machine, " + KMS + "Port" + OF_PRODUCT + id + "'");
    return {found: found, key: key + APP_ID + "\\" + id + "\\", name: "SoftwareLicensingProduct"};
  }
  return {found: licensingService(), key: key, name: "SoftwareLicensingService"};
}

/* What a layer shows, as it is spelt: by WMI where it answers, else by registry. */
function shownNames(layer) {
  var name = field(layer.found, KMS + "Machine", asText);
  var port = field(layer.found, KMS + "Port", asUnsigned);
  if (isUnreadable(name)) {
    if (!noSuchWay(name["!"])) {
      throw failure(name["!"]);
    }
    return namesInRegistry(layer);
  }
  if (isUnreadable(port)) {
    port = readValue(layer.key + KMS + "Port");
  } else if (port === 1688 && regText(layer.key + KMS + "Port") === null) {
    /* So WMI says where none is set. */
    port = 0;
  }
  return {name: name, port: Number(port) || 0};
}

function namesInRegistry(layer) {
  return {name: readValue(layer.key + KMS + "Name"),
    port: Number(readValue(layer.key + KMS + "Port")) || 0};
}

function hostOfNames(names) {
  return names.name ? joinHost(names.name, names.port) : null;
}

function shownHost(layer) {
  return hostOfNames(shownNames(layer));
}

/* A layer's own host.  A product without one may show the server's. */
function kmsSetting(layer) {
  var shown = shownHost(layer);
  if (layer.name === "SoftwareLicensingProduct" && shown !== null &&
      hostOfNames(namesInRegistry(layer)) === null &&
      shown === shownHost(kmsLayer({layer: "service"}))) {
    return null;
  }
  return shown;
}

/*
 * The same for a result.  The name and the port stand beside the host where they
 * are not what it says: a name that is spelt differently, a port that is not set.
 */
function hostView(layer) {
  var view = {host: kmsSetting(layer)}, names;
  if (view.host === null && layer.name === "SoftwareLicensingProduct") {
    return view;
  }
  names = shownNames(layer);
  if (view.host !== null && names.name !== view.host.substr(0, view.host.lastIndexOf(":"))) {
    view.name = names.name;
  }
  if ((view.host === null) !== (names.port === 0)) {
    view.port = names.port || null;
  }
  return view;
}

/* Sets it by WMI where that exists, else by the registry; returns which it was. */
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

/* Sets the name ("Machine") or the port ("Port") of a layer, or clears it (null). */
function setKmsPart(layer, part, value) {
  var port = part === "Port", path = layer.key + KMS + (port ? part : "Name");
  return either(layer, function (row) {
    if (value === null) {
      call(row, "Clear" + KMS + part);
    } else {
      call(row, "Set" + KMS + part, layer.name, port ? "PortNumber" : "MachineName", value);
    }
  }, function () {
    if (value === null) {
      removeValue(path);
    } else {
      writeText(path, String(value));
    }
  });
}

function joinVia(first, second) {
  return first === second ? first : first + "+" + second;
}

/* The name as it was spelt; a port that was not set is not set again. */
function putHostBack(layer, step) {
  setKmsPart(layer, "Machine",
    step.host === null ? null : step.name || splitHost(step.host).name);
  setKmsPart(layer, "Port", step.port || null);
  return null;
}

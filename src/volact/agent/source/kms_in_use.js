/*
 * The KMS host that a product goes to, as a fact: a host, null for none, or unreadable as
 * soon as a layer that may name it is.
 */

/* Licensed by it, a product needs no KMS host; a host that is set is the domain's fallback. */
var DIRECTORY = "Active Directory";

/* Name and port of one layer. */
function joinedHost(name, port) {
  if (isUnreadable(name) || name === null || !trim(name)) {
    return isUnreadable(name) ? name : null;
  }
  return isUnreadable(port) ? port : joinHost(name, port);
}

/* The host that group policy names. */
function policyHost() {
  var key = POLICIES + "Windows NT\\CurrentVersion\\Software Protection Platform\\";
  return joinedHost(regText(key + KMS + "Name"), regText(key + KMS + "Port"));
}

/* Active Directory activates since 2012; before, there is no such property. */
function byDirectory(where) {
  var type = field(only("SELECT ID, VLActivationType" + where), "VLActivationType", asUnsigned);
  var old = isUnreadable(type) && ask(function () {
    return forThisRelease([0, 9199]);
  });
  return isUnreadable(type) && old !== true ? type : type === 1;
}

/* Of Server 2008 no product has a host of its own, and the found one is the server's. */
function layersOf(where) {
  var own = KMS + "Machine", name = "Discovered" + KMS + "MachineName", found;
  if (is2008()) {
    return [null, joinedHost(regText(OLD_DISCOVERED + "Name"), regText(OLD_DISCOVERED + "Port"))];
  }
  found = only("SELECT ID, " + [own, KMS + "Port", name, name.replace(/Name$/, "Port")].join(", ") +
    where);
  return [joinedHost(field(found, own, asText), field(found, KMS + "Port", asUnsigned)),
    joinedHost(field(found, name, asText),
      field(found, name.replace(/Name$/, "Port"), asUnsigned))];
}

/* The strongest layer that names one. */
function kmsHostOf(product) {
  var where = OF_PRODUCT + product.id + "'", i;
  var directory = product.status === 1 && byDirectory(where), own = layersOf(where), layers;
  if (directory) {
    return directory === true ? DIRECTORY : directory;
  }
  layers = [policyHost(), own[0], ask(function () {
    return kmsSetting(kmsLayer({layer: "service"}));
  }), own[1]];
  for (i = 0; i < layers.length - 1 && layers[i] === null; i++) {
    /* The next one. */
  }
  return layers[i];
}

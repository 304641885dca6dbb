/*
 * The KMS host that a product goes to, as a fact: a host, null for none, or unreadable as
 * soon as a layer that may name it is.
 */

/* Licensed by it or by a token, a product needs no KMS host; one that is set is a fallback. */
var DIRECTORY = "Active Directory", BEFORE_2012 = 9199;

function byToken() {
  return t("a token");
}

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

/* Of a product; null up to the last build of the releases that have no such property. */
function propertySince(name, where, last) {
  var value = field(only("SELECT ID, " + name + where), name, asUnsigned);
  return isUnreadable(value) && ask(function () {
    return forThisRelease([0, last]);
  }) === true ? null : value;
}

/* What licensed it, if that was no KMS host; a token as slmgr.vbs tells it.  Else null. */
function licensedWithoutKms(where) {
  var type = propertySince("VLActivationType", where, BEFORE_2012);
  var token = propertySince("TokenActivationILVID", where, 6999);
  if (isUnreadable(type) || type === 1) {
    return type === 1 ? DIRECTORY : type;
  }
  if (type === 3 || isUnreadable(token)) {
    return type === 3 ? byToken() : token;
  }
  return token === null || token === 0xFFFFFFFF ? null : byToken();
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
  var other = product.status === 1 && licensedWithoutKms(where), own = layersOf(where), layers;
  if (other) {
    return other;
  }
  layers = [policyHost(), own[0], ask(function () {
    return kmsSetting(kmsLayer({layer: "service"}));
  }), own[1]];
  for (i = 0; i < layers.length - 1 && layers[i] === null; i++) {
    /* The next one. */
  }
  return layers[i];
}

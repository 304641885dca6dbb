/*
 * The licensing service's WMI classes: their properties, in narrow queries, and
 * the products that a step is about.
 */

var APP_ID = "55c92734-d682-4d71-983e-d6ec3f16059f";
var OF_SERVICE = " FROM SoftwareLicensingService";
var OF_PRODUCT = " FROM SoftwareLicensingProduct WHERE ID='";
var KEYED = " FROM SoftwareLicensingProduct WHERE ApplicationID='" + APP_ID +
  "' AND PartialProductKey <> NULL";

/*
 * Fact, property and the first generation that has it: 0 is 2008, 1 is 2008 R2.  Of the
 * port Microsoft's pages do not agree whether that has it: a query without it follows.
 */
var SERVICE_PROPERTIES = [
  ["version", "Version", 0, asText], ["machine", KMS + "Machine", 0, asText],
  ["cmid", "ClientMachineID", 0, asText],
  ["is_kms_host", "Is" + KMS + "Machine", 0, asUnsigned],
  ["port", KMS + "Port", 2, asUnsigned],
  ["caching", KMS + "HostCaching", 1, asBoolean],
  ["rearm", "RemainingWindowsReArmCount", 1, asUnsigned],
  ["lookup_domain", KMS + "LookupDomain", 3, asText]
];

function servicePropertiesUpTo(generation) {
  var names = [], i;
  for (i = 0; i < SERVICE_PROPERTIES.length; i++) {
    if (SERVICE_PROPERTIES[i][2] <= generation) {
      names.push(SERVICE_PROPERTIES[i][1]);
    }
  }
  return names;
}

/* The service's one row with as many properties as this release has. */
function licensingService() {
  var generation, found;
  for (generation = 3; generation >= 0; generation--) {
    found = only("SELECT " + servicePropertiesUpTo(generation).join(", ") + OF_SERVICE);
    if (found.error !== INVALID_QUERY) {
      break;
    }
  }
  found.generation = generation;
  return found;
}

/* The products with a key, as the steps need them. */
function keyedProducts() {
  var rows = query("SELECT ID, ApplicationID, PartialProductKey, LicenseIsAddon, LicenseStatus," +
    " LicenseStatusReason, Description" + KEYED), list = [], i, row, text;
  for (i = 0; i < rows.length; i++) {
    row = rows[i];
    text = String(given(property(row, "Description")));
    list.push({row: row, id: String(property(row, "ID")),
      partial: String(property(row, "PartialProductKey")),
      addon: asBoolean(given(property(row, "LicenseIsAddon"))),
      status: asNumber(given(property(row, "LicenseStatus"))),
      reason: asUnsigned(property(row, "LicenseStatusReason") || 0),
      client: text.indexOf("VOLUME_KMSCLIENT") >= 0,
      host: text.indexOf("VOLUME_KMS") >= 0 && text.indexOf("VOLUME_KMSCLIENT") < 0,
      evaluation: text.indexOf("TIMEBASED_EVAL") >= 0});
  }
  return list;
}

/* Windows itself, not its add-ons. */
function mainProducts() {
  return chosen(keyedProducts(), function (product) {
    return !product.addon;
  });
}

/* The service's one row, to call its methods. */
function serviceRow() {
  return only("SELECT Version" + OF_SERVICE);
}

/* Lets the service see its new state; what it answers changes nothing here. */
function refreshLicense() {
  var found = serviceRow();
  if (!found.row) {
    throw failure(found.error);
  }
  call(found.row, "RefreshLicenseStatus");
}

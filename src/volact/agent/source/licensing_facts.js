/*
 * The facts about licensing: the service's settings, and every Windows product
 * with a key, with all the properties that this release has.
 */

/* The four tiers; "~" stands for KeyManagementService. */
var PRODUCT_TIERS = ("ID Name Description PartialProductKey LicenseIsAddon LicenseStatus" +
  " LicenseStatusReason GracePeriodRemaining ProductKeyID EvaluationEndDate ApplicationID" +
  " ProcessorURL MachineURL UseLicenseURL ProductKeyURL" +
  "|~Machine ~Port Discovered~MachineName Discovered~MachinePort ~ProductKeyID Is~Machine" +
  " VLActivationInterval VLRenewalInterval GenuineStatus ExtendedGrace TrustedTime" +
  " RequiredClientCount TokenActivationILID TokenActivationILVID TokenActivationGrantNumber" +
  " TokenActivationCertificateThumbprint TokenActivationAdditionalInfo" +
  "|~LookupDomain VLActivationType VLActivationTypeEnabled ADActivationObjectName" +
  " ADActivationObjectDN ADActivationCsvlkPid ADActivationCsvlkSkuId" +
  "|ProductKeyChannel ValidationURL IAID Discovered~MachineIpAddress RemainingSkuReArmCount" +
  " RemainingAppReArmCount AutomaticVMActivationHostMachineName" +
  " AutomaticVMActivationLastActivationTime AutomaticVMActivationHostDigitalPid2"
).replace(/~/g, KMS).split("|");

function licensingFacts() {
  var found = licensingService(), facts = {}, i, item;
  if (!found.row) {
    throw failure(found.error);
  }
  for (i = 0; i < SERVICE_PROPERTIES.length; i++) {
    item = SERVICE_PROPERTIES[i];
    facts[item[0]] = item[2] > found.generation ? unreadable(INVALID_QUERY)
      : field(found, item[1], item[3]);
  }
  return facts;
}

/* Each row with the widest list of properties that this release takes. */
function productRows(ids) {
  var tier, names, rows, i;
  for (tier = PRODUCT_TIERS.length; tier > 0; tier--) {
    names = PRODUCT_TIERS.slice(0, tier).join(" ");
    rows = [];
    try {
      for (i = 0; i < ids.length && i < 8; i++) {
        rows = rows.concat(query("SELECT " + names.replace(/ /g, ", ") + OF_PRODUCT +
          property(ids[i], "ID") + "'").slice(0, 1));
      }
      return {rows: rows, names: names.split(" "), missing: PRODUCT_TIERS.slice(tier).join(" ")};
    } catch (error) {
      if (hresultOf(error) !== INVALID_QUERY || tier === 1) {
        throw error;
      }
    }
  }
  return null;
}

/*
 * Every way to say "none" is left out: null, empty, the year 1601, -1, port 0;
 * and URLs that lead to microsoft.com, as they all should.
 */
function productValue(name, value) {
  if (value === null || value === "" || value === -1 || value === 0xFFFFFFFF ||
      (value === 0 && /Port$/.test(name))) {
    return undefined;
  }
  if (typeof value === "string") {
    if (/^16010101000000/.test(value)) {
      return undefined;
    }
    value = /URL$/.test(name) ? hostOf(value) : value;
    return /URL$/.test(name) && /(^|\.)microsoft\.com$/i.test(value) ? undefined : clip(value, 300);
  }
  return typeof value === "number" ? value >>> 0 : value;
}

function productFact(row, names, missing) {
  var fact = {}, failed = {}, any = false, i, value;
  for (i = 0; i < names.length; i++) {
    try {
      value = productValue(names[i], property(row, names[i]));
      if (value !== undefined) {
        fact[names[i]] = value;
      }
    } catch (error) {
      failed[names[i]] = hresultOf(error);
      any = true;
    }
  }
  if (any || missing) {
    fact["!"] = any ? alsoMissing(failed, missing) : [INVALID_QUERY, missing];
  }
  return fact;
}

function alsoMissing(failed, missing) {
  var names = missing ? missing.split(" ") : [], i;
  for (i = 0; i < names.length; i++) {
    failed[names[i]] = INVALID_QUERY;
  }
  return failed;
}

/* The ids first, as slmgr.vbs asks: many properties of a hundred products take long. */
function productFacts() {
  var found = productRows(query("SELECT ID" + KEYED)), list = [], i;
  for (i = 0; i < found.rows.length; i++) {
    list.push(productFact(found.rows[i], found.names, found.missing));
  }
  return list;
}

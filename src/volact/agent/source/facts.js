/*
 * All facts of one answer, the slow ones last.  Each stands alone: a failure
 * is that fact's own.
 */

function osFacts() {
  var machine = only("SELECT Name, Domain, DomainRole FROM Win32_ComputerSystem");
  var bios = "HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS\\";
  return {
    caption: field(os(), "Caption", asText), version: field(os(), "Version", asText),
    build: field(os(), "BuildNumber", asNumber),
    sku: field(os(), "OperatingSystemSKU", asUnsigned),
    edition: regText(NT + "EditionID"), install: regText(NT + "InstallationType"),
    language: field(os(), "OSLanguage", asUnsigned),
    role: field(machine, "DomainRole", asUnsigned),
    domain: field(machine, "Domain", asText), name: field(machine, "Name", asText),
    bios: regText(bios + "BIOSVendor"), maker: regText(bios + "SystemManufacturer"),
    model: regText(bios + "SystemProductName"),
    asset: REQUEST.ask.detect ? field(only("SELECT SMBIOSAssetTag FROM Win32_SystemEnclosure"),
      "SMBIOSAssetTag", asText) : undefined
  };
}

/* What starts and stops Windows Time by itself, as type/action: "3/1 3/2". */
function timeTriggers() {
  var list = [], i, key, type;
  for (i = 0; i < 8; i++) {
    key = W32TIME + "TriggerInfo\\" + i + "\\";
    type = readValue(key + "Type");
    if (type === null) {
      break;
    }
    list.push(type + "/" + readValue(key + "Action"));
  }
  return list.length ? list.join(" ") : null;
}

var NTP_CLIENT = "TimeProviders\\NtpClient\\Enabled";

function timeFacts(utc) {
  var zone = CONTROL + "TimeZoneInformation\\";
  return {
    utc: utc, bias: field(os(), "CurrentTimeZone", asNumber),
    zone: regText(zone + "TimeZoneKeyName"),
    rtu: regNumber(zone + "RealTimeIsUniversal"), type: regText(W32TIME + "Parameters\\Type"),
    peers: regText(W32TIME + "Parameters\\NtpServer"),
    pos: regNumber(W32TIME + "Config\\" + LIMITS[0]),
    neg: regNumber(W32TIME + "Config\\" + LIMITS[1]),
    client: regNumber(W32TIME + NTP_CLIENT),
    seed: regNumber(W32TIME + "Config\\UtilizeSslTimeData"),
    vmic: regNumber(W32TIME + "TimeProviders\\VMICTimeProvider\\Enabled"),
    triggers: ask(timeTriggers), saved: regText(LIMITS_MARK),
    policy_type: regText(TIME_POLICY + "Parameters\\Type"),
    policy_peers: regText(TIME_POLICY + "Parameters\\NtpServer"),
    policy_pos: regNumber(TIME_POLICY + "Config\\" + LIMITS[0]),
    policy_neg: regNumber(TIME_POLICY + "Config\\" + LIMITS[1]),
    policy_client: regNumber(TIME_POLICY + NTP_CLIENT)
  };
}

/*
 * The policy key's name is not confirmed by a source; a server without it
 * answers "absent", which is what a server without such a policy is.
 */
function registryFacts() {
  var key = licensingKey();
  var policy = POLICIES + "Windows NT\\CurrentVersion\\Software Protection Platform\\";
  return {
    machine: regText(key + KMS + "Name"), port: regText(key + KMS + "Port"),
    policy_machine: regText(policy + KMS + "Name"), policy_port: regText(policy + KMS + "Port"),
    discovered_name: is2008() ? regText(OLD_DISCOVERED + "Name") : undefined,
    discovered_port: is2008() ? regText(OLD_DISCOVERED + "Port") : undefined
  };
}

function binaryFacts() {
  var path = binaryPath();
  return {
    path: clip(path, 300), exists: ask(function () { return files.FileExists(path); }),
    sddl: ask(function () { return readSddl(path); }),
    "debugger": regText(imageOptions() + "Debugger"),
    verifier: regText(imageOptions() + "VerifierDlls"),
    kms_debugger: regText(imageOptions(true) + "Debugger"),
    kms_verifier: regText(imageOptions(true) + "VerifierDlls")
  };
}

function policyLength() {
  var value = readValue(CONTROL + "ProductOptions\\ProductPolicy");
  return value === null ? null : new VBArray(value).ubound(1) + 1;
}

var SERVICE_NAMES = ["sppsvc", "slsvc", "sppuinotify", "SLUINotify", "W32Time", "Winmgmt",
  "RpcSs", "Schedule", "EventSystem", "PlugPlay"];
/* Under these names emulators of KMS install themselves; told only where there is one. */
var ODD_SERVICES = ["Service KMSELDI", "KMService", "KMSEmulator", "vlmcsd"];

function serviceFacts() {
  var facts = {}, rows, i, name, seen = {}, names = SERVICE_NAMES.concat(ODD_SERVICES);
  rows = query("SELECT Name, State, StartMode FROM Win32_Service WHERE Name='" +
    names.join("' OR Name='") + "'");
  for (i = 0; i < rows.length; i++) {
    seen[String(property(rows[i], "Name")).toLowerCase()] = rows[i];
  }
  for (i = 0; i < names.length; i++) {
    name = names[i].toLowerCase();
    if (i < SERVICE_NAMES.length || seen[name]) {
      facts[names[i]] = serviceFact(seen[name], names[i]);
    }
  }
  return facts;
}

function serviceFact(row, name) {
  return ask(function () {
    return row ? [asText(property(row, "State")),
      startMode(name, asText(property(row, "StartMode")))] : null;
  });
}

/*
 * Too late for slow questions: better an answer without them than none.  What
 * decides may take a larger share, where steps have used up the time.
 */
function inTime(question, share) {
  return ask(function () {
    if (tick() > BUDGET_MS * (share || 1)) {
      throw failure(TIMED_OUT);
    }
    return question();
  });
}

/* Facts that no step can change: only a probe asks for them. */
var UNCHANGED = {};

/* How long a fact took is a fact too, where the clock shows it. */
function addFact(facts, name, question, share) {
  var record = once(name, function () {
    return share ? inTime(question, share) : ask(question);
  });
  facts[name] = record[1];
  facts.ms[name] = record[2] || undefined;
}

function addUnchanged(facts) {
  var name;
  for (name in UNCHANGED) {
    addFact(facts, name, function () {
      return UNCHANGED[name](facts);
    });
    facts[name] = facts[name] || undefined;
  }
}

function addQuickFacts(facts) {
  var utc = now();
  addFact(facts, "checks", function () {
    failedChecks(CHECKS);
    return checks;
  });
  addFact(facts, "os", osFacts);
  addFact(facts, "time", function () {
    return timeFacts(utc);
  });
  addFact(facts, "elevated", elevatedFact);
  facts.restart = regText(RESTART_MARK);
  addFact(facts, "registry", registryFacts);
  addFact(facts, "policy_len", policyLength);
  addFact(facts, "services", serviceFacts);
  addFact(facts, "dns", dnsFacts);
  addFact(facts, "addresses", addressFacts);
  addFact(facts, "adapters", adapterFacts);
  addFact(facts, "routes", routeFacts);
}

function allFacts(results) {
  var facts = {ms: {}}, share = REQUEST.mode === "apply" ? 1.4 : 1;
  addQuickFacts(facts);
  addFact(facts, "licensing", licensingFacts, share);
  addFact(facts, "products", productFacts, share);
  addFact(facts, "binary", binaryFacts, 1);
  addFact(facts, "events", eventFacts, 1);
  addFact(facts, "metadata", metadataFacts, 1);
  if (REQUEST.ask.date) {
    addFact(facts, "ref", referenceTime, 1);
    addFact(facts, "ref_at", referenceAt);
    facts.time.ref = facts.ref;
    facts.time.ref_at = facts.ref_at;
  }
  addFact(facts, "reach", function () {
    return reachFacts(facts);
  }, 1);
  addFact(facts, "reached", function () {
    return facts.reached;
  });
  addUnchanged(facts);
  addFact(facts, "need", function () {
    factsOnNeed(facts, results);
  });
  facts.blocked = blockedFact();
  facts.reached = facts.reached || undefined;
  facts.ref = facts.ref_at = facts.need = undefined;
  return facts;
}

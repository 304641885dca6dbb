/*
 * Facts that are asked only when something is wrong that they may explain:
 * lost rights, the licence store.
 */

var LOST_RIGHTS = [DENIED, BAD_DATA, 0xC004F00F];
var DAMAGED_STORE = [0xC004E002, 0xC004E003, 0xC004E015, 0xC004F01F, 0xC004F020, 0xC004F022,
  0xC004F027, 0xC004D301];

function failedGroup(group) {
  return group && typeof group["!"] === "number" ? group["!"] : null;
}

function eventCode(event) {
  var match = event && event[1] ? /0x[0-9A-F]{1,8}/i.exec(event[1][0] || "") : null;
  return match ? Number(match[0]) : 0;
}

/* The codes of the events with such a key. */
function eventCodes(facts, pattern) {
  var list = [], key;
  for (key in facts.events) {
    if (pattern.test(key)) {
      list.push(eventCode(facts.events[key]));
    }
  }
  return list;
}

/* Every code by which licensing reports its state. */
function codesSeen(facts, results) {
  var list = [failedGroup(facts.licensing), failedGroup(facts.products)], i;
  for (i = 0; facts.products && i < facts.products.length; i++) {
    list.push(facts.products[i].LicenseStatusReason);
  }
  if (facts.events && failedGroup(facts.events) === null) {
    list.push(eventCode(facts.events["12288"]), eventCode(facts.events["8198"]));
  }
  list = list.concat(eventCodes(facts, / /));
  for (i = 0; results && i < results.length; i++) {
    if (results[i]["do"] === "activate") {
      list.push(results[i].hresult);
    }
  }
  return list;
}

function anyCode(codes, test) {
  return some(codes, function (code) {
    return code && test(code);
  });
}

function isStoreCode(code) {
  return includes(DAMAGED_STORE, code) || (code >= 0x8004E101 && code <= 0x8004E10E);
}

function isRightsCode(code) {
  return includes(LOST_RIGHTS, code);
}

function factsOnNeed(facts, results) {
  var codes = codesSeen(facts, results);
  var silent = failedGroup(facts.licensing) !== null || failedGroup(facts.products) !== null;
  if (silent || anyCode(codes, isRightsCode)) {
    facts.rights = inTime(rightsFacts);
  }
  if (facts.rights || anyCode(codes, isStoreCode)) {
    facts.store = inTime(storeFacts);
  }
}

function rightsFacts() {
  return {
    profiles: ask(profileSids),
    profile_key: keyDacl(0x80000002,
      NT.substr(5) + "ProfileList\\S-1-5-20"),
    hive: keyDacl(0x80000003, "S-1-5-20"),
    enum_root: keyDacl(0x80000002, "SYSTEM\\CurrentControlSet\\Enum\\Root"),
    plugplay: ask(function () {
      return matchOf("sc.exe", "sdshow PlugPlay", /D:[^\r\n]+/);
    }),
    dcom: ask(function () {
      var bytes = readValue("HKLM\\SOFTWARE\\Microsoft\\Ole\\DefaultAccessPermission");
      return bytes === null ? null : hexOf(asList(bytes));
    })
  };
}

function profileSids() {
  return chosen(["S-1-5-18", "S-1-5-19", "S-1-5-20"], function (sid) {
    return readValue(NT + "ProfileList\\" + sid + "\\ProfileImagePath") !== null;
  });
}

function hexOf(bytes) {
  var text = "", i;
  for (i = 0; i < bytes.length && i < 600; i++) {
    text += hex(bytes[i] & 255, 2);
  }
  return text;
}

/* The DACL of a registry key, put together from its entries. */
function keyDacl(hive, path) {
  return ask(function () {
    var provider = wmiOf("default").Get("StdRegProv");
    var input = provider.Methods_.Item("GetSecurityDescriptor").InParameters.SpawnInstance_();
    var output, code;
    input.Properties_.Item("hDefKey").Value = hive;
    input.Properties_.Item("sSubKeyName").Value = path;
    output = provider.ExecMethod_("GetSecurityDescriptor", input);
    code = asNumber(property(output, "ReturnValue") || 0);
    if (code !== 0) {
      throw failure(toolFailure(code));
    }
    return clip(daclText(property(output, "Descriptor")), 1500);
  });
}

function daclText(descriptor) {
  var list = property(descriptor, "DACL"), text = "D:", kinds = ["A", "D"], i, kind;
  if (list === null) {
    return "D:NO_ACCESS_CONTROL";
  }
  list = asList(list);
  for (i = 0; i < list.length; i++) {
    kind = kinds[asNumber(property(list[i], "AceType"))] || "X";
    text += "(" + kind + ";" + (asNumber(property(list[i], "AceFlags") || 0) & 8 ? "IO" : "") +
      ";0x" + hex(asUnsigned(property(list[i], "AccessMask")), 1) + ";;;" +
      property(property(list[i], "Trustee"), "SIDString") + ")";
  }
  return text;
}

/* Where the licence store may be, the likeliest first. */
function storeFolders() {
  var roaming = expanded("%SystemRoot%") + "\\ServiceProfiles\\NetworkService\\AppData" +
    "\\Roaming\\Microsoft\\";
  if (windowsBuild() < 8000) {
    return [roaming + "SoftwareProtectionPlatform", roaming + "SoftwareLicensing"];
  }
  return [systemFile("spp\\store\\2.0"), systemFile("spp\\store")];
}

function storeFolder() {
  var folders = storeFolders();
  return chosen(folders, function (path) {
    return files.FileExists(path + "\\tokens.dat");
  }).concat(chosen(folders, function (path) {
    return files.FolderExists(path);
  }), folders)[0];
}

function storeFacts() {
  var path = storeFolder(), tokens = path + "\\tokens.dat";
  return {
    path: clip(path, 300),
    tokens: ask(function () {
      return files.FileExists(tokens) ? Number(files.GetFile(tokens).Size) : null;
    }),
    spare: ask(function () {
      return files.FileExists(path + "\\tokens.bar");
    }),
    free_mb: ask(function () {
      return Math.floor(Number(files.GetDrive(files.GetDriveName(path)).FreeSpace) / 1048576);
    }),
    sddl: ask(function () {
      return readSddl(path);
    })
  };
}

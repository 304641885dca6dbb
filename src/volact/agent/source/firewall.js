/*
 * Windows' own firewall: the rules that may be about a request to a KMS host, asked where
 * the network failed.
 */

var FIREWALL = SERVICES + "SharedAccess\\Parameters\\FirewallPolicy\\";
var FIREWALL_POLICY = POLICIES + "WindowsFirewall\\";
var BLOCKING = /\|Action=Block\|/i, OPENING = /\|Action=Allow\|/i;

/* Whether a host that was tried is there, or none was tried. */
function anyReached(outcomes) {
  var host, tried = false;
  for (host in outcomes) {
    if (outcomes.hasOwnProperty(host)) {
      tried = true;
      if (outcomes[host][0] === "connected") {
        return true;
      }
    }
  }
  return !tried;
}

/* What stands in the way of the network shows in the code of the last request. */
function networkFailed(facts) {
  return !anyReached(facts.reached) || anyCode(eventCodes(facts, /^12288/), function (code) {
    return code >= 0x80070000 && code <= 0x8007FFFF;
  });
}

UNCHANGED.firewall = function (facts) {
  return networkFailed(facts) ? inTime(firewallFacts) : undefined;
};

function firewallFacts() {
  var facts = {service: ask(function () {
    var service = findService("MpsSvc");
    return service ? service.state : null;
  }), active: ask(function () {
    return asNumber(new ActiveXObject("HNetCfg.FwPolicy2").CurrentProfileTypes);
  }), blocking: ask(blockingProfiles)}, rules = ask(firewallRules);
  if (failedGroup(rules) !== null) {
    facts.block = facts.allow = rules;
    return facts;
  }
  facts.block = chosenRules(rules, BLOCKING);
  facts.allow = chosenRules(rules, OPENING);
  return facts;
}

/* Profiles whose outbound default is to block, by policy's setting, else by the server's own. */
function blockingProfiles() {
  return chosen(["DomainProfile", "PrivateProfile", "PublicProfile"], function (name) {
    return ruling(name, "DefaultOutboundAction") === 1 && ruling(name, "EnableFirewall") !== 0;
  });
}

/* The server's own key of the private profile is called Standard. */
function ruling(profile, name) {
  var value = readValue(FIREWALL_POLICY + profile + "\\" + name);
  return Number(value !== null ? value
    : readValue(FIREWALL + profile.replace("Private", "Standard") + "\\" + name));
}

/* Rules as the registry holds them: no language is in their fields. */
function firewallRules() {
  var out = base + ".out", text;
  try {
    mustRun("reg.exe", 'query "' + FIREWALL + 'FirewallRules"', out);
    text = readFile(out, 0);
    if (runTool("reg.exe", 'query "' + FIREWALL_POLICY + 'FirewallRules"', out) === null) {
      text += "\n" + readFile(out, 0);
    } else {
      /* Without such rules nothing is there; else why they are not to be had. */
      readValue(FIREWALL_POLICY + "FirewallRules\\");
    }
  } finally {
    removeFile(out);
  }
  return text.match(/v2\.\d+\|[^\r\n]+/g) || [];
}

/* Whether a rule may be about a request to a KMS host: TCP, its port, the licensing service. */
function isOutbound(rule) {
  var ports = ["1688"].concat(REQUEST.ask.kms).join("|").replace(/[^|]*:/g, "");
  return /\|Dir=Out\|/i.test(rule) && /\|Active=TRUE\|/i.test(rule) &&
    (!/\|RPort/i.test(rule) ||
      new RegExp("\\|RPort\\w*=(" + ports + "|[^|]*[-,])", "i").test(rule)) &&
    !/\|(Protocol=(?!6\|)|Svc=(?!\*|s(pp|l)svc)|App=(?!System\||[^|]*\\s(pp|l)(svc|ext)))/i
      .test(rule);
}

function chosenRules(rules, action) {
  var list = chosen(rules, function (rule) {
    return isOutbound(rule) && action.test(rule);
  }).slice(0, 8), i;
  for (i = 0; i < list.length; i++) {
    list[i] = clip(trim(list[i]), 400);
  }
  return list;
}

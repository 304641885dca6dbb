/*
 * The facts about the network: metadata, the second clock, KMS hosts, name
 * servers and routes.
 */

function metadataFacts() {
  var facts = {}, name;
  for (name in REQUEST.ask.metadata) {
    facts[name] = metadataValue(REQUEST.ask.metadata[name]);
  }
  return facts;
}

/*
 * The second clock, and what this clock showed when it answered: anew after
 * steps, because one of them may have set the clock, and something else may
 * have set it back.
 */
function referenceTime() {
  return knownNumber(page(REQUEST.ask.date, REQUEST.mode === "apply").date);
}

function referenceAt() {
  var host = hostOf(REQUEST.ask.date), found = pages[REQUEST.ask.date];
  if (!found) {
    throw silentHosts[host] || failure(TIMED_OUT);
  }
  return found.at;
}

/* The hosts whose reach is asked for, each once. */
function reachHosts(facts) {
  var list = [], i, all = REQUEST.ask.kms.concat(namedHost(facts.metadata), presentHosts(facts));
  for (i = 0; i < all.length && list.length < 8; i++) {
    if (!includes(list, all[i])) {
      list.push(all[i]);
    }
  }
  return list;
}

/* Per host the code of the try, and under another name what it means: [outcome, ms]. */
function reachFacts(facts) {
  var hosts = reachHosts(facts), codes = {}, i, one;
  facts.reached = {};
  for (i = 0; i < hosts.length; i++) {
    one = reach(hosts[i]);
    codes[hosts[i]] = one.code;
    facts.reached[hosts[i]] = [one.outcome, one.ms];
  }
  return codes;
}

/* The KMS host that the metadata service names, where it names one. */
function namedHost(metadata) {
  var name = metadata && REQUEST.ask.kms_from ? metadata[REQUEST.ask.kms_from] : null, host;
  if (typeof name !== "string" || !/^[A-Za-z0-9.:\[\]_-]+$/.test(name)) {
    return [];
  }
  host = ask(function () {
    return splitHost(name);
  });
  return host["!"] === undefined ? [joinHost(host.name, host.port)] : [];
}

/* The KMS hosts that are set or were discovered, of any owner. */
function presentHosts(facts) {
  return REQUEST.ask.present ? setHosts(facts) : [];
}

function setHosts(facts) {
  var list = [], own = facts.licensing || {}, products = facts.products || [], i;
  var registry = facts.registry || {};
  addHost(list, registry.policy_machine, registry.policy_port);
  addHost(list, own.machine, own.port);
  addHost(list, registry.discovered_name, registry.discovered_port);
  for (i = 0; i < products.length; i++) {
    addHost(list, products[i].KeyManagementServiceMachine, products[i].KeyManagementServicePort);
    addHost(list, products[i].DiscoveredKeyManagementServiceMachineName,
      products[i].DiscoveredKeyManagementServiceMachinePort);
  }
  return list;
}

function addHost(list, name, port) {
  var text;
  if (typeof name === "string" && trim(name)) {
    text = joinHost(name, typeof port === "object" ? 0 : port);
    if (!includes(list, text)) {
      list.push(text);
    }
  }
}

var adapters = null;

function adapterRows() {
  return query("SELECT Index, SettingID, DHCPEnabled, DefaultIPGateway, DNSServerSearchOrder," +
    " IPAddress FROM Win32_NetworkAdapterConfiguration WHERE IPEnabled=TRUE");
}

function listOf(row, name) {
  var value = property(row, name);
  return value === null ? [] : asList(value);
}

/* Adapters with a gateway: a network of its own keeps its name servers. */
function outwardAdapters(rows) {
  return chosen(rows, function (row) {
    return listOf(row, "DefaultIPGateway").length;
  });
}

/* Per adapter: its name servers, and whether a person or DHCP has set them. */
function nameServers(rows) {
  var view = {}, i, fixed;
  for (i = 0; i < rows.length; i++) {
    fixed = regText(SERVICES + "Tcpip\\Parameters\\Interfaces\\" +
      property(rows[i], "SettingID") + "\\NameServer");
    view[property(rows[i], "Index")] = {dns: listOf(rows[i], "DNSServerSearchOrder"),
      dhcp: asBoolean(property(rows[i], "DHCPEnabled")),
      fixed: fixed !== null && typeof fixed === "object" ? fixed : !!fixed};
  }
  return view;
}

/* One property of all adapters that have an address, a list for each, each item once. */
function ofAdapters(name, limit, wanted) {
  var seen = {}, list = [], i, k, value;
  adapters = adapters || adapterRows();
  for (i = 0; i < adapters.length; i++) {
    value = listOf(adapters[i], name);
    for (k = 0; k < value.length; k++) {
      if (!seen[value[k]] && list.length < limit && wanted(String(value[k]))) {
        seen[value[k]] = true;
        list.push(String(value[k]));
      }
    }
  }
  return list;
}

function dnsFacts() {
  return ofAdapters("DNSServerSearchOrder", 16, function () {
    return true;
  });
}

/* What add-dns would overwrite, in short: [name servers, DHCP, set by hand] by index. */
function adapterFacts() {
  var view = nameServers(outwardAdapters(adapters || adapterRows())), facts = {}, index, one;
  for (index in view) {
    one = view[index];
    facts[index] = typeof one.fixed === "boolean" ? [one.dns, one.dhcp, one.fixed] : one.fixed;
  }
  return facts;
}

/* Without those that an adapter gives itself. */
function addressFacts() {
  return ofAdapters("IPAddress", 8, function (address) {
    return !/^(169\.254\.|fe80:)/i.test(address);
  });
}

var ROUTES = "SELECT Destination, Mask, NextHop FROM Win32_IP4RouteTable";

/* IPv4 routes but for loopback, multicast and broadcast. */
function routeFacts() {
  var rows = query(ROUTES), list = [], i, to;
  for (i = 0; i < rows.length && list.length < 40; i++) {
    to = String(property(rows[i], "Destination"));
    if (!/^(127|224|255)\./.test(to)) {
      list.push([to, asText(property(rows[i], "Mask")), asText(property(rows[i], "NextHop"))]);
    }
  }
  return list;
}

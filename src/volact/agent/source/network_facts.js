/*
 * The facts about the network: metadata, the second clock, KMS hosts, name
 * servers and routes.
 */

function metadataFacts() {
  var facts = {}, name;
  for (name in REQUEST.ask.metadata) {
    if (REQUEST.ask.metadata.hasOwnProperty(name)) {
      facts[name] = metadataValue(REQUEST.ask.metadata[name]);
    }
  }
  return facts;
}

/* The second clock, and what this clock showed when it answered. */
function referenceTime() {
  var date = page(REQUEST.ask.date).date;
  if (typeof date !== "number") {
    throw failure(date["!"]);
  }
  return date;
}

function referenceAt() {
  var host = hostOf(REQUEST.ask.date), found = pages[REQUEST.ask.date];
  if (!found) {
    throw silentHosts[host] || failure(TIMED_OUT);
  }
  return found.at;
}

function reachFacts() {
  var facts = {}, i;
  for (i = 0; i < REQUEST.ask.kms.length; i++) {
    facts[REQUEST.ask.kms[i]] = reach(REQUEST.ask.kms[i]);
  }
  return facts;
}

/* The DNS servers of all adapters, each once. */
function dnsFacts() {
  var rows = query("SELECT DNSServerSearchOrder FROM Win32_NetworkAdapterConfiguration" +
    " WHERE IPEnabled=TRUE"), seen = {}, list = [], i, k, value;
  for (i = 0; i < rows.length; i++) {
    value = property(rows[i], "DNSServerSearchOrder");
    value = value === null ? [] : asList(value);
    for (k = 0; k < value.length; k++) {
      if (!seen[value[k]] && list.length < 16) {
        seen[value[k]] = true;
        list.push(String(value[k]));
      }
    }
  }
  return list;
}

/* IPv4 routes but for loopback, multicast and broadcast. */
function routeFacts() {
  var rows = query("SELECT Destination, Mask, NextHop FROM Win32_IP4RouteTable"), list = [], i, to;
  for (i = 0; i < rows.length && list.length < 40; i++) {
    to = String(property(rows[i], "Destination"));
    if (!/^(127|224|255)\./.test(to)) {
      list.push([to, asText(property(rows[i], "Mask")), asText(property(rows[i], "NextHop"))]);
    }
  }
  return list;
}

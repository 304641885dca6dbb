/*
 * The steps about name servers and routes.  Both are only added to, but for routes by
 * gateways that lead nowhere; what was there before is in the result.
 */

/* The present servers with the wanted ones before or behind them, each once. */
function joined(present, wanted, first) {
  var rest = chosen(present, function (one) {
    return !includes(wanted, one);
  });
  return first ? wanted.concat(rest) : rest.concat(wanted);
}

function holdsAll(present, wanted) {
  return !some(wanted, function (one) {
    return !includes(present, one);
  });
}

function asServers(present, step) {
  return holdsAll(present, step.servers) &&
    (step.position !== "first" || includes(step.servers, present[0]));
}

STEPS["add-dns"] = function (step) {
  var rows = outwardAdapters(adapterRows()), before = nameServers(rows), changed = false;
  var hresult = null, i, present, ok = rows.length > 0;
  needAddresses(step.servers);
  for (i = 0; i < rows.length && hresult === null; i++) {
    present = listOf(rows[i], "DNSServerSearchOrder");
    if (!asServers(present, step)) {
      try {
        setNameServers(rows[i], joined(present, step.servers, step.position === "first"));
        changed = true;
      } catch (error) {
        hresult = hresultOf(error);
      }
    }
  }
  if (changed) {
    runTool("ipconfig.exe", "/flushdns");
    forgetNetwork();
  }
  rows = outwardAdapters(adapterRows());
  for (i = 0; i < rows.length; i++) {
    ok = ok && asServers(listOf(rows[i], "DNSServerSearchOrder"), step);
  }
  return outcomeOf(ok, changed, before, nameServers(rows), hresult);
};

function outcomeOf(ok, changed, before, after, hresult) {
  var outcome = result(ok, changed, before, after, ok ? "" : "the value is not as requested");
  outcome.hresult = ok ? null : hresult;
  return outcome;
}

STEPS["add-route"] = function (step) {
  var to = needAddresses([step.destination, step.mask, step.gateway]), after, hresult, i;
  var before = routesTo(to[0], to[1], to[2]), hops = before.hops ? before.hops.split(" ") : [];
  var network = to[0] + " mask " + to[1] + " ", dead = needAddresses(step.dead || []);
  for (i = 0; i < hops.length; i++) {
    if (!includes(dead, hops[i])) {
      return unchanged(before);
    }
  }
  for (i = 0; i < hops.length; i++) {
    runTool("route.exe", "delete " + network + hops[i]);
  }
  hresult = runTool("route.exe", "-p add " + network + to[2]);
  forgetNetwork();
  after = routesTo(to[0], to[1], to[2]);
  return outcomeOf(after.hops === to[2], after.hops !== before.hops, before, after, hresult);
};

/*
 * The steps about name servers and routes.  Both are only ever added to; what
 * was there before is in the result, so that it can be put back.
 */

function needAddresses(list) {
  var i;
  for (i = 0; i < list.length; i++) {
    if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(list[i])) {
      throw failure(BAD_PARAMETER);
    }
  }
  return list;
}

/* The present servers with the wanted ones before or behind them, each once. */
function joined(present, wanted, first) {
  var rest = [], i;
  for (i = 0; i < present.length; i++) {
    if (!includes(wanted, present[i])) {
      rest.push(present[i]);
    }
  }
  return first ? wanted.concat(rest) : rest.concat(wanted);
}

function holdsAll(present, wanted) {
  var i;
  for (i = 0; i < wanted.length; i++) {
    if (!includes(present, wanted[i])) {
      return false;
    }
  }
  return true;
}

function asServers(present, step) {
  return holdsAll(present, step.servers) &&
    (step.position !== "first" || includes(step.servers, present[0]));
}

/* WMI takes the array of a dictionary, not one of this language. */
function safeArray(list) {
  var items = new ActiveXObject("Scripting.Dictionary"), i;
  for (i = 0; i < list.length; i++) {
    items.Add(i, list[i]);
  }
  return items.Items();
}

/* What the method returns is its own: 0 done, 1 done once restarted, 91 denied. */
function setNameServers(row, list) {
  var input = wmi().Get("Win32_NetworkAdapterConfiguration").Methods_
    .Item("SetDNSServerSearchOrder").InParameters.SpawnInstance_(), code;
  input.Properties_.Item("DNSServerSearchOrder").Value = safeArray(list);
  code = asNumber(property(row.ExecMethod_("SetDNSServerSearchOrder", input), "ReturnValue") || 0);
  if (code > 1) {
    throw failure(code === 91 ? DENIED : FAIL);
  }
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
  var outcome = result(ok, changed, before, after, ok ? "" : "it is not as wanted");
  outcome.hresult = ok ? null : hresult;
  return outcome;
}

function routesTo(destination, mask) {
  var rows = query("SELECT Destination, Mask, NextHop FROM Win32_IP4RouteTable" +
    " WHERE Destination='" + destination + "'"), list = [], i;
  for (i = 0; i < rows.length; i++) {
    if (String(property(rows[i], "Mask")) === mask) {
      list.push(String(property(rows[i], "NextHop")));
    }
  }
  return {destination: destination, mask: mask, hops: list.join(" ")};
}

STEPS["add-route"] = function (step) {
  var to = needAddresses([step.destination, step.mask, step.gateway]), after, hresult;
  var before = routesTo(to[0], to[1]);
  if (before.hops) {
    return result(true, false, before, before);
  }
  hresult = runTool("route.exe", "-p add " + to[0] + " mask " + to[1] + " " + to[2]);
  forgetNetwork();
  after = routesTo(to[0], to[1]);
  return outcomeOf(after.hops !== "", after.hops !== "", before, after, hresult);
};

/*
 * Restoring the name servers of one adapter, and removing a route.
 */

function adapterAt(index) {
  var rows = outwardAdapters(adapterRows()), i;
  for (i = 0; i < rows.length; i++) {
    if (String(property(rows[i], "Index")) === index) {
      return rows[i];
    }
  }
  throw failure(NO_FILE);
}

/* Without servers those that DHCP gives now apply again. */
STEPS["restore-dns"] = function (step) {
  var outcome;
  if (step.servers !== null) {
    needAddresses(step.servers);
  }
  outcome = putBack(function () {
    return nameServers([adapterAt(step.adapter)]);
  }, function (view) {
    var one = view[step.adapter];
    return step.servers === null ? one.fixed === false
      : one.fixed === true && sameList(one.dns, step.servers);
  }, function (view) {
    var i;
    for (i = 0; i < step.expect.length; i++) {
      if (sameList(view[step.adapter].dns, step.expect[i])) {
        return true;
      }
    }
    return false;
  }, function () {
    setNameServers(adapterAt(step.adapter), step.servers);
    return null;
  });
  if (outcome.changed) {
    runTool("ipconfig.exe", "/flushdns");
    forgetNetwork();
  }
  return outcome;
};

STEPS["remove-route"] = function (step) {
  var to = needAddresses([step.destination, step.mask, step.gateway]);
  var outcome = putBack(function () {
    return routesTo(to[0], to[1]);
  }, function (view) {
    return !includes(view.hops.split(" "), to[2]);
  }, function () {
    return true;
  }, function () {
    return runTool("route.exe", "delete " + to[0] + " mask " + to[1] + " " + to[2]);
  });
  forgetNetwork();
  return outcome;
};

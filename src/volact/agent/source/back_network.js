/*
 * Restoring the name servers of one adapter, and removing a route.
 */

function adapterAt(index) {
  return given(chosen(outwardAdapters(adapterRows()), function (row) {
    return String(property(row, "Index")) === index;
  })[0] || null);
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
    return some(step.expect, function (dns) {
      return sameList(view[step.adapter].dns, dns);
    });
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

/* A route that is shown as on the link may be known by that alone. */
STEPS["remove-route"] = function (step) {
  var to = needAddresses([step.destination, step.mask, step.gateway]), outcome;
  function isBack(view) {
    return !includes(view.hops.split(" "), to[2]);
  }
  outcome = putBack(function () {
    return routesTo(to[0], to[1], to[2]);
  }, isBack, function () {
    return true;
  }, function () {
    var remove = "delete " + to[0] + " mask " + to[1] + " ";
    var hresult = runTool("route.exe", remove + to[2]);
    return isBack(routesTo(to[0], to[1], to[2])) ? hresult : runTool("route.exe", remove + ON_LINK);
  });
  forgetNetwork();
  return outcome;
};

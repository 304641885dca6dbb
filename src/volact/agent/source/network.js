/*
 * Name servers of adapters and routes: what they are, and setting them.
 */

var ON_LINK = "0.0.0.0";

function needAddresses(list) {
  var i;
  for (i = 0; i < list.length; i++) {
    if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(list[i])) {
      throw failure(BAD_PARAMETER);
    }
  }
  return list;
}

/* WMI takes the array of a dictionary, not one of this language. */
function safeArray(list) {
  var items = new ActiveXObject("Scripting.Dictionary"), i;
  for (i = 0; i < list.length; i++) {
    items.Add(i, list[i]);
  }
  return items.Items();
}

/*
 * What the method returns is its own: 0 done, 1 done once restarted, 91 denied.
 * Without a list the adapter takes DHCP's again.
 */
function setNameServers(row, list) {
  var input = wmi().Get("Win32_NetworkAdapterConfiguration").Methods_
    .Item("SetDNSServerSearchOrder").InParameters.SpawnInstance_(), code;
  if (list !== null) {
    input.Properties_.Item("DNSServerSearchOrder").Value = safeArray(list);
  }
  code = asNumber(property(row.ExecMethod_("SetDNSServerSearchOrder", input), "ReturnValue") || 0);
  if (code > 1) {
    throw failure(code === 91 ? DENIED : FAIL);
  }
}

/* One by a gateway that is an address of this server may be shown as on the link. */
function routesTo(destination, mask, gateway) {
  var rows = query(ROUTES + " WHERE Destination='" + destination + "'"), list = [], i, hop;
  for (i = 0; i < rows.length; i++) {
    if (String(property(rows[i], "Mask")) === mask) {
      hop = String(property(rows[i], "NextHop"));
      list.push(hop === ON_LINK && includes(addressFacts(), gateway) ? gateway : hop);
    }
  }
  return {destination: destination, mask: mask, hops: list.join(" ")};
}

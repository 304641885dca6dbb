/*
 * IPv6 routes, where a KMS host is asked for by an IPv6 address and none was reached;
 * the class is there since Server 2012.
 */

UNCHANGED.routes6 = function (facts) {
  var list = [], rows, i, to;
  if (!networkFailed(facts) || !/\[/.test(REQUEST.ask.kms.join()) || !/:/.test(facts.addresses)) {
    return undefined;
  }
  rows = query("SELECT DestinationPrefix, NextHop FROM MSFT_NetRoute WHERE AddressFamily=23",
    wmiOf("StandardCimv2"));
  for (i = 0; i < rows.length && list.length < 40; i++) {
    to = String(property(rows[i], "DestinationPrefix"));
    if (!/^(ff|fe80|::1\/)/i.test(to)) {
      list.push(to.split("/").concat(asText(property(rows[i], "NextHop"))));
    }
  }
  return list;
};

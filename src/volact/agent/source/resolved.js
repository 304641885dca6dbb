/*
 * The names of KMS hosts in full and their addresses; only a probe asks, because no step
 * changes them.
 */

/*
 * What the names of KMS hosts are in full and lead to, where one that is set is none
 * of those asked for and a short name or an address is among them.  Ping prints both
 * in every language, and resolves as Windows does; whether it is answered is no matter.
 */
UNCHANGED.resolved = function (facts) {
  var hosts = setHosts(facts), all = hosts.concat(REQUEST.ask.kms), found = {}, i, name;
  var other = some(hosts, function (host) { return !includes(REQUEST.ask.kms, host); });
  if (!other || !/(^| )([^. ]+|[\d.]+|\[.+):\d+( |$)/.test(all.join(" "))) {
    return undefined;
  }
  for (i = 0; i < all.length; i++) {
    name = all[i].replace(/:\d+$/, "");
    if (/^[a-z][\w.\-]*$/i.test(name) && !found[name]) {
      found[name] = inTime(addressOf(name));
    }
  }
  return found;
};

function addressOf(name) {
  return function () {
    return matchOf("ping.exe", "-n 1 -w 1 " + name, /[\w.\-]+ \[[\dA-F.:]+/i).split(" [");
  };
}

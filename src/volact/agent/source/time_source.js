/*
 * Where Windows Time takes its time from.  A domain member's time source is never
 * touched.
 */

/* The domain role; not knowing it is no licence to touch the clock. */
function certainRole() {
  return knownNumber(field(only("SELECT Name, Domain, DomainRole FROM Win32_ComputerSystem"),
    "DomainRole", asUnsigned));
}

function timeSource() {
  return {type: regText(W32TIME + "Parameters\\Type"),
    peers: regText(W32TIME + "Parameters\\NtpServer")};
}

/* "a b,0x8" or ["a", "b,0x8"] as a list in which every peer has its flags. */
function peerList(peers) {
  var list = peers instanceof Array ? peers : String(peers).split(" "), out = [], i, peer;
  for (i = 0; i < list.length; i++) {
    peer = trim(list[i]);
    if (peer && !/^[A-Za-z0-9][A-Za-z0-9.:_-]*(,0x[0-9A-Fa-f]+)?$/.test(peer)) {
      throw failure(BAD_PARAMETER);
    }
    if (peer) {
      out.push(peer.indexOf(",") < 0 ? peer + ",0x8" : peer);
    }
  }
  if (!out.length) {
    throw failure(BAD_PARAMETER);
  }
  return out;
}

function hostNames(peers) {
  return trim(String(peers).toLowerCase().replace(/,0x[0-9a-f]+/g, "").replace(/\s+/g, " "));
}

function takesTimeFrom(source, peers) {
  return source.type === "NTP" && typeof source.peers === "string" &&
    hostNames(source.peers) === hostNames(peers.join(" "));
}

STEPS["set-time-source"] = function (step) {
  var peers = peerList(step.peers), before = timeSource(), after, service, unread,
    hresult;
  var role = certainRole();
  if (role !== 0 && role !== 2) {
    return refused("a domain member takes its time from the domain", before);
  }
  if (takesTimeFrom(before, peers)) {
    return unchanged(before);
  }
  unread = isUnreadable(before.type) ? before.type : before.peers;
  if (isUnreadable(unread)) {
    return failed(unread["!"], before, before);
  }
  service = findService("W32Time");
  hresult = runTool("w32tm.exe", '/config /manualpeerlist:"' + peers.join(" ") +
    '" /syncfromflags:manual' + (service && service.state === "Running" ? " /update" : ""));
  after = timeSource();
  return takesTimeFrom(after, peers) ? result(true, true, before, after)
    : failed(hresult, before, after, "the time source is not as requested");
};

/*
 * Whether a KMS host can be reached: one HTTP request to its port.  A KMS host
 * speaks DCE/RPC, so it hangs up, resets the connection, refuses or says nothing.
 * The outcome is one of connected, refused, filtered (no answer to the connection),
 * local (this server's firewall, or no route), name (it does not resolve), http (HTTP
 * was spoken) and unknown.
 */

var HTTP_CANNOT_CONNECT = 0x80072EFD, HTTP_NO_NAME = 0x80072EE7, FRAGMENT = 8481;
/* A port of this server where nothing listens; what is at once, and what is slow, in ms. */
var CLOSED_PORT = "127.0.0.1:1", AT_ONCE = 300, SLOW = 900;
/* How a connection ends at a server that does not speak HTTP. */
var NOT_HTTP = [0x80072F78, 0x80072EFE, 0x80072EFF, 0x80072746];
/* What only an HTTP answer leads to. */
var BAD_HTTP = [0x80072F76, 0x80072F79, 0x80072F7A, 0x80072F7B, 0x80072F7C];

/*
 * Bytes 8 and 9 of a DCE/RPC message are its length, in the byte order that it
 * names; here they are "!!", 8,481 in both.  A server that reads whole messages
 * gets one, and breaks off at once instead of waiting for the rest.
 */
function wholeMessage() {
  return "/aaa!!" + new Array(FRAGMENT).join("a");
}

/* The time-outs differ, so that the elapsed time shows which of them it was. */
function limitsOf(connect, receive) {
  return {resolve: REQUEST.ask.connect_ms * 2, connect: connect, receive: receive};
}

/* Milliseconds since then, or null where the clock was set meanwhile. */
function elapsed(begun, limits) {
  var ms = now() - begun;
  return ms < 0 || ms > limits.resolve * 20 ? null : ms;
}

/* One request: its code, 0 for an HTTP answer, and how long it took. */
function tryHost(host, path, limits) {
  var begun = now(), http, wait, status;
  wait = Math.ceil((limits.resolve + limits.connect + limits.receive) / 1000) + 1;
  try {
    http = newRequest("http://" + host.name + ":" + host.port + path, limits.resolve,
      limits.connect, limits.receive, limits.receive);
    http.Send();
    if (!isAnswered(http, wait)) {
      http.Abort();
      return {code: HTTP_TIMED_OUT, ms: elapsed(begun, limits), pending: true};
    }
    status = http.Status;
  } catch (error) {
    return {code: hresultOf(error), ms: elapsed(begun, limits)};
  }
  return {code: 0, ms: elapsed(begun, limits), status: status};
}

/* What the code of one request says; "" for a time-out, which takes more than the code. */
function byCode(one, limits) {
  if (one.code === 0 || includes(BAD_HTTP, one.code)) {
    return "http";
  }
  if (includes(NOT_HTTP, one.code)) {
    return "connected";
  }
  if (one.code === HTTP_NO_NAME) {
    return "name";
  }
  if (one.code === HTTP_CANNOT_CONNECT && one.ms !== null) {
    return one.ms < limits.connect * 0.9 ? "refused" : "filtered";
  }
  return one.code === HTTP_TIMED_OUT && one.ms !== null && !one.pending ? "" : "unknown";
}

/* A time-out before the connection's own: the connection stood, the answer did not come. */
function silence(one, limits) {
  var slack = limits.receive / 4;
  return one.ms >= limits.receive - slack && one.ms < limits.connect - slack ? "connected" : "";
}

/*
 * A later time-out is tried again with shorter limits: it comes sooner if it is
 * that of the connection, and at the same time if it is that of the name.
 */
function secondTry(host, path, first) {
  var connect = REQUEST.ask.connect_ms, limits = limitsOf(connect / 3, connect / 10), one, sooner;
  if (tick() > BUDGET_MS) {
    return "unknown";
  }
  one = tryHost(host, path, limits);
  if (byCode(one, limits) || silence(one, limits)) {
    return byCode(one, limits) || silence(one, limits);
  }
  sooner = first.ms - one.ms;
  if (sooner >= connect / 3) {
    return one.ms >= limits.connect * 0.9 ? "filtered" : "unknown";
  }
  return sooner > -connect / 3 && one.ms >= limits.resolve * 0.9 ? "name" : "unknown";
}

function tried(host) {
  var limits = limitsOf(REQUEST.ask.connect_ms, REQUEST.ask.connect_ms / 3);
  var path = wholeMessage(), one = tryHost(host, path, limits), outcome = byCode(one, limits);
  /* Perhaps it is the long path that is not taken. */
  if (outcome === "unknown" && one.code !== HTTP_TIMED_OUT) {
    path = "/";
    one = tryHost(host, path, limits);
    outcome = byCode(one, limits);
  }
  one.outcome = outcome || silence(one, limits) || secondTry(host, path, one);
  return one;
}

/*
 * Windows asks a host that refuses again, twice and more, half a second apart
 * (https://support.microsoft.com/kb/175523), so what takes clearly less than a closed port
 * of this server is not a host's refusal.  Where that port too is refused at once, how long
 * it takes tells nothing.
 */
function byTime(ms) {
  var closed = ms < SLOW ? reach(CLOSED_PORT) : {}, takes;
  takes = closed.code === HTTP_CANNOT_CONNECT && closed.ms >= AT_ONCE * 2 ? closed.ms : 0;
  return ms < takes / 2 ? "local" : takes || ms >= AT_ONCE ? "refused" : "unknown";
}

/* The result of trying a KMS host, once for each: code, ms and outcome. */
function reach(text) {
  if (tries[text] === undefined) {
    try {
      tries[text] = tried(splitHost(text));
    } catch (error) {
      tries[text] = {code: hresultOf(error), ms: null, outcome: "unknown"};
    }
    if (tries[text].outcome === "refused") {
      tries[text].outcome = byTime(tries[text].ms);
    }
  }
  return tries[text];
}

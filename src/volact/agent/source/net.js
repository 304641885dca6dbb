/*
 * HTTP by WinHTTP: the metadata service and its Date header as a second clock.
 * Never through a proxy, and never to where an answer redirects.
 */

var HTTP_STATUS = 0x80190000, HTTP_TIMED_OUT = 0x80072EE2, ENABLE_REDIRECTS = 6;

var silentHosts = {}, pages = {}, tries = {};

/*
 * A request that is ready to be sent.  Windows wants its time-outs before Open, Wine
 * keeps only those that are set after it.
 */
function newRequest(url, resolve, connect, send, receive, method) {
  var http = new ActiveXObject("WinHttp.WinHttpRequest.5.1");
  http.SetProxy(1);
  http.SetTimeouts(resolve, connect, send, receive);
  http.Open(method || "GET", url, true);
  http.Option(ENABLE_REDIRECTS) = false;
  try {
    http.SetTimeouts(resolve, connect, send, receive);
  } catch (error) {
    /* The first call stands. */
  }
  return http;
}

/* Waits for an answer; Wine denies one that came before it was waited for. */
function isAnswered(http, seconds) {
  return http.WaitForResponse(seconds) || typeof ask(function () {
    return http.Status;
  }) === "number";
}

/*
 * Asynchronous, so that a host that accepts and says nothing costs no more
 * than finding its name and connecting may: Wine keeps no time-out for that.
 */
function fetchPage(url, headers, method) {
  var wait = REQUEST.ask.connect_ms, http = newRequest(url, wait, wait, wait, wait, method), name;
  for (name in headers) {
    http.SetRequestHeader(name, headers[name]);
  }
  http.Send();
  if (!isAnswered(http, Math.ceil(wait / 500))) {
    http.Abort();
    throw failure(HTTP_TIMED_OUT);
  }
  return http;
}

/* After a change of the network nothing that was tried before counts. */
function forgetNetwork() {
  silentHosts = {};
  pages = {};
  tries = {};
  adapters = null;
}

function hostOf(url) {
  var match = /^\w+:\/\/([^\/]*)/.exec(url);
  return match ? match[1] : url;
}

/* One page, fetched once; a host that failed once is not waited for again. */
function page(url, fresh) {
  var host = hostOf(url), http;
  if (silentHosts[host]) {
    throw silentHosts[host];
  }
  if (!pages[url] || fresh) {
    try {
      if (REQUEST.ask.token) {
        askToken(host);
      }
      http = fetchPage(url, REQUEST.ask.headers);
      if (http.Status >= 300 && http.Status < 400) {
        throw failure(HTTP_STATUS + http.Status);
      }
    } catch (error) {
      silentHosts[host] = error;
      throw error;
    }
    pages[url] = {status: http.Status, text: http.ResponseText, at: now(), date: dateOf(http)};
  }
  return pages[url];
}

function dateOf(http) {
  return ask(function () {
    var time = Date.parse(withoutNul(http.GetResponseHeader("Date")));
    if (isNaN(time)) {
      throw failure(BAD_DATA);
    }
    return time;
  });
}

/*
 * 404 is "there is none"; any other refusal is a failure with its status.  Behind a
 * "#" stands the field of a JSON document: its words, or "null".
 */
function metadataValue(url) {
  return ask(function () {
    var parts = url.split("#"), found = page(parts[0]);
    if (found.status === 404) {
      return null;
    }
    if (found.status !== 200) {
      throw failure(HTTP_STATUS + found.status);
    }
    return parts[1] ? fieldOf(found.text, parts[1]) : clip(trim(found.text), 200);
  });
}

/* Seconds that this clock is ahead of the second one, or null. */
function skewSeconds() {
  var found;
  if (!REQUEST.ask.date) {
    return null;
  }
  try {
    found = page(REQUEST.ask.date, true);
  } catch (error) {
    return null;
  }
  return typeof found.date === "number" ? Math.round((found.at - found.date) / 1000) : null;
}

/* "host:port", "[v6]:port", "host"; the port is 1688 unless it says otherwise. */
function splitHost(text) {
  var match = /^(\[[0-9A-Fa-f:.%]+\]|[^:\s\/\[\]]+)(?::(\d+))?$/.exec(trim(text));
  if (!match) {
    throw failure(BAD_PARAMETER);
  }
  return {name: match[1], port: match[2] ? Number(match[2]) : 1688};
}

/*
 * A stored name may be an IPv6 address without brackets.  A blank around a name
 * stays: Windows takes it for a part of the name, so it is not the same host.
 */
function joinHost(name, port) {
  name = String(name).replace(/\.$/, "");
  if (name.charAt(0) !== "[" && name.indexOf(":") !== name.lastIndexOf(":")) {
    name = "[" + name + "]";
  }
  return name.toLowerCase() + ":" + (Number(port) || 1688);
}

/*
 * WinHttp.WinHttpRequest.5.1.
 */

var HTTP = {name: "WinHttp.WinHttpRequest.5.1",
  get: {
    status: function (h) { return answered(h).status; },
    statustext: function (h) { return answered(h).reason; },
    responsetext: function (h) { return answered(h).text; }
  },
  call: {
    setproxy: function (_h, kind) {
      if (kind !== 1) {
        call("lab", "SetProxy(" + kind + ")");
      }
    },
    setoption: function (h, option, value) {
      if (option !== 6) {
        call("lab", "Option(" + option + ")");
      }
      h.redirects = value;
    },
    settimeouts: function (h, _resolve, connect, _send, receive) {
      h.limits = [connect, receive];
    },
    open: function (h, method, url, later) {
      h.method = method;
      h.url = url;
      h.later = later === true;
    },
    setrequestheader: function (h, name, value) { h.headers[name] = String(value); },
    send: function (h) {
      if (!h.url) {
        throw fault(0x80072EF3, "Open was not called");
      }
      h.sent = true;
      if (!h.later) {
        exchange(h);
      }
    },
    /* Nothing else runs meanwhile, so the exchange happens when it is waited for. */
    waitforresponse: function (h) {
      if (!h.sent) {
        throw fault(0x80072EF3, "Send was not called");
      }
      if (!h.answer) {
        exchange(h);
      }
      return true;
    },
    abort: function (h) { h.sent = false; },
    getresponseheader: function (h, name) {
      var headers = answered(h).headers, i;
      for (i = 0; i < headers.length; i++) {
        if (headers[i][0].toLowerCase() === String(name).toLowerCase()) {
          return headers[i][1];
        }
      }
      throw fault(0x80072F76, "The requested header was not found");
    }
  }};

function exchange(h) {
  h.answer = call("http", String(h.method), String(h.url), stringify(h.headers),
    stringify(h.limits));
  if (h.redirects !== false && h.answer.status >= 300 && h.answer.status < 400) {
    call("lab", "following a redirect");
  }
}

function answered(http) {
  if (!http.answer) {
    throw fault(0x8000000A, "The data necessary to complete this operation is not yet available");
  }
  return http.answer;
}

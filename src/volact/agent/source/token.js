/*
 * What a metadata service wants beyond a GET: a token, and a field out of a document.
 * Sent only to servers of a provider whose profile has either.
 */

/*
 * Some metadata services answer only with a token, got by PUT (IMDSv2).  Where there
 * is none to be had, the question is put without.
 */
function askToken(host) {
  var name = REQUEST.ask.token, headers = {}, http;
  headers[name + "-ttl-seconds"] = "600";
  REQUEST.ask.token = "";
  ask(function () {
    http = fetchPage("http://" + host + "/latest/api/token", headers, "PUT");
    if (http.Status === 200) {
      REQUEST.ask.headers[name] = trim(http.ResponseText);
    }
  });
}

/* The value of a field of a JSON document as words; null where there is no such field. */
function fieldOf(text, name) {
  var found = new RegExp('"' + name + '"\\s*:\\s*(\\[[^\\]]*|[^,}]*)').exec(text);
  if (!/^\s*\{[\s\S]*\}\s*$/.test(text)) {
    throw failure(BAD_DATA);
  }
  return found ? clip(trim(found[1].replace(/[\[\x22,\s]+/g, " ")), 200) : null;
}

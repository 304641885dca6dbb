/*
 * The way to Microsoft: asked only for a key that is activated there and is not yet.
 */

UNCHANGED.online = function (facts) {
  return some(facts.products || [], isOnline) ? inTime(onlineFacts) : undefined;
};

/* Whether this is a key that Microsoft activates online, and has not. */
function isOnline(product) {
  return product.LicenseStatus !== 1 && /_MAK|RETAIL/.test(product.Description);
}

function onlineFacts() {
  return {proxy: ask(winHttpProxy), outcome: ask(function () {
    return reach("activation.sls.microsoft.com:443").outcome;
  })};
}

/* The proxy that netsh winhttp shows: its length stands at byte 12, then its text. */
function winHttpProxy() {
  var value = readValue("HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Internet Settings" +
    "\\Connections\\WinHttpSettings"), bytes = value === null ? [] : asList(value), text = "", i;
  for (i = 16; i < 16 + bytes[12]; i++) {
    text += String.fromCharCode(bytes[i]);
  }
  return text || null;
}

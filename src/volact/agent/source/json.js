/*
 * The answer line: JSON and CRC-32, everything ASCII.  Knows nothing of Windows.
 */

function quoted(text) {
  var out = "", i, code;
  for (i = 0; i < text.length; i++) {
    code = text.charCodeAt(i);
    if (code === 34 || code === 92) {
      out += "\\" + text.charAt(i);
    } else if (code < 32 || code > 126) {
      out += "\\u" + hex(code, 4);
    } else {
      out += text.charAt(i);
    }
  }
  return '"' + out + '"';
}

function toJson(value) {
  var parts = [], i;
  if (value === null || value === undefined) {
    return "null";
  }
  if (typeof value === "string") {
    return quoted(value);
  }
  if (typeof value === "boolean") {
    return value ? "true" : "false";
  }
  if (typeof value === "number") {
    return isFinite(value) ? String(value) : "null";
  }
  if (value instanceof Array) {
    for (i = 0; i < value.length; i++) {
      parts.push(toJson(value[i]));
    }
    return "[" + parts.join(",") + "]";
  }
  for (i in value) {
    if (value.hasOwnProperty(i) && value[i] !== undefined) {
      parts.push(quoted(i) + ":" + toJson(value[i]));
    }
  }
  return "{" + parts.join(",") + "}";
}

function crc32(ascii) {
  var table = [], crc = -1, i, k, n;
  for (i = 0; i < 256; i++) {
    n = i;
    for (k = 0; k < 8; k++) {
      n = n & 1 ? 0xEDB88320 ^ (n >>> 1) : n >>> 1;
    }
    table[i] = n;
  }
  for (i = 0; i < ascii.length; i++) {
    crc = table[(crc ^ ascii.charCodeAt(i)) & 255] ^ (crc >>> 8);
  }
  return (crc ^ -1) >>> 0;
}

function answerLine(answer) {
  var json = toJson(answer);
  return "VOLACT1 " + json.length + " " + hex(crc32(json), 8) + " " + json;
}

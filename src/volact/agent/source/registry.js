/*
 * Registry values: read, written and removed one at a time.
 */

var NT = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\";
var SYSTEM = "HKLM\\SYSTEM\\CurrentControlSet\\";
var CONTROL = SYSTEM + "Control\\", SERVICES = SYSTEM + "Services\\";
var POLICIES = "HKLM\\SOFTWARE\\Policies\\Microsoft\\";

/* With which the names of KMS properties, methods and values begin. */
var KMS = "KeyManagementService";

/* The value, or null when the key or the value is not there. */
function readValue(path) {
  try {
    return shell.RegRead(path);
  } catch (error) {
    if (hresultOf(error) === NO_FILE) {
      return null;
    }
    throw error;
  }
}

function regText(path) {
  return ask(function () {
    var value = readValue(path);
    return value === null ? null : clip(withoutNul(value), 300);
  });
}

function regNumber(path) {
  return ask(function () {
    var value = readValue(path), number = Number(value);
    if (value === null) {
      return null;
    }
    if (isNaN(number)) {
      throw failure(BAD_DATA);
    }
    return number >>> 0;
  });
}

function writeText(path, text) {
  shell.RegWrite(path, text, "REG_SZ");
}

/* REG_DWORD is written as the signed number with the same bits. */
function writeNumber(path, number) {
  shell.RegWrite(path, number | 0, "REG_DWORD");
}

/* Wine's RegDelete is not implemented; reg.exe is. */
function removeValue(path) {
  var cut = path.lastIndexOf("\\");
  if (readValue(path) === null) {
    return;
  }
  try {
    shell.RegDelete(path);
  } catch (error) {
    if (hresultOf(error) !== NOT_IMPLEMENTED) {
      throw error;
    }
    mustRun("reg.exe", 'delete "' + path.substr(0, cut) + '" /v "' + path.substr(cut + 1) + '" /f');
  }
}

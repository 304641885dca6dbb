/*
 * WMI: rows of a query, one property at a time, and methods.  The idiom is the
 * one that both Windows and Wine take (ItemIndex, Properties_.Item).
 */

var NOT_FOUND = 0x80041002, INVALID_QUERY = 0x80041017;
var wmiService = null, wmiFailure = null;

/* How a first connection fails soon after a start of Windows: the next one may work. */
var NOT_YET = [0x80080005, 0x800706BA, 0x800706BE, 0x80041033, 0x8004100A];

function wmiOf(name) {
  return new ActiveXObject("WbemScripting.SWbemLocator").ConnectServer(".", "root\\" + name);
}

function wmi() {
  var turn;
  if (wmiFailure) {
    throw wmiFailure;
  }
  for (turn = 0; !wmiService; turn++) {
    try {
      wmiService = wmiOf("cimv2");
    } catch (error) {
      if (turn || !includes(NOT_YET, hresultOf(error))) {
        wmiFailure = error;
        throw error;
      }
      nap(1000);
    }
  }
  return wmiService;
}

function query(wql, service) {
  var set = (service || wmi()).ExecQuery(wql), count = set.Count, rows = [], i;
  for (i = 0; i < count; i++) {
    rows.push(set.ItemIndex(i));
  }
  return rows;
}

function property(row, name) {
  var value = row.Properties_.Item(name).Value;
  return value === undefined ? null : value;
}

/* The only row of a class, or the reason why there is none. */
function only(wql) {
  var rows;
  try {
    rows = query(wql);
  } catch (error) {
    return {error: hresultOf(error)};
  }
  return rows.length ? {row: rows[0]} : {error: NOT_FOUND};
}

function field(found, name, convert) {
  if (!found.row) {
    return unreadable(found.error);
  }
  return ask(function () {
    var value = property(found.row, name);
    return value === null ? null : convert(value);
  });
}

function asText(value) {
  return clip(value, 300);
}

function asNumber(value) {
  var number = Number(value);
  if (isNaN(number)) {
    throw failure(BAD_DATA);
  }
  return number;
}

/* A fact that has to be a number here. */
function knownNumber(fact) {
  if (typeof fact !== "number") {
    throw failure(fact ? fact["!"] : BAD_DATA);
  }
  return fact;
}

/* WMI hands a uint32 over as a signed number. */
function asUnsigned(value) {
  return asNumber(value) >>> 0;
}

function asBoolean(value) {
  return value === true || value === -1 || value === 1;
}

function asList(value) {
  return new VBArray(value).toArray();
}

/* Licensing methods throw their HRESULT; a return value is heeded all the same. */
function call(row, method, className, name, value) {
  var input, output, result;
  if (className) {
    input = wmi().Get(className).Methods_.Item(method).InParameters.SpawnInstance_();
    input.Properties_.Item(name).Value = value;
    output = row.ExecMethod_(method, input);
  } else {
    output = row.ExecMethod_(method);
  }
  result = output ? asNumber(property(output, "ReturnValue") || 0) : 0;
  if (result !== 0) {
    throw failure(toolFailure(result));
  }
}

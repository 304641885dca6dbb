/*
 * The self-checks: what every answer and every step rests on.  Of each check: true, or
 * what was seen instead.  One that could not be made is unreadable, not failed.
 */

/* A value that has to be there. */
function given(value) {
  if (value === null) {
    throw failure(NO_FILE);
  }
  return value;
}

function processor() {
  var text = expanded("%PROCESSOR_ARCHITECTURE%");
  return given(text.charAt(0) === "%" ? null : text);
}

/* Whether a question fails with one of these codes (0: it works), else its code. */
function provoked(codes, question) {
  var code = 0;
  try {
    question();
  } catch (error) {
    code = hresultOf(error);
    if (code === DENIED) {
      throw error;
    }
  }
  return includes(codes, code) || hexCode(code);
}

/* The time that WMI has, as the milliseconds of a Date. */
function wmiTime() {
  var row = query("SELECT LocalDateTime" + OF_SYSTEM)[0];
  var part = /^(\d{4})(..)(..)(..)(..)(..)\.\d+([+-]\d+)$/.exec(property(row, "LocalDateTime"));
  return Date.UTC(part[1], part[2] - 1, part[3], part[4], part[5], part[6]) -
    parseInt(part[7], 10) * 60000;
}

var CHECKS = {
  "error-number": function () {
    return provoked([NO_FILE], function () { shell.RegRead(NT + "VolactNone"); });
  },
  "wmi-column": function () {
    property(os().row, "Version");
    return provoked([INVALID_QUERY, NOT_FOUND], function () {
      property(query("SELECT VolactNone" + OF_SYSTEM)[0], "VolactNone");
    });
  },
  "safe-array": function () {
    var bytes = given(readValue(CONTROL + "TimeZoneInformation\\StandardStart"));
    return provoked([0], function () {
      if (asList(bytes).length !== 16) {
        throw failure(BAD_DATA);
      }
    });
  },
  bitness: function () {
    /* "64-bit" in the words of some language. */
    var bits = given(property(os().row, "OSArchitecture"));
    return /64/.test(processor()) === /64/.test(bits) || processor() + " on " + bits;
  },
  clock: function () {
    /*
     * The query may take long, the clock may be set meanwhile, and WMI's offset may lag
     * behind a change of summer time, by half an hour or a whole one.
     */
    var before = now(), off = Math.abs(wmiTime() - before);
    var near = 5000 + Math.abs(now() - before), rest = off % 18e5;
    return off < 36e5 + near && (rest < near || 18e5 - rest < near) || off + " ms";
  }
};

/* Those that take more time, where steps are to run. */
var STEP_CHECKS = {
  "exit-code": function () {
    var code = runTool("cmd.exe", "/d /c exit 3");
    return code === 0x80070003 || hexCode(code);
  },
  "registry-number": function () {
    var path = RESTART_MARK + "Check", seen;
    writeNumber(path, -1);
    seen = regNumber(path);
    removeValue(path);
    return seen === 0xFFFFFFFF || hexCode(seen);
  },
  "acl-text": function () {
    try {
      readSddl(base.replace(/\\[^\\]+$/, ""));
    } catch (error) {
      if (hresultOf(error) === BAD_DATA) {
        return hexCode(BAD_DATA);
      }
      throw error;
    }
    return true;
  },
  "closed-port": function () {
    var one = reach(CLOSED_PORT);
    if (one.code !== HTTP_CANNOT_CONNECT && includes(["unknown", "filtered"], one.outcome)) {
      throw failure(one.code);
    }
    return one.code === HTTP_CANNOT_CONNECT || one.outcome;
  }
};

var checks = {};

/* The checks that failed, each with what was seen; "" where none did. */
function failedChecks(list) {
  var name, found = [];
  for (name in list) {
    checks[name] = checks[name] || ask(list[name]);
    if (typeof checks[name] === "string") {
      found.push(name + " (" + checks[name] + ")");
    }
  }
  return found.join(", ");
}

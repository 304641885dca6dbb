/*
 * Windows services: what they are, and starting and stopping them.
 */

/* What Win32_Service methods return, as Win32 codes. */
var SERVICE_CODES = {1: 50, 2: 5, 3: 1051, 4: 1052, 5: 1061, 6: 1062, 7: 1053, 9: 3, 10: 1056,
  11: 1055, 12: 1075, 13: 1068, 14: 1058, 15: 1069, 16: 1072, 17: 1054, 21: 87, 22: 1057,
  24: 1056};

/* The service as it is now, or null when there is none of that name. */
function findService(name) {
  var object;
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) {
    throw failure(BAD_PARAMETER);
  }
  try {
    object = wmi().Get("Win32_Service.Name='" + name + "'");
    return {object: object, state: String(property(object, "State")),
      start: String(property(object, "StartMode"))};
  } catch (error) {
    if (hresultOf(error) === NOT_FOUND) {
      return null;
    }
    throw error;
  }
}

function serviceView(service) {
  return service ? {state: service.state, start: service.start} : {state: null, start: null};
}

function control(service, method, fine) {
  var result = asNumber(property(service.object.ExecMethod_(method), "ReturnValue") || 0);
  if (result !== 0 && result !== fine) {
    throw failure(SERVICE_CODES[result] ? 0x80070000 + SERVICE_CODES[result] : FAIL);
  }
}

/*
 * Waits for a state, half a minute at most; what the service is then.  Counted,
 * not timed: a time service that starts may set the clock.
 */
function awaitState(name, state) {
  var turns, service = findService(name);
  for (turns = 0; turns < 60 && service && service.state !== state; turns++) {
    nap(500);
    service = findService(name);
  }
  return service;
}

function startService(name) {
  var service = findService(name);
  if (service.state !== "Running") {
    if (service.state !== "Start Pending") {
      control(service, "StartService", 10);
    }
    service = awaitState(name, "Running");
  }
  return service;
}

function stopService(name) {
  var service = findService(name);
  if (service.state !== "Stopped") {
    if (service.state !== "Stop Pending") {
      control(service, "StopService", 5);
    }
    service = awaitState(name, "Stopped");
  }
  return service;
}

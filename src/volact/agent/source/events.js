/*
 * The newest licensing events by their data fields; no localised text is read.
 * Office and others write the same ones: besides the newest of each id, those of
 * every other product are kept.
 */

var EVENT_IDS = ["12288", "12289", "8198"];

var EVENT_QUERY = "*[System[Provider[@Name='Microsoft-Windows-Security-SPP' or" +
  " @Name='Microsoft-Windows-Security-Licensing-SLC'] and" +
  " (EventID=12288 or EventID=12289 or EventID=8198)]]";

function eventFacts() {
  var out = base + ".out";
  try {
    mustRun("wevtutil.exe", 'qe Application "/q:' + EVENT_QUERY + '" /c:100 /rd:true /f:xml', out);
    return newestEvents(readFile(out, 0));
  } finally {
    removeFile(out);
  }
}

/* The text holds the events one after another, newest first. */
function newestEvents(xml) {
  var facts = {}, parts = xml.split("<Event "), answer = null, i, id, at, record, event, owner;
  for (i = 0; i < EVENT_IDS.length; i++) {
    facts[EVENT_IDS[i]] = null;
  }
  for (i = 1; i < parts.length; i++) {
    id = /<EventID[^>]*>\s*(\d+)\s*<\/EventID>/.exec(parts[i]);
    at = /SystemTime=['"](\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)/.exec(parts[i]);
    record = /<EventRecordID>(\d+)</.exec(parts[i]);
    if (id && at && facts[id[1]] !== undefined) {
      event = [at[1] + "Z", eventData(parts[i])].concat(record ? Number(record[1]) : []);
      id = id[1];
      facts[id] = facts[id] || event;
      /* The application that a failure names, or the activation id of a request. */
      owner = (/AppId=([\da-f\-]+)/i.exec(event[1].join(" ")) || event[1].slice(7))[1];
      owner = owner ? id + " " + owner.toLowerCase() : id;
      if (id === "12289") {
        answer = event;
      } else if (facts[id] !== event && !facts[owner]) {
        facts[owner] = event;
        if (id === "12288" && answer) {
          facts[owner.replace("88", "89")] = answer;
        }
      }
      answer = id === "12288" ? null : answer;
    }
  }
  return facts;
}

/* Several data elements, or one that holds a comma list. */
function eventData(xml) {
  var pattern = /<Data(?:\s[^>]*)?(?:\/>|>([^<]*)<\/Data>)/g, list = [], match, i;
  while ((match = pattern.exec(xml)) !== null && list.length < 16) {
    list.push(plainText(match[1] || ""));
  }
  if (list.length === 1) {
    list = list[0].split(",");
  }
  for (i = 0; i < list.length; i++) {
    list[i] = clip(trim(list[i]), 120);
  }
  return list.slice(0, 16);
}

function plainText(xml) {
  return xml.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'").replace(/&amp;/g, "&");
}

/*
 * The newest licensing events by their data fields; no localised text is read.
 */

var EVENT_IDS = ["12288", "12289", "8198"];

var EVENT_QUERY = "*[System[Provider[@Name='Microsoft-Windows-Security-SPP' or" +
  " @Name='Microsoft-Windows-Security-Licensing-SLC'] and" +
  " (EventID=12288 or EventID=12289 or EventID=8198)]]";

function eventFacts() {
  var out = base + ".out";
  try {
    mustRun("wevtutil.exe", 'qe Application "/q:' + EVENT_QUERY + '" /c:40 /rd:true /f:xml', out);
    return newestEvents(readFile(out, 0));
  } finally {
    removeFile(out);
  }
}

/* The text holds the events one after another, newest first. */
function newestEvents(xml) {
  var facts = {}, parts = xml.split("<Event "), i, id, at, record;
  for (i = 0; i < EVENT_IDS.length; i++) {
    facts[EVENT_IDS[i]] = null;
  }
  for (i = 1; i < parts.length; i++) {
    id = /<EventID[^>]*>\s*(\d+)\s*<\/EventID>/.exec(parts[i]);
    at = /SystemTime=['"](\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)/.exec(parts[i]);
    record = /<EventRecordID>(\d+)</.exec(parts[i]);
    if (id && at && facts[id[1]] === null) {
      facts[id[1]] = [at[1] + "Z", eventData(parts[i])].concat(record ? Number(record[1]) : []);
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

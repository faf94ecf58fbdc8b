// Reads one JSON string a line, a calendar. Writes one JSON object a line: how ical.js reads it.
import { createInterface } from "node:readline";
import ICAL from "ical.js";

const moment = (time) =>
  time.isDate ? time.toString().replaceAll("-", "") : time.toUnixTime();

function read(text) {
  ICAL.TimezoneService.reset(); // nothing but the VTIMEZONE of this message
  const calendar = new ICAL.Component(ICAL.parse(text));
  const event = new ICAL.Event(calendar.getFirstSubcomponent("vevent"));
  const spans = [];
  if (event.isRecurring()) {
    const starts = event.iterator();
    for (let start = starts.next(); start && spans.length < 1500; start = starts.next()) {
      spans.push(event.getOccurrenceDetails(start));
    }
  } else {
    spans.push(event);
  }
  return {
    starts: spans.map((span) => moment(span.startDate)),
    ends: spans.map((span) => moment(span.endDate)),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  let reading;
  try {
    reading = read(JSON.parse(line));
  } catch (error) {
    reading = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(reading) + "\n");
}

// Reads calendars, one JSON string a line; answers what ical.js makes of each, one JSON object a line.
import { createInterface } from "node:readline";
import ICAL from "ical.js";

const moment = (time) =>
  time.isDate ? time.toString().replaceAll("-", "") : time.toUnixTime();

function answer(text) {
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
  let reply;
  try {
    reply = answer(JSON.parse(line));
  } catch (error) {
    reply = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(reply) + "\n");
}

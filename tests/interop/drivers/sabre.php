<?php
// Reads one JSON string a line, a calendar. Writes one JSON object a line: how sabre reads it.
error_reporting(E_ERROR); // the version that Debian ships speaks an older PHP
date_default_timezone_set('UTC');
require 'Sabre/VObject/autoload.php';

use Sabre\VObject\Reader;
use Sabre\VObject\RecurrenceIterator;

if (($argv[1] ?? '') === '--version') {
    echo Sabre\VObject\Version::VERSION, ', PHP ', PHP_VERSION;
    echo ', zone database ', timezone_version_get(), "\n";
    exit;
}

function read(string $text): array {
    $calendar = Reader::read($text);
    $event = $calendar->VEVENT;
    $isDate = !$event->DTSTART->hasTime();
    $moment = fn(\DateTime $time) => $isDate ? $time->format('Ymd') : $time->getTimestamp();
    $starts = $ends = [];
    if (isset($event->RRULE)) {
        $series = new RecurrenceIterator($calendar, (string) $event->UID);
        for (; $series->valid() && count($starts) < 1500; $series->next()) {
            $starts[] = $moment($series->getDtStart());
            $ends[] = $moment($series->getDtEnd());
        }
    } else {
        $starts[] = $moment($event->DTSTART->getDateTime());
        $ends[] = $moment($event->DTEND->getDateTime());
    }
    return ['starts' => $starts, 'ends' => $ends];
}

while (($line = fgets(STDIN)) !== false) {
    try {
        $reading = read(json_decode($line));
    } catch (\Throwable $error) {
        $reading = ['error' => $error->getMessage()];
    }
    echo json_encode($reading), "\n";
}

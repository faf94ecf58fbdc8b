/* Reads one JSON string a line, a calendar. Writes one JSON object a line: how libical reads it. */
#define _GNU_SOURCE
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST 1500
static time_t starts[MOST], ends[MOST];
static int found;

static void remember(icalcomponent *event, struct icaltime_span *span, void *unused) {
    (void)event;
    (void)unused;
    if (found < MOST) {
        starts[found] = span->start;
        ends[found++] = span->end;
    }
}

/* Unescapes a JSON string in place. Only the escapes of a calendar are known. */
static char *unescape(char *line) {
    char *to = line;
    for (char *from = line + 1; *from && *from != '"'; from++) {
        char c = *from;
        if (c == '\\') {
            c = *++from;
            c = c == 'r' ? '\r' : c == 'n' ? '\n' : c;
        }
        *to++ = c;
    }
    *to = '\0';
    return line;
}

static void print_moments(const char *name, const time_t *moments, int is_date) {
    printf("\"%s\":[", name);
    for (int i = 0; i < found; i++) {
        char day[16];
        strftime(day, sizeof day, "%Y%m%d", gmtime(&moments[i]));
        if (is_date) printf("%s\"%s\"", i ? "," : "", day);
        else printf("%s%lld", i ? "," : "", (long long)moments[i]);
    }
    printf("]");
}

static void read_calendar(char *text) {
    icalcomponent *calendar = icalparser_parse_string(text);
    icalcomponent *event = NULL;
    if (calendar) event = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);
    if (!event) {
        printf("{\"error\":\"not parsed\"}\n");
        return;
    }
    found = 0;
    icalcomponent_foreach_recurrence(event, icaltime_from_string("19690101T000000Z"),
                                     icaltime_from_string("21001231T000000Z"), remember, NULL);
    int is_date = icalcomponent_get_dtstart(event).is_date;
    printf("{");
    print_moments("starts", starts, is_date);
    printf(",");
    print_moments("ends", ends, is_date);
    printf("}\n");
    icalcomponent_free(calendar);
}

int main(int argc, char **argv) {
    char *line = NULL;
    size_t size = 0;
    if (argc > 1 && !strcmp(argv[1], "--version")) {
        printf("%d.%d.%d\n", ICAL_MAJOR_VERSION, ICAL_MINOR_VERSION, ICAL_PATCH_VERSION);
        return 0;
    }
    while (getline(&line, &size, stdin) > 0) read_calendar(unescape(line));
    free(line);
    return 0;
}

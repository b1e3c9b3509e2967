/* SPDX-License-Identifier: MIT */
/*
 * JSON: a writer for what the command prints, and a strict reader for the
 * lines of `send --json`.  Output is always valid UTF-8.
 *
 * Our own because the command links libc and nothing else; it knows no more
 * than these lines need.
 */
#ifndef FERRY_TOOLS_JSON_H
#define FERRY_TOOLS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A writer.  `key` is NULL inside an array and at the top. */
struct json {
	FILE *out;
	bool comma;
};

void json_init(struct json *j, FILE *out);
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_number(struct json *j, const char *key, uint64_t n);
void json_bool(struct json *j, const char *key, bool value);
/* Bytes that are not UTF-8 become U+FFFD. */
void json_text(struct json *j, const char *key, const char *s, size_t len);
void json_base64(struct json *j, const char *key, const void *data, size_t len);
/* A CLOCK_REALTIME time as "2026-05-01T10:00:00.123456Z". */
void json_time(struct json *j, const char *key, int64_t ns);
/* The newline that ends one value; the writer can begin another. */
void json_end(struct json *j);

/* Is it UTF-8 (and without NUL, when !nul_allowed)? */
bool utf8_valid(const void *data, size_t len, bool nul_allowed);

/* A line of `send --json`. */
struct json_message {
	char *data; /* points into the line, which was overwritten */
	size_t len;
	uint32_t type, priority;
};

/*
 * Read one object {"data": "text"} or {"data_b64": "..."}, optional "type", "priority";
 * other fields are allowed and skipped, so what `recv --json` writes can be
 * sent again.  The line must end in NUL (line[len]) and is overwritten.
 * Returns NULL, or what is wrong with it.
 */
const char *json_read_message(char *line, size_t len, struct json_message *out);

#endif

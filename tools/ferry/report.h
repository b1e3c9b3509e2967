/* SPDX-License-Identifier: MIT */
/*
 * What the command says to people: errors, notes and progress on standard
 * error, and colour on a terminal.
 *
 * An error is one line, "ferry: NAME: what is wrong (what to do)", or with
 * --json one object.  -q silences all of it.  Bytes that come from names are
 * never sent to a terminal as they are: control characters become '?'.
 */
#ifndef FERRY_TOOLS_REPORT_H
#define FERRY_TOOLS_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <ferry.h>

struct verb;

/* Exit statuses that are not a result of the library. */
#define STATUS_NO	      1
#define STATUS_USAGE	      2
#define STATUS_TIMED_OUT      124
#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND      127
#define STATUS_SIGNAL	      128

/* The verb that runs: it stands in usage errors. */
void report_verb(const char *name);

/* A mistake on the command line: one line, and the end with status 2. */
_Noreturn void usage_error(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/*
 * Say what ferry_explain() says of a failed call, and return the exit status
 * of the result.  `name` is what the user wrote; `link` may be NULL.  Nothing is said
 * of a call that a signal has cancelled.
 */
int report_error(const char *name, struct ferry_link *link, int err);

/* The same, where the status is another one. */
int report_status(const char *name, struct ferry_link *link, int err,
		  int status);

/* The same, with a sentence of our own. */
int report(const char *name, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A failed system call on something that is not the library's. */
int report_sys(const char *name, int sys_errno);

/* Only with -v. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Standard output could not be written: end quietly when its reader has gone
 * (as SIGPIPE would have), or when a signal ended the wait for it, else say why.
 * Returns the exit status, for cancel_finish() where signals are caught.
 */
int report_stdout(void);

/* Main calls it once: a write to a closed pipe must first give back what is
 * held, so the signal is kept off until report_stdout() raises it. */
void sigpipe_hold(void);

/* In a child between fork and exec: SIGPIPE as our caller had it. */
void sigpipe_restore(void);

/*
 * A line on a terminal that says how far long work is, at most five times a
 * second; nothing when standard error is not a terminal.  `left` < 0: unknown.
 */
void progress(const char *what, uint64_t done, int64_t left);
void progress_end(void);

/* The escape sequence of a colour, or "" where there is no colour. */
enum colour {
	COLOUR_NONE,
	COLOUR_GREEN,
	COLOUR_YELLOW,
	COLOUR_RED,
	COLOUR_DIM
};
const char *colour(enum colour c);

/* `text` for a terminal or a table, in `buf`; returns buf. */
const char *plain(const char *text, char *buf, size_t size);

/* Help texts, for --help and the verb `help`. */
void help_verb(const struct verb *verb);
void help_all(void);

#endif

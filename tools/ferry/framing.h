/* SPDX-License-Identifier: MIT */
/*
 * How bytes on standard input become messages, and messages bytes on
 * standard output.
 *
 *   whole   all of standard input is one message; written as it is
 *   -l      a message a line, without its newline
 *   -0      messages end with NUL
 *   --len32 u32 little-endian length, then so many bytes
 *   --json  an object a line, see json.h
 */
#ifndef FERRY_TOOLS_FRAMING_H
#define FERRY_TOOLS_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ferry.h>

enum framing {
	FRAMING_WHOLE,
	FRAMING_LINE,
	FRAMING_NUL,
	FRAMING_LEN32,
	FRAMING_JSON,
};

/* The options that choose one. */
struct framing_options {
	bool line, nul, len32;
};

#define FRAMING_ROWS(f)                                                        \
	{                                                                      \
		"line", 'l', OPTION_FLAG, &(f).line, NULL, "a message a line", \
		NULL                                                           \
	},                                                                     \
		{ "null",   '0',  OPTION_FLAG,                                 \
		  &(f).nul, NULL, "messages end with a NUL byte",              \
		  NULL },                                                      \
	{                                                                      \
		"len32", 0, OPTION_FLAG, &(f).len32, NULL,                     \
			"each message behind its length, u32 little-endian",   \
			NULL                                                   \
	}

/* The one that was chosen (with --json: JSON); two are a usage error. */
enum framing framing_chosen(const struct framing_options *f);

/* The same as the value of framing= in an address; NULL: none was chosen. */
const char *framing_key(const struct framing_options *f);

/* No transport carries more in one message. */
#define FRAME_MAX ((size_t)1 << 30)

/* One message that was read. */
struct frame {
	char *data; /* valid until the next framer_next() */
	size_t len;
	uint32_t type, priority;
};

struct framer {
	int fd;
	enum framing framing;
	char *buf;
	size_t begin, end, cap;
	bool eof, done;
	uint64_t n_frames; /* that were returned: to name the bad one */
};

void framer_init(struct framer *f, int fd, enum framing framing);
void framer_fini(struct framer *f);

/*
 * 1 and the next message, or 0 at the end.  Errors: -EBADMSG with the
 * sentence in *out_why, -EMSGSIZE (longer than FRAME_MAX), -ENOMEM,
 * -ECANCELED (a signal asked us to stop), -EIO with errno set.
 */
int framer_next(struct framer *f, struct frame *out, const char **out_why);

/* How messages are written. */
struct output {
	enum framing framing;
	bool newline;	     /* behind a message that is written whole */
	const char *kind;    /* for the JSON object: "mailbox" */
	const char *mailbox; /* and what it is called */
};

/* A newline goes behind each message on a terminal. */
void output_init(struct output *o, enum framing framing, const char *mailbox);

/*
 * Write one message to standard output, so that it can be acknowledged afterwards.
 * False with errno set when it could not be written, or when a signal came, which
 * report_stdout() knows.
 */
bool output_message(const struct output *o, const struct ferry_message *m);

/* The same for bytes. */
bool output_bytes(const void *data, size_t len);

/* To another file, socket or terminal. */
bool output_to(int fd, const void *data, size_t len);

#endif

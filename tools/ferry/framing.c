/* SPDX-License-Identifier: MIT */
/* Standard input to messages: see framing.h. */
#include "framing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cancel.h"
#include "json.h"
#include "options.h"
#include "report.h"

enum framing framing_chosen(const struct framing_options *f)
{
	if (f->line + f->nul + f->len32 + globals.json > 1)
		usage_error("only one of -l, -0, --len32 and --json");
	if (globals.json)
		return FRAMING_JSON;
	return f->line	? FRAMING_LINE :
	       f->nul	? FRAMING_NUL :
	       f->len32 ? FRAMING_LEN32 :
			  FRAMING_WHOLE;
}

const char *framing_key(const struct framing_options *f)
{
	if (f->line + f->nul + f->len32 > 1)
		usage_error("only one of --line, -0 and --len32");
	return f->line ? "line" : f->nul ? "nul" : f->len32 ? "len32" : NULL;
}

void framer_init(struct framer *f, int fd, enum framing framing)
{
	memset(f, 0, sizeof *f);
	f->fd = fd;
	f->framing = framing;
}

void framer_fini(struct framer *f)
{
	free(f->buf);
	f->buf = NULL;
}

/* Room for more bytes behind `end`, and one for a NUL behind them. */
static int make_room(struct framer *f)
{
	size_t used = f->end - f->begin, cap;
	char *buf;

	if (f->begin) {
		memmove(f->buf, f->buf + f->begin, used);
		f->begin = 0;
		f->end = used;
	}
	if (f->cap > used + 1)
		return 0;
	if (used > FRAME_MAX)
		return -EMSGSIZE;
	cap = f->cap ? f->cap * 2 : 1 << 16;
	buf = realloc(f->buf, cap);
	if (!buf)
		return -ENOMEM;
	f->buf = buf;
	f->cap = cap;
	return 0;
}

/* Read once.  0 (f->eof may be set now), or an error. */
static int fill(struct framer *f)
{
	ssize_t n;
	int err = make_room(f);

	if (err < 0)
		return err;
	err = cancel_wait_readable(f->fd);
	if (err < 0)
		return err;
	n = read(f->fd, f->buf + f->end, f->cap - f->end - 1);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -EIO;
	f->end += (size_t)n;
	f->eof = n == 0;
	return 0;
}

static void give(struct framer *f, struct frame *out, size_t len, size_t skip)
{
	out->data = f->buf + f->begin;
	out->len = len;
	out->type = out->priority = 0;
	f->begin += len + skip;
	f->n_frames++;
}

static int next_whole(struct framer *f, struct frame *out)
{
	int err;

	while (!f->eof) {
		err = fill(f);
		if (err < 0)
			return err;
	}
	f->done = true;
	give(f, out, f->end - f->begin, 0);
	return out->len > FRAME_MAX ? -EMSGSIZE : 1;
}

/* Up to `delimiter`; what stands behind the last one is a message too. */
static int next_delimited(struct framer *f, struct frame *out, char delimiter)
{
	size_t scanned = 0, left;
	char *found = NULL;
	int err;

	for (;;) {
		left = f->end - f->begin - scanned;
		if (left)
			found = memchr(f->buf + f->begin + scanned, delimiter,
				       left);
		if (found || f->eof)
			break;
		scanned += left;
		err = fill(f);
		if (err < 0)
			return err;
	}
	if (!found && f->begin == f->end)
		return 0;
	if (found)
		give(f, out, (size_t)(found - (f->buf + f->begin)), 1);
	else
		give(f, out, f->end - f->begin, 0);
	out->data[out->len] = '\0'; /* the delimiter, or spare room */
	return 1;
}

/* At least `wanted` bytes: 1; 0 when the input ends before. */
static int want(struct framer *f, size_t wanted)
{
	int err;

	while (f->end - f->begin < wanted && !f->eof) {
		err = fill(f);
		if (err < 0)
			return err;
	}
	return f->end - f->begin >= wanted;
}

static int next_len32(struct framer *f, struct frame *out, const char **why)
{
	unsigned char *s;
	size_t len;
	int err = want(f, 4);

	if (err < 0 || (!err && f->begin == f->end))
		return err;
	*why = "the input ends inside a message (its length says more)";
	if (!err)
		return -EBADMSG;
	s = (unsigned char *)f->buf + f->begin;
	len = s[0] | (size_t)s[1] << 8 | (size_t)s[2] << 16 |
	      (size_t)s[3] << 24;
	if (len > FRAME_MAX)
		return -EMSGSIZE;
	err = want(f, 4 + len);
	if (err <= 0)
		return err < 0 ? err : -EBADMSG;
	f->begin += 4;
	give(f, out, len, 0);
	return 1;
}

static int next_json(struct framer *f, struct frame *out, const char **why)
{
	struct json_message m;
	int err;

	do {
		err = next_delimited(f, out, '\n');
		if (err <= 0)
			return err;
	} while (strspn(out->data, " \t\r") == out->len);
	*why = json_read_message(out->data, out->len, &m);
	if (*why)
		return -EBADMSG;
	out->data = m.data;
	out->len = m.len;
	out->type = m.type;
	out->priority = m.priority;
	return 1;
}

int framer_next(struct framer *f, struct frame *out, const char **out_why)
{
	if (f->done)
		return 0;
	switch (f->framing) {
	case FRAMING_LINE: return next_delimited(f, out, '\n');
	case FRAMING_NUL: return next_delimited(f, out, '\0');
	case FRAMING_LEN32: return next_len32(f, out, out_why);
	case FRAMING_JSON: return next_json(f, out, out_why);
	case FRAMING_WHOLE: break;
	}
	return next_whole(f, out);
}

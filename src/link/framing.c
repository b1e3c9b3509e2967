/* SPDX-License-Identifier: MIT */
/* See framing.h. */
#include "link/framing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/call.h"
#include "wire/frame.h"

#define FIRST_BUFFER 4096u
#define MAX_MAX	     (1ull << 30)

struct ferryi_framing {
	enum ferryi_frame_kind kind;
	size_t max;

	/* receive side: bytes at .. end of the buffer are not delivered yet */
	unsigned char *in;
	size_t cap, at, end, scanned;
	bool cut; /* the stream ended inside a message */
	bool bad; /* no message can stand here */

	/* send side */
	bool broken; /* a frame was left unfinished */
};

/* --- life ---------------------------------------------------------------- */

static int read_max(const struct ferryi_address *a, size_t *out)
{
	const char *text = ferryi_address_get(a, "max");
	uint64_t max = FERRYI_FRAMING_MAX;

	if (text && (ferryi_parse_size(text, &max) != 0 || max > MAX_MAX))
		return ferryi_fail(-EINVAL,
				   "max=%s is not a size up to 1G "
				   "(write 64K or 1M)",
				   text);
	*out = max;
	return 0;
}

int ferryi_framing_new(struct ferryi_framing **out,
		       const struct ferryi_address *a)
{
	const char *name = ferryi_address_get(a, "framing");
	struct ferryi_framing f = { .cap = 0 };
	int kind, err;

	if (!name || strcmp(name, "stream") == 0)
		return !ferryi_address_get(a, "max") ?
			       0 :
			       ferryi_fail(-EINVAL,
					   "max= goes with framing=line, "
					   "nul or len32");
	kind = ferryi_frame_kind(name);
	if (kind < 0)
		return ferryi_fail(-EINVAL,
				   "framing=%s is not known (it is "
				   "stream, line, nul or len32)",
				   name);
	f.kind = (enum ferryi_frame_kind)kind;
	err = read_max(a, &f.max);
	return err ? err : ferryi_framing_copy(out, &f);
}

int ferryi_framing_copy(struct ferryi_framing **out,
			const struct ferryi_framing *f)
{
	struct ferryi_framing *copy;

	*out = NULL;
	if (!f)
		return 0;
	copy = calloc(1, sizeof *copy);
	if (!copy)
		return ferryi_fail(-ENOMEM, "out of memory for a link");
	copy->kind = f->kind;
	copy->max = f->max;
	*out = copy;
	return 0;
}

void ferryi_framing_free(struct ferryi_framing *f)
{
	if (!f)
		return;
	free(f->in);
	free(f);
}

bool ferryi_framing_holds(const struct ferryi_framing *f)
{
	return f && (f->at < f->end || f->cut);
}

/* --- receiving ----------------------------------------------------------- */

/* Room for at least one byte behind `end`.  Grows with what has really come. */
static int make_room(struct ferryi_framing *f)
{
	size_t most = f->max + FERRYI_FRAME_OVERHEAD, cap;
	unsigned char *in;

	if (f->at > 0) {
		memmove(f->in, f->in + f->at, f->end - f->at);
		f->end -= f->at;
		f->at = 0;
	}
	if (f->end < f->cap)
		return 0;
	cap = f->cap ? 2 * f->cap : FIRST_BUFFER;
	if (cap > most)
		cap = most;
	in = realloc(f->in, cap);
	if (!in)
		return ferryi_fail(-ENOMEM,
				   "out of memory for a message of "
				   "more than %zu bytes",
				   f->end);
	f->in = in;
	f->cap = cap;
	return 0;
}

static int fill(struct ferry_link *l)
{
	struct ferryi_framing *f = l->framing;
	ssize_t n = make_room(f);

	if (n < 0)
		return (int)n;
	n = l->stream->read(l, f->in + f->end, f->cap - f->end);
	if (n > 0)
		f->end += (size_t)n;
	else if (n == -ENODATA && f->end > f->at)
		f->cut = true;
	return n < 0 ? (int)n : 0;
}

static int unusable(struct ferry_link *l)
{
	struct ferryi_framing *f = l->framing;

	if (f->cut)
		return ferryi_fail(-ECONNRESET,
				   "%s: the stream ended inside a "
				   "message, after %zu bytes of it",
				   l->address, f->end - f->at);
	return ferryi_fail(-EBADMSG,
			   "%s: what comes is no framing=%s message "
			   "of at most %zu bytes (is the peer's framing the "
			   "same? else raise max=)",
			   l->address, ferryi_frame_name(f->kind), f->max);
}

/* Make the first message whole in the buffer. */
static int find(struct ferry_link *l, struct ferryi_frame_in *out)
{
	struct ferryi_framing *f = l->framing;
	int r;

	while (!f->cut && !f->bad) {
		r = !f->in ? 0 :
			     ferryi_frame_find(f->kind, f->in + f->at,
					       f->end - f->at, f->max,
					       &f->scanned, out);
		if (r == 1)
			return 0;
		f->bad = r < 0;
		r = f->bad ? 0 : fill(l);
		if (r < 0 && !f->cut)
			return r;
	}
	return unusable(l);
}

ssize_t ferryi_framing_recv(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_framing *f = l->framing;
	struct ferryi_frame_in in;
	int r = find(l, &in);

	if (r < 0)
		return r;
	if (in.len > size)
		return -EMSGSIZE;
	if (in.len)
		memcpy(buf, f->in + f->at + in.at, in.len);
	f->at += in.total;
	f->scanned = 0;
	if (f->at == f->end)
		f->at = f->end = 0;
	return (ssize_t)in.len;
}

ssize_t ferryi_framing_next_len(struct ferry_link *l)
{
	struct ferryi_frame_in in;
	int r = find(l, &in);

	return r < 0 ? r : (ssize_t)in.len;
}

/* --- sending ------------------------------------------------------------- */

static ssize_t write_pieces(struct ferryi_call *c)
{
	struct ferryi_frame_out *o = c->more;
	const void *piece;
	size_t len;
	ssize_t n;

	while ((len = ferryi_frame_piece(o, &piece)) > 0) {
		n = c->l->stream->write(c->l, piece, len);
		if (n < 0)
			return n;
		o->sent += (size_t)n;
	}
	return 0;
}

static int broken(struct ferry_link *l)
{
	return ferryi_fail(-ECONNRESET,
			   "%s: sending is broken since a message "
			   "could be written only in part (open a new link; "
			   "send large messages with a longer deadline)",
			   l->address);
}

static int begin(struct ferry_link *l, struct ferryi_frame_out *o,
		 const void *data, size_t len)
{
	const struct ferryi_framing *f = l->framing;
	int r = ferryi_frame_begin(o, f->kind, data, len, f->max);

	if (r == -EMSGSIZE)
		return ferryi_fail(r,
				   "%s: a message of %zu bytes is longer "
				   "than max=%zu",
				   l->address, len, f->max);
	if (r == -EINVAL)
		return ferryi_fail(r,
				   "%s: the message holds the byte that "
				   "ends one in framing=%s (use len32)",
				   l->address, ferryi_frame_name(f->kind));
	return r;
}

int ferryi_framing_send(struct ferry_link *l, const void *data, size_t len,
			ferry_time deadline)
{
	struct ferryi_frame_out o;
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_SEND,
				 .attempt = write_pieces,
				 .more = &o };
	ssize_t r;

	if (l->framing->broken)
		return broken(l);
	r = begin(l, &o, data, len);
	if (r < 0)
		return (int)r;
	r = ferryi_call_wait(&c, deadline);
	if (r == 0 || o.sent == 0)
		return (int)r;
	l->framing->broken = true;
	if (l->t->shutdown)
		l->t->shutdown(l, FERRY_SEND);
	return broken(l);
}

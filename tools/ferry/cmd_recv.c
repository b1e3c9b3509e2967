/* SPDX-License-Identifier: MIT */
/*
 * ferry recv NAME: receive and write to standard output.
 *
 * A message is acknowledged after it has been written: if this process is
 * killed in between, or nobody reads its output, another receiver gets it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <ferry.h>
#include "address.h"
#include "cancel.h"
#include "framing.h"
#include "options.h"
#include "report.h"
#include "signals.h"
#include "verb.h"

static struct patience patience = PATIENCE_INIT;
static struct framing_options framing;
static uint64_t count = 1;
static bool follow;
static const char *from;

static const struct option_row rows[] = {
	{ "count", 'C', OPTION_NUMBER, &count, "COUNT", "so many messages (1)",
	  NULL },
	{ "follow", 'f', OPTION_FLAG, &follow, NULL,
	  "go on until no more can come", NULL },
	{ "from", 0, OPTION_TEXT, &from, "NAME",
	  "only what process:NAME sends (of a process: address)", NULL },
	FRAMING_ROWS(framing),
	PATIENCE_ROWS(patience),
	{ 0 },
};

/* Where messages cannot be taken in place they are copied to `buf`. */
struct source {
	struct ferry_link *link;
	bool copies;
	char *buf;
	size_t cap;
};

static int grow(struct source *s)
{
	ssize_t len = ferry_next_len(s->link);
	size_t cap = len < 0 ? 0 : (size_t)len;
	char *buf;

	if (len < 0)
		return (int)len;
	if (cap < 1 << 16)
		cap = 1 << 16;
	buf = cap > s->cap ? realloc(s->buf, cap) : NULL;
	if (!buf)
		return cap > s->cap ? -ENOMEM : -EMSGSIZE;
	s->buf = buf;
	s->cap = cap;
	return 0;
}

static int copy_one(struct source *s, struct ferry_message *m,
		    ferry_time deadline)
{
	ssize_t n;
	int err = 0;

	if (!s->buf) {
		s->cap = 1 << 16;
		s->buf = malloc(s->cap);
		if (!s->buf)
			return -ENOMEM;
	}
	do {
		n = ferry_recv(s->link, s->buf, s->cap, deadline);
		if (n == -EMSGSIZE)
			err = grow(s);
	} while (n == -EMSGSIZE && err == 0);
	if (n < 0)
		return err < 0 ? err : (int)n;
	memset(m, 0, sizeof *m);
	m->data = s->buf;
	m->len = (size_t)n;
	ferry_peer(s->link, &m->sender);
	return 0;
}

static int next(struct source *s, struct ferry_message *m)
{
	ferry_time deadline = patience_deadline(&patience);
	int err = -EOPNOTSUPP;

	if (!s->copies)
		err = ferry_take(s->link, m, deadline);
	if (err != -EOPNOTSUPP)
		return err;
	s->copies = true;
	return copy_one(s, m, deadline);
}

/* A signal is written as a line of text. */
static bool write_out(const struct source *s, const struct output *o,
		      const struct ferry_message *m)
{
	struct ferry_message text = *m;
	struct output line = *o;
	char buf[SIGNAL_LINE_MAX];
	int n = signal_is_address(ferry_address(s->link)) ?
			signal_line(m, buf) :
			-1;

	if (n < 0)
		return output_message(o, m);
	text.data = buf;
	text.len = (size_t)n;
	line.newline = true;
	return output_message(&line, &text);
}

/* Status 0, or what is to be done about a message that was not written. */
static int deliver(const struct source *s, const struct output *o,
		   struct ferry_message *m, const char *name)
{
	int err;

	if (!write_out(s, o, m)) {
		int sys_errno = errno;

		if (!s->copies)
			ferry_requeue(m, 0);
		ferry_close(s->link);
		errno = sys_errno;
		exit(report_stdout());
	}
	err = s->copies ? 0 : ferry_release(m);
	return err < 0 ? report_error(name, s->link, err) : 0;
}

/* The end of the wait: what it means depends on what was asked for. */
static int ended(const char *name, struct source *s, int err, uint64_t got)
{
	if (cancelled())
		return STATUS_NO;
	if (follow &&
	    (err == -ENODATA || (got && (err == -EAGAIN || err == -ETIMEDOUT))))
		return 0;
	if (err == -EAGAIN || err == -ETIMEDOUT) {
		note("%s: no message", name);
		return ferry_error_status(err);
	}
	return report_error(name, s->link, err);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	char address[ADDRESS_SIZE];
	struct source s = { 0 };
	struct ferry_message m;
	struct output o;
	uint64_t got = 0;
	int err, status = 0;

	if (options_parse(verb, argc, argv) != 1)
		usage_error("one NAME, please");
	output_init(&o, framing_chosen(&framing), argv[1]);
	err = ferry_open(&s.link, address_with(address, argv[1], "from", from),
			 FERRY_RECV);
	if (err < 0)
		return report_error(argv[1], NULL, err);
	note("receiving at %s", ferry_address(s.link));
	cancel_on_signals(s.link);
	while (!status && !cancelled() && (follow || got < count)) {
		err = next(&s, &m);
		if (err < 0) {
			status = ended(argv[1], &s, err, got);
			break;
		}
		got++;
		status = deliver(&s, &o, &m, argv[1]);
	}
	cancel_forget();
	ferry_close(s.link);
	free(s.buf);
	return cancel_finish(status);
}

const struct verb verb_recv = {
	.name = "recv",
	.operands = "NAME",
	.summary = "receive and write to standard output",
	.options = rows,
	.run = run,
};

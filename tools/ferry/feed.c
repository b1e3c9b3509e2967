/* SPDX-License-Identifier: MIT */
/* See feed.h. */
#include "feed.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "cancel.h"
#include "report.h"

int send_with(struct ferry_link *link, const struct frame *f, uint32_t type,
	      uint32_t priority, ferry_time deadline)
{
	struct ferry_message m;
	int err = ferry_loan(link, f->len, &m, deadline);

	if (err < 0)
		return err;
	if (f->len)
		memcpy(m.data, f->data, f->len);
	m.type = type;
	m.priority = priority;
	err = ferry_commit(&m, deadline);
	if (err == -EAGAIN || err == -ETIMEDOUT || err == -ECANCELED ||
	    err == -ENOSPC)
		ferry_abandon(&m);
	return err;
}

static int failed(const struct feed *f, int err, uint64_t sent)
{
	int status;

	if (cancelled())
		return STATUS_NO;
	status = report_error(f->name, f->link, err);
	if (sent)
		report(f->name, status, "%" PRIu64 " messages were sent before",
		       sent);
	return status;
}

static int malformed(const char *name, uint64_t n, const char *why,
		     uint64_t sent)
{
	return report(name, STATUS_USAGE,
		      "message %" PRIu64 " of standard input: %s; %" PRIu64
		      " were sent before (send the rest again when it is put "
		      "right)",
		      n, why, sent);
}

static int bad_input(const char *name, const struct framer *f, int err,
		     const char *why, uint64_t sent)
{
	if (err == -ECANCELED)
		return STATUS_NO;
	if (err == -EIO)
		return report_sys("standard input", errno);
	if (err == -EMSGSIZE)
		why = "longer than any message may be (1 GiB)";
	else if (err == -ENOMEM)
		why = "no memory for it";
	return malformed(name,
			 f->n_frames + (err != -EBADMSG ||
					f->framing == FRAMING_LEN32),
			 why, sent);
}

int feed_text(const struct feed *f, char *text)
{
	struct frame frame = { .data = text, .len = strlen(text) };
	const char *wrong = NULL;
	int err = f->send(f->link, &frame, &wrong);

	if (err < 0 && wrong)
		return report(f->name, STATUS_USAGE, "%s", wrong);
	return err < 0 ? failed(f, err, 0) : 0;
}

int feed_input(const struct feed *f, enum framing how)
{
	const char *why = "", *wrong = NULL;
	struct framer framer;
	struct frame frame;
	uint64_t sent = 0;
	int err, status = 0;

	framer_init(&framer, STDIN_FILENO, how);
	while (!status && !cancelled()) {
		err = framer_next(&framer, &frame, &why);
		if (err == 0)
			break;
		if (err < 0) {
			status = bad_input(f->name, &framer, err, why, sent);
			break;
		}
		err = f->send(f->link, &frame, &wrong);
		if (err < 0 && wrong)
			status = malformed(f->name, framer.n_frames, wrong,
					   sent);
		else if (err < 0)
			status = failed(f, err, sent);
		else
			progress("sent", ++sent, -1);
	}
	framer_fini(&framer);
	if (!status)
		note("%s: %" PRIu64 " messages were sent", f->name, sent);
	return status;
}

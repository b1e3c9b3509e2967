/* SPDX-License-Identifier: MIT */
/*
 * ferry recv NAME: receive and write to standard output.
 *
 * A message is acknowledged after it has been written: if this process is
 * killed in between, or nobody reads its output, another receiver gets it.
 */
#include <errno.h>
#include <stdlib.h>
#include <ferry.h>
#include "address.h"
#include "cancel.h"
#include "framing.h"
#include "opening.h"
#include "options.h"
#include "report.h"
#include "source.h"
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

/* Not written, and the link takes none back: is it still in a log, or gone? */
static void tell_lost(const char *name, size_t len, int status)
{
	const struct ferry_transport_info *t = address_transport(name);

	if (!t || !(t->promises & FERRY_CAN_BROADCAST))
		report(name, status,
		       "a message of %zu bytes had been taken and cannot be "
		       "given back: it is lost, standard output did not "
		       "accept it",
		       len);
}

/* Status 0, or what is to be done about a message that was not written. */
static int deliver(struct source *s, const struct output *o,
		   struct ferry_message *m, const char *name)
{
	int err;

	if (!output_message(o, m)) {
		int sys_errno = errno;
		size_t len = m->len;

		if (source_return(m, 0) < 0)
			tell_lost(name, len, ferry_error_status(-sys_errno));
		cancel_forget();
		ferry_close(s->link);
		errno = sys_errno;
		exit(cancel_finish(report_stdout()));
	}
	err = source_done(s, m);
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
	char address[ADDRESS_SIZE], framed[ADDRESS_SIZE];
	const char *through;
	struct ferry_link *link;
	struct source s;
	struct ferry_message m;
	struct output o;
	uint64_t got = 0;
	int err, status = 0;

	if (options_parse(verb, argc, argv) != 1)
		usage_error("one NAME, please");
	output_init(&o, framing_chosen(&framing), argv[1]);
	o.newline = o.newline || signal_is_address(argv[1]);
	through = address_framed(framed, argv[1], framing_key(&framing));
	err = open_patiently(&link,
			     address_with(address, through, "from", from),
			     FERRY_RECV, &patience);
	if (err < 0)
		return opening_failed(argv[1], err, &patience);
	note("receiving at %s", ferry_address(link));
	source_init(&s, link, argv[1], false);
	cancel_on_signals(link);
	while (!status && !cancelled() && (follow || got < count)) {
		err = source_next(&s, &m, patience_deadline(&patience));
		if (err < 0) {
			status = ended(argv[1], &s, err, got);
			break;
		}
		got++;
		status = deliver(&s, &o, &m, argv[1]);
	}
	cancel_forget();
	ferry_close(link);
	source_fini(&s);
	return cancel_finish(status);
}

const struct verb verb_recv = {
	.name = "recv",
	.operands = "NAME",
	.summary = "receive and write to standard output",
	.options = rows,
	.run = run,
};

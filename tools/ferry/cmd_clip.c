/* SPDX-License-Identifier: MIT */
/*
 * ferry clip copy|paste|watch|history: a clipboard.
 *
 * It is the topic `clipboard`, which stays until it is removed or the machine is
 * started anew, and keeps the last few values: what was copied last is on it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ferry.h>
#include "cancel.h"
#include "feed.h"
#include "glass.h"
#include "options.h"
#include "report.h"
#include "source.h"
#include "table.h"
#include "topic.h"
#include "verb.h"

#define NAME  "clipboard"
#define KEPT  7u
#define MOST  (16u << 20)
#define SHOWN 60u /* bytes of a value in the history */

static struct patience patience = PATIENCE_INIT;
static struct framing_options framing;

static const struct option_row rows[] = {
	FRAMING_ROWS(framing),
	PATIENCE_ROWS(patience),
	{ 0 },
};

static int open_clipboard(struct ferry_link **out, unsigned flags)
{
	static const struct topic_options made = { KEPT, MOST, 1 };
	bool watches = flags & FERRY_RECV;
	char address[200];

	return ferry_open(out,
			  topic_address(address, sizeof address, NAME, &made,
					watches ? "latest" : NULL,
					watches ? "last" : NULL),
			  flags);
}

static int write_out(const struct ferry_message *m)
{
	struct output o;

	output_init(&o, framing_chosen(&framing), NAME);
	o.kind = "topic";
	return output_message(&o, m) ? 0 : report_stdout();
}

/* --- copy ------------------------------------------------------------------- */

static int copy_one(struct ferry_link *link, const struct frame *f,
		    const char **out_wrong)
{
	(void)out_wrong;
	return ferry_publish(link, f->data, f->len, NULL,
			     patience_deadline(&patience));
}

static int copy(struct ferry_link *link, char *text)
{
	struct feed feed = { NAME, link, copy_one };

	return text ? feed_text(&feed, text) :
		      feed_input(&feed, framing_chosen(&framing));
}

/* --- paste, history ------------------------------------------------------------ */

/* What is kept, the oldest first; how much. */
static unsigned list(struct ferry_link *link, struct ferry_message of[KEPT])
{
	uint64_t cursor = 0;
	unsigned n = 0;

	while (n < KEPT && ferry_peek(link, &cursor, &of[n], NULL, 0) == 0)
		n++;
	return n;
}

/* The value at `seq`, or the next that is kept, with its bytes. */
static int fetch(struct glass *g, uint64_t seq, struct ferry_message *out)
{
	g->cursor = seq;
	return glass_next(g, out);
}

static int nothing(void)
{
	return report(NAME, STATUS_NO,
		      "nothing was copied (ferry clip copy <FILE)");
}

/* The value that was copied `back` values before the last. */
static int paste(struct ferry_link *link, uint64_t back)
{
	struct glass g = { .link = link };
	struct ferry_message m;
	struct ferry_message all[KEPT];
	unsigned n = list(link, all);
	int err, status;

	if (n == 0)
		return nothing();
	if (back >= n)
		return report(NAME, STATUS_NO,
			      "only %u values are kept (ferry clip history "
			      "shows them)",
			      n);
	err = fetch(&g, all[n - 1 - back].seq, &m);
	status = err < 0 ? report_error(NAME, link, err) : write_out(&m);
	glass_fini(&g);
	return status;
}

static void put_row(struct table *t, unsigned back,
		    const struct ferry_message *m)
{
	char text[SHOWN + 1], safe[SHOWN + 1], buf[SHORT_MAX];
	size_t len = m->len < SHOWN ? m->len : SHOWN;

	if (len)
		memcpy(text, m->data, len);
	text[len] = 0;
	table_cell(t, "%u", back);
	table_cell(t, "%s", short_age(m->sent_at, buf));
	table_cell(t, "%s", short_size(m->len, buf));
	table_cell(t, "%d", (int)m->sender.pid);
	table_cell(t, "%s", plain(text, safe, sizeof safe));
}

static int history(struct ferry_link *link)
{
	static const char *const headings[] = { ">BACK", ">AGE",  ">SIZE",
						">PID",	 "VALUE", NULL };
	struct glass g = { .link = link };
	struct ferry_message m;
	struct ferry_message all[KEPT];
	unsigned n = list(link, all);
	int err = 0, status = 0;
	struct table t;

	if (n == 0)
		return nothing();
	table_init(&t, headings);
	for (unsigned back = 0; back < n && !status; back++) {
		err = fetch(&g, all[n - 1 - back].seq, &m);
		if (err < 0)
			status = report_error(NAME, link, err);
		else if (globals.json)
			status = write_out(&m);
		else
			put_row(&t, back, &m);
	}
	table_print(&t);
	glass_fini(&g);
	return status;
}

/* --- watch --------------------------------------------------------------------- */

static int watch(struct ferry_link *link)
{
	struct ferry_message m;
	struct source s;
	int err, status = 0;

	source_init(&s, link, "topic:", false);
	while (!status && !cancelled()) {
		err = source_next(&s, &m, patience_deadline(&patience));
		if (err == 0)
			status = write_out(&m);
		else
			status = err == -EAGAIN || err == -ETIMEDOUT ?
					 ferry_error_status(err) :
					 report_error(NAME, link, err);
	}
	source_fini(&s);
	return status;
}

/* --- the verb ---------------------------------------------------------------- */

static int run_one(struct ferry_link *link, const char *what, char *operand)
{
	uint64_t back = 0;

	if (!strcmp(what, "copy"))
		return copy(link, operand);
	if (!strcmp(what, "watch"))
		return watch(link);
	if (!strcmp(what, "history"))
		return history(link);
	if (operand && !parse_number(operand, &back))
		usage_error("paste %s: how many values back is a number",
			    operand);
	return paste(link, back);
}

static bool is_known(const char *what)
{
	return !strcmp(what, "copy") || !strcmp(what, "paste") ||
	       !strcmp(what, "watch") || !strcmp(what, "history");
}

/* To look at it should not make it. */
static bool is_missing(void)
{
	struct ferry_object o;

	return ferry_look("topic:" NAME, &o) == -ENOENT;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	int n = options_parse(verb, argc, argv), err, status;
	const char *what = n ? argv[1] : "";
	struct ferry_link *link;

	if (!is_known(what))
		usage_error("copy, paste, watch or history, please");
	if (n > (!strcmp(what, "copy") || !strcmp(what, "paste") ? 2 : 1))
		usage_error("%s has no more operands", what);
	if ((!strcmp(what, "paste") || !strcmp(what, "history")) &&
	    is_missing())
		return nothing();
	err = open_clipboard(&link,
			     !strcmp(what, "watch") ? FERRY_RECV : FERRY_SEND);
	if (err < 0)
		return report_error(NAME, NULL, err);
	cancel_on_signals(link);
	status = run_one(link, what, n > 1 ? argv[2] : NULL);
	cancel_forget();
	ferry_close(link);
	return cancel_finish(cancelled() ? STATUS_NO : status);
}

const struct verb verb_clip = {
	.name = "clip",
	.operands = "copy [TEXT] | paste [BACK] | watch | history",
	.summary = "a clipboard: copy, paste, watch it, what was on it",
	.options = rows,
	.run = run,
};

/* SPDX-License-Identifier: MIT */
/*
 * ferry drain NAME: take and acknowledge what is queued, and say how many.
 *
 * It stops after as many messages as there were when it began, so senders
 * that go on do not keep it for ever.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <ferry.h>
#include "cancel.h"
#include "json.h"
#include "options.h"
#include "report.h"
#include "verb.h"

static uint64_t count = UINT64_MAX;

static const struct option_row rows[] = {
	{ "count", 'C', OPTION_NUMBER, &count, "COUNT",
	  "at most so many messages (all)", NULL },
	{ 0 },
};

static int drain(const char *name, struct ferry_link *link, uint64_t *out_n)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };
	struct ferry_message m;
	uint64_t most;
	int err = ferry_stat(link, &st);

	if (err < 0)
		return report_error(name, link, err);
	most = st.queued + st.returned < count ? st.queued + st.returned :
						 count;
	while (*out_n < most && !cancelled()) {
		err = ferry_take(link, &m, FERRY_NOWAIT);
		if (err == -EAGAIN || err == -ENODATA)
			break;
		if (err >= 0)
			err = ferry_release(&m);
		if (err < 0)
			return report_error(name, link, err);
		++*out_n;
		progress("drained", *out_n, (int64_t)(most - *out_n));
	}
	return 0;
}

static void put_json(uint64_t n)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_number(&j, "drained", n);
	json_close(&j, '}');
	json_end(&j);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct ferry_link *link;
	uint64_t n = 0;
	int err, status;

	if (options_parse(verb, argc, argv) != 1)
		usage_error("one NAME, please");
	err = ferry_open(&link, argv[1], FERRY_RECV);
	if (err < 0)
		return report_error(argv[1], NULL, err);
	cancel_on_signals(link);
	status = drain(argv[1], link, &n);
	cancel_forget();
	ferry_close(link);
	progress_end();
	if (globals.json)
		put_json(n);
	else if (!globals.quiet)
		printf("%" PRIu64 " messages drained\n", n);
	return cancel_finish(status);
}

const struct verb verb_drain = {
	.name = "drain",
	.operands = "NAME",
	.summary = "throw away what is queued",
	.options = rows,
	.run = run,
};

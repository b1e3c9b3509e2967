/* SPDX-License-Identifier: MIT */
/*
 * A worker: takes a job, counts in place, sends the result, and only then
 * releases the job.  Killed before the release, another worker gets the job.
 *
 * Words are what wc in the C locale says they are.  Versions differ in whether
 * control characters and bytes above 127 can make a word, so the caller asks
 * the wc that is there and passes the two answers.
 */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ferry.h>
#include "demo.h"

enum kind { NOTHING, SPACE, WORD }; /* of a byte; NOTHING changes nothing */

static unsigned char kinds[256];
static struct ferry_link *jobs;

static void kinds_init(int control, int high)
{
	for (int c = 0; c < 256; c++) {
		if (c >= 128)
			kinds[c] = high ? WORD : NOTHING;
		else if (strchr(" \t\n\v\f\r", c) && c)
			kinds[c] = SPACE;
		else if (c < 32 || c == 127)
			kinds[c] = control ? WORD : NOTHING;
		else
			kinds[c] = WORD;
	}
}

static void count(const struct ferry_message *m, struct result *r)
{
	const struct job *job = m->data;
	unsigned char c;
	int inside = 0;

	memset(r, 0, sizeof *r);
	r->file = job->file;
	r->bytes = m->len - sizeof *job;
	r->redelivered = m->redelivered;
	for (size_t i = 0; i < r->bytes; i++) {
		c = (unsigned char)job->bytes[i];
		r->lines += c == '\n';
		if (kinds[c] == SPACE)
			inside = 0;
		else if (kinds[c] == WORD && !inside++)
			r->words++;
	}
}

static void on_sigterm(int signal)
{
	(void)signal;
	ferry_cancel(jobs);
}

static int work(struct ferry_link *results, long pause_us)
{
	struct timespec pause = { pause_us / 1000000,
				  pause_us % 1000000 * 1000 };
	struct ferry_message m;
	struct result r;
	int err;

	for (;;) {
		err = ferry_take(jobs, &m, FERRY_FOREVER);
		if (err == -ECANCELED)
			return 0;
		if (err < 0)
			return demo_failed("take", jobs, err);
		if (m.len < sizeof(struct job)) {
			ferry_reject(&m);
			continue;
		}
		count(&m, &r);
		nanosleep(&pause, NULL);
		err = ferry_send(results, &r, sizeof r, FERRY_FOREVER);
		if (err < 0)
			return demo_failed("result", results, err);
		err = ferry_release(&m);
		if (err < 0)
			return demo_failed("release", jobs, err);
	}
}

int demo_count(char **args)
{
	struct sigaction term = { .sa_handler = on_sigterm };
	struct ferry_link *results;
	int err, status;

	kinds_init(atoi(args[3]), atoi(args[4]));
	err = ferry_open(&jobs, args[0], FERRY_RECV);
	if (err < 0)
		return demo_failed(args[0], NULL, err);
	err = ferry_open(&results, args[1], FERRY_SEND);
	if (err < 0)
		return demo_failed(args[1], NULL, err);
	sigaction(SIGTERM, &term, NULL);
	status = work(results, atol(args[2]));
	ferry_close(results);
	ferry_close(jobs);
	return status;
}

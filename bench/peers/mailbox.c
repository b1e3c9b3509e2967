/* SPDX-License-Identifier: MIT */
/*
 * Ferry's mailbox, one a way, through the public calls.
 *
 * FERRY_SPIN_US in the environment says how long it looks before it sleeps.
 */
#include <stdio.h>
#include <unistd.h>
#include <ferry.h>
#include "peer.h"

static char names[2][32];
static struct ferry_link *ways[2];
static struct ferry_message held[2];

static void need(struct bench *b, struct ferry_link *link, int err,
		 const char *what)
{
	char why[160];

	if (err >= 0)
		return;
	ferry_explain(link, err, why, sizeof why);
	bench_fail(b, "%s: %s: %s", what, ferry_error_name(err), why);
}

static void setup(struct bench *b, int n_ways)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;

	o.message_max = b->o.size;
	o.capacity = bench_depth(b);
	for (int i = 0; i < n_ways; i++) {
		snprintf(names[i], sizeof names[i], "bench-%d-%d",
			 (int)getpid(), i);
		need(b, NULL, ferry_mailbox_create(&ways[i], names[i], &o),
		     "create");
	}
}

static void teardown(struct bench *b)
{
	for (int i = 0; i < 2 && ways[i]; i++) {
		need(b, NULL, ferry_destroy(names[i]), "destroy");
		ferry_close(ways[i]);
	}
}

/* A handle does not cross a fork; each side opens its own. */
static void attach(struct bench *b)
{
	for (int i = 0; i < 2 && names[i][0]; i++)
		need(b, NULL,
		     ferry_open(&ways[i], names[i],
				i == b->side ? FERRY_SEND : FERRY_RECV),
		     "open");
}

static void send_copy(struct bench *b, int way, const void *data)
{
	need(b, ways[way],
	     ferry_send(ways[way], data, b->o.size, FERRY_FOREVER), "send");
}

static void recv_copy(struct bench *b, int way, void *data)
{
	ssize_t n = ferry_recv(ways[way], data, b->o.size, FERRY_FOREVER);

	need(b, ways[way], (int)n, "recv");
	if ((size_t)n != b->o.size)
		bench_fail(b, "a message of %zd bytes", n);
}

static void *loan(struct bench *b, int way)
{
	need(b, ways[way],
	     ferry_loan(ways[way], b->o.size, &held[way], FERRY_FOREVER),
	     "loan");
	return held[way].data;
}

static void commit(struct bench *b, int way)
{
	need(b, ways[way], ferry_commit(&held[way], FERRY_FOREVER), "commit");
}

static const void *take(struct bench *b, int way)
{
	need(b, ways[way], ferry_take(ways[way], &held[way], FERRY_FOREVER),
	     "take");
	if (held[way].len != b->o.size)
		bench_fail(b, "a message of %zu bytes", held[way].len);
	return held[way].data;
}

static void release(struct bench *b, int way)
{
	need(b, ways[way], ferry_release(&held[way]), "release");
}

const struct bench_peer bench_peer_mailbox = {
	.name = "mailbox",
	.many_max = SIZE_MAX,
	.setup = setup,
	.teardown = teardown,
	.attach = attach,
	.send = send_copy,
	.recv = recv_copy,
	.loan = loan,
	.commit = commit,
	.take = take,
	.release = release,
};

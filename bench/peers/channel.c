/* SPDX-License-Identifier: MIT */
/*
 * Ferry's channel, one for both ways, through the public calls; its rings hold as
 * many messages as the others' queues.
 *
 * FERRY_SPIN_US in the environment says how long it looks before it sleeps.
 */
#include <stdio.h>
#include <ferry.h>
#include "peer.h"

#define SLOT 64

static struct ferry_link *ends[2], *mine;
static struct ferry_message out, in;

static void need(struct bench *b, int err, const char *what)
{
	char why[160];

	if (err >= 0)
		return;
	ferry_explain(mine, err, why, sizeof why);
	bench_fail(b, "%s: %s: %s", what, ferry_error_name(err), why);
}

static void setup(struct bench *b, int n_ways)
{
	size_t each = (b->o.size + 8 + SLOT - 1) / SLOT * SLOT;
	char address[64];

	(void)n_ways;
	snprintf(address, sizeof address, "channel:?ring=%zuK",
		 each * bench_depth(b) / 1024 + 16);
	need(b, ferry_pair(ends, address), "pair");
}

static void teardown(struct bench *b)
{
	(void)b;
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}

/* Each side takes over its own end. */
static void attach(struct bench *b)
{
	mine = ends[b->side];
	need(b, ferry_adopt_after_fork(mine), "adopt");
	ferry_close(ends[!b->side]);
}

static void send_copy(struct bench *b, int way, const void *data)
{
	(void)way;
	need(b, ferry_send(mine, data, b->o.size, FERRY_FOREVER), "send");
}

static void recv_copy(struct bench *b, int way, void *data)
{
	ssize_t n = ferry_recv(mine, data, b->o.size, FERRY_FOREVER);

	(void)way;
	need(b, (int)n, "recv");
	if ((size_t)n != b->o.size)
		bench_fail(b, "a message of %zd bytes", n);
}

static void *loan(struct bench *b, int way)
{
	(void)way;
	need(b, ferry_loan(mine, b->o.size, &out, FERRY_FOREVER), "loan");
	return out.data;
}

static void commit(struct bench *b, int way)
{
	(void)way;
	need(b, ferry_commit(&out, FERRY_FOREVER), "commit");
}

static const void *take(struct bench *b, int way)
{
	(void)way;
	need(b, ferry_take(mine, &in, FERRY_FOREVER), "take");
	if (in.len != b->o.size)
		bench_fail(b, "a message of %zu bytes", in.len);
	return in.data;
}

static void release(struct bench *b, int way)
{
	(void)way;
	need(b, ferry_release(&in), "release");
}

const struct bench_peer bench_peer_channel = {
	.name = "channel",
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

/* SPDX-License-Identifier: MIT */
/*
 * Boost.Interprocess: a message_queue a way, made before the sides fork.
 * Depth: bench_depth() messages.
 */
#include <stdio.h>
#include <unistd.h>
#include "boost_queue.h"
#include "peer.h"

static void *ways[2];

static void setup(struct bench *b, int n_ways)
{
	const char *why = "";
	char name[40];

	for (int i = 0; i < n_ways; i++) {
		snprintf(name, sizeof name, "ferry-bench-%d-%d", (int)getpid(),
			 i);
		ways[i] =
			boost_queue_new(name, bench_depth(b), b->o.size, &why);
		if (!ways[i])
			bench_fail(b, "message_queue: %s", why);
	}
}

static void teardown(struct bench *b)
{
	(void)b;
	for (int i = 0; i < 2; i++)
		boost_queue_free(ways[i]);
}

static void send_copy(struct bench *b, int way, const void *data)
{
	const char *why = boost_queue_send(ways[way], data, b->o.size);

	if (why)
		bench_fail(b, "message_queue::send: %s", why);
}

static void recv_copy(struct bench *b, int way, void *data)
{
	size_t n = 0;
	const char *why = boost_queue_receive(ways[way], data, b->o.size, &n);

	if (why)
		bench_fail(b, "message_queue::receive: %s", why);
	if (n != b->o.size)
		bench_fail(b, "a message of %zu bytes", n);
}

const struct bench_peer bench_peer_boost = {
	.name = "boost",
	.many_max = SIZE_MAX,
	.setup = setup,
	.teardown = teardown,
	.send = send_copy,
	.recv = recv_copy,
};

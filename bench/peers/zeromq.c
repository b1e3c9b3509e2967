/* SPDX-License-Identifier: MIT */
/*
 * ZeroMQ: PUSH to PULL over ipc:, each receiver bound, each sender connected
 * to all receivers, one I/O thread a process.
 *
 * Depth: ZMQ_SNDHWM and ZMQ_RCVHWM are half of bench_depth() each, for each
 * connection; the socket's buffer comes on top.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>
#include "peer.h"

static void *context, *ways[2];
static int n_ways;
static pid_t family; /* in every socket's name */

static void need(struct bench *b, int result, const char *what)
{
	if (result < 0)
		bench_fail(b, "%s: %s", what, zmq_strerror(zmq_errno()));
}

static void setup(struct bench *b, int n)
{
	(void)b;
	n_ways = n;
	family = getpid();
}

static void address(char *out, size_t size, int way, unsigned receiver)
{
	snprintf(out, size, "ipc://@ferry-bench-%d-%d-%u", (int)family, way,
		 receiver);
}

static void open_way(struct bench *b, int way, bool sends)
{
	int depth = (int)bench_depth(b) / 2, soon = 1;
	char name[64];

	ways[way] = zmq_socket(context, sends ? ZMQ_PUSH : ZMQ_PULL);
	if (!ways[way])
		need(b, -1, "zmq_socket");
	need(b, zmq_setsockopt(ways[way], ZMQ_SNDHWM, &depth, sizeof depth),
	     "ZMQ_SNDHWM");
	need(b, zmq_setsockopt(ways[way], ZMQ_RCVHWM, &depth, sizeof depth),
	     "ZMQ_RCVHWM");
	need(b,
	     zmq_setsockopt(ways[way], ZMQ_RECONNECT_IVL, &soon, sizeof soon),
	     "ZMQ_RECONNECT_IVL");
	if (!sends) {
		address(name, sizeof name, way, b->index);
		need(b, zmq_bind(ways[way], name), name);
		return;
	}
	for (unsigned i = 0; i < b->n_receivers; i++) {
		address(name, sizeof name, way, i);
		need(b, zmq_connect(ways[way], name), name);
	}
}

static void attach(struct bench *b)
{
	context = zmq_ctx_new();
	if (!context)
		need(b, -1, "zmq_ctx_new");
	for (int i = 0; i < n_ways; i++)
		open_way(b, i, i == b->side);
}

static void send_copy(struct bench *b, int way, const void *data)
{
	need(b, zmq_send(ways[way], data, b->o.size, 0), "zmq_send");
}

static void recv_copy(struct bench *b, int way, void *data)
{
	int n = zmq_recv(ways[way], data, b->o.size, 0);

	need(b, n, "zmq_recv");
	if ((size_t)n != b->o.size)
		bench_fail(b, "a message of %d bytes", n);
}

const struct bench_peer bench_peer_zeromq = {
	.name = "zeromq",
	.many_max = SIZE_MAX,
	.setup = setup,
	.attach = attach,
	.send = send_copy,
	.recv = recv_copy,
};

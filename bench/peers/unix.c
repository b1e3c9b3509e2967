/* SPDX-License-Identifier: MIT */
/*
 * A connected pair of UNIX sockets with the kernel's default buffers, both
 * ways through the one pair: as a stream, where both sides know the size, and
 * as packets that keep their boundaries.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "peer.h"

static int ends[2];

static void setup(struct bench *b, int type)
{
	if (socketpair(AF_UNIX, type, 0, ends) < 0)
		bench_fail(b, "socketpair: %s", strerror(errno));
}

/* A packet that is longer than the buffers is refused. */
static void probe(struct bench *b)
{
	void *packet = calloc(1, b->o.size);

	if (!packet)
		bench_fail(b, "no memory");
	if (send(ends[0], packet, b->o.size, MSG_DONTWAIT) < 0)
		bench_skip("a packet of %zu bytes: %s", b->o.size,
			   strerror(errno));
	if (recv(ends[1], packet, b->o.size, 0) != (ssize_t)b->o.size)
		bench_fail(b, "recv: %s", strerror(errno));
	free(packet);
}

static void setup_stream(struct bench *b, int n_ways)
{
	(void)n_ways;
	setup(b, SOCK_STREAM);
}

static void setup_packets(struct bench *b, int n_ways)
{
	(void)n_ways;
	setup(b, SOCK_SEQPACKET);
	probe(b);
}

static void send_all(struct bench *b, int way, const void *data)
{
	(void)way;
	if (send(ends[b->side], data, b->o.size, MSG_NOSIGNAL) !=
	    (ssize_t)b->o.size)
		bench_fail(b, "send: %s", strerror(errno));
}

/* A packet comes whole; of a stream MSG_WAITALL makes the kernel collect. */
static void recv_all(struct bench *b, int way, void *data)
{
	ssize_t n = recv(ends[b->side], data, b->o.size, MSG_WAITALL);

	(void)way;
	if (n != (ssize_t)b->o.size)
		bench_fail(b, "recv: %zd bytes: %s", n, strerror(errno));
}

const struct bench_peer bench_peer_unix = {
	.name = "unix",
	.setup = setup_stream,
	.send = send_all,
	.recv = recv_all,
};

const struct bench_peer bench_peer_seqpacket = {
	.name = "seqpacket",
	.many_max = SIZE_MAX,
	.setup = setup_packets,
	.send = send_all,
	.recv = recv_all,
};

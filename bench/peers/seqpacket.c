/* SPDX-License-Identifier: MIT */
/*
 * A connected pair of UNIX sockets that keep message boundaries, with the
 * kernel's default buffers; both ways through the one pair.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "peer.h"

static int ends[2];

static void setup(struct bench *b, int n_ways)
{
	(void)n_ways;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
		bench_fail(b, "socketpair: %s", strerror(errno));
}

static void send_packet(struct bench *b, int way, const void *data)
{
	(void)way;
	if (send(ends[b->side], data, b->o.size, MSG_NOSIGNAL) !=
	    (ssize_t)b->o.size)
		bench_fail(b, "send: %s", strerror(errno));
}

static void recv_packet(struct bench *b, int way, void *data)
{
	ssize_t n = recv(ends[b->side], data, b->o.size, 0);

	(void)way;
	if (n != (ssize_t)b->o.size)
		bench_fail(b, "recv: %zd bytes: %s", n, strerror(errno));
}

const struct bench_peer bench_peer_seqpacket = {
	.name = "seqpacket",
	.setup = setup,
	.send = send_packet,
	.recv = recv_packet,
};

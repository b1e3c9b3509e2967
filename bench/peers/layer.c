/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's own ways cost through Ferry: each as its neighbour in pipe.c or
 * sockets.c is without, with the same buffers, the same bytes and no framing of ours.
 */
#include <errno.h>
#include <stdlib.h>
#include <ferry.h>
#include "peer.h"

/* By way and by end: a pipe goes one way, of the others there is one. */
static struct ferry_link *links[2][2];
static bool one_way;

static struct ferry_link *mine(const struct bench *b, int way)
{
	if (!one_way)
		return links[0][b->side];
	return links[way][way == b->side]; /* ends[1] is to send */
}

static void need(struct bench *b, struct ferry_link *l, ssize_t err,
		 const char *what)
{
	char why[160];

	if (err >= 0)
		return;
	ferry_explain(l, (int)err, why, sizeof why);
	bench_fail(b, "%s: %s: %s", what, ferry_error_name((int)err), why);
}

static void setup_pipe(struct bench *b, int n_ways)
{
	one_way = true;
	for (int i = 0; i < n_ways; i++)
		need(b, NULL, ferry_pair(links[i], "pipe:"), "pair");
}

static void setup_unix(struct bench *b, int n_ways)
{
	(void)n_ways;
	need(b, NULL, ferry_pair(links[0], "unix:?type=stream"), "pair");
}

/* A packet that is longer than the buffers is refused. */
static void probe(struct bench *b)
{
	struct ferry_link *from = links[0][0], *to = links[0][1];
	void *packet = calloc(1, b->o.size);
	int err;

	if (!packet)
		bench_fail(b, "no memory");
	err = ferry_send(from, packet, b->o.size, FERRY_NOWAIT);
	if (err == -EMSGSIZE)
		bench_skip("a packet of %zu bytes: too long", b->o.size);
	need(b, from, err, "send");
	need(b, to, ferry_recv(to, packet, b->o.size, FERRY_NOWAIT), "recv");
	free(packet);
}

static void setup_seqpacket(struct bench *b, int n_ways)
{
	(void)n_ways;
	need(b, NULL, ferry_pair(links[0], "unix:?type=seqpacket"), "pair");
	probe(b);
}

static void setup_tcp(struct bench *b, int n_ways)
{
	struct ferry_link *door;
	char address[128];

	(void)n_ways;
	need(b, NULL, ferry_listen(&door, "tcp:127.0.0.1:0"), "listen");
	need(b, door, ferry_local_address(door, address, sizeof address),
	     "address");
	need(b, NULL, ferry_open(&links[0][0], address, FERRY_DUPLEX), "open");
	need(b, door, ferry_accept(door, &links[0][1], FERRY_FOREVER),
	     "accept");
	ferry_close(door);
}

static void teardown(struct bench *b)
{
	(void)b;
	for (int i = 0; i < 4; i++)
		ferry_close(links[i / 2][i % 2]);
}

static void send_bytes(struct bench *b, int way, const void *data)
{
	struct ferry_link *l = mine(b, way);

	need(b, l, ferry_write(l, data, b->o.size, FERRY_FOREVER), "write");
}

static void recv_bytes(struct bench *b, int way, void *data)
{
	struct ferry_link *l = mine(b, way);
	char *p = data;
	ssize_t n;

	for (size_t left = b->o.size; left > 0; left -= (size_t)n, p += n) {
		n = ferry_read(l, p, left, FERRY_FOREVER);
		need(b, l, n, "read");
		if (n == 0)
			bench_fail(b, "read: end");
	}
}

static void send_packet(struct bench *b, int way, const void *data)
{
	struct ferry_link *l = mine(b, way);

	need(b, l, ferry_send(l, data, b->o.size, FERRY_FOREVER), "send");
}

static void recv_packet(struct bench *b, int way, void *data)
{
	struct ferry_link *l = mine(b, way);
	ssize_t n = ferry_recv(l, data, b->o.size, FERRY_FOREVER);

	need(b, l, n, "recv");
	if ((size_t)n != b->o.size)
		bench_fail(b, "a message of %zd bytes", n);
}

const struct bench_peer bench_peer_ferry_pipe = {
	.name = "ferry_pipe",
	.setup = setup_pipe,
	.teardown = teardown,
	.send = send_bytes,
	.recv = recv_bytes,
};

const struct bench_peer bench_peer_ferry_unix = {
	.name = "ferry_unix",
	.setup = setup_unix,
	.teardown = teardown,
	.send = send_bytes,
	.recv = recv_bytes,
};

const struct bench_peer bench_peer_ferry_seqpacket = {
	.name = "ferry_seqpacket",
	.setup = setup_seqpacket,
	.teardown = teardown,
	.send = send_packet,
	.recv = recv_packet,
};

const struct bench_peer bench_peer_ferry_tcp = {
	.name = "ferry_tcp",
	.setup = setup_tcp,
	.teardown = teardown,
	.send = send_bytes,
	.recv = recv_bytes,
};

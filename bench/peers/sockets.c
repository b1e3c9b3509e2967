/* SPDX-License-Identifier: MIT */
/*
 * A connected pair of sockets with the kernel's default buffers, both ways through
 * the one pair: UNIX as a stream, where both sides know the size, and as packets
 * that keep their boundaries; TCP through the loopback, without Nagle's delay, as a
 * message that waits for an answer needs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
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

static int need(struct bench *b, int r, const char *what)
{
	if (r < 0)
		bench_fail(b, "%s: %s", what, strerror(errno));
	return r;
}

static void setup_tcp(struct bench *b, int n_ways)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	int door, on = 1;

	(void)n_ways;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	door = need(b, socket(AF_INET, SOCK_STREAM, 0), "socket");
	need(b, bind(door, (struct sockaddr *)&at, sizeof at), "bind");
	need(b, listen(door, 1), "listen");
	need(b, getsockname(door, (struct sockaddr *)&at, &len), "getsockname");
	ends[0] = need(b, socket(AF_INET, SOCK_STREAM, 0), "socket");
	need(b, connect(ends[0], (struct sockaddr *)&at, len), "connect");
	ends[1] = need(b, accept(door, NULL, NULL), "accept");
	close(door);
	for (int i = 0; i < 2; i++)
		need(b,
		     setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on,
				sizeof on),
		     "TCP_NODELAY");
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

const struct bench_peer bench_peer_tcp = {
	.name = "tcp",
	.setup = setup_tcp,
	.send = send_all,
	.recv = recv_all,
};

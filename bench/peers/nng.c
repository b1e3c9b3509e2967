/* SPDX-License-Identifier: MIT */
/*
 * nng: a pair of sockets over its ipc: transport, both ways through the one;
 * its threads run beside, on the same CPU as their side.
 *
 * Depth: NNG_OPT_SENDBUF and NNG_OPT_RECVBUF are half of bench_depth() each;
 * the socket's buffer comes on top.
 */
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <stdio.h>
#include <unistd.h>
#include "peer.h"

static nng_socket end;
static char url[64];

static void need(struct bench *b, int result, const char *what)
{
	if (result != 0)
		bench_fail(b, "%s: %s", what, nng_strerror(result));
}

static void setup(struct bench *b, int n_ways)
{
	(void)b;
	(void)n_ways;
	snprintf(url, sizeof url, "abstract://ferry-bench-%d", (int)getpid());
}

static void attach(struct bench *b)
{
	int depth = (int)bench_depth(b) / 2;

	need(b, nng_pair0_open(&end), "nng_pair0_open");
	need(b, nng_socket_set_int(end, NNG_OPT_SENDBUF, depth), "SENDBUF");
	need(b, nng_socket_set_int(end, NNG_OPT_RECVBUF, depth), "RECVBUF");
	need(b, nng_socket_set_size(end, NNG_OPT_RECVMAXSZ, 0), "RECVMAXSZ");
	need(b, nng_socket_set_ms(end, NNG_OPT_RECONNMINT, 1), "RECONNMINT");
	need(b, nng_socket_set_ms(end, NNG_OPT_RECONNMAXT, 1), "RECONNMAXT");
	if (b->side == 0)
		need(b, nng_listen(end, url, NULL, 0), "nng_listen");
	else
		need(b, nng_dial(end, url, NULL, NNG_FLAG_NONBLOCK),
		     "nng_dial");
}

static void send_copy(struct bench *b, int way, const void *data)
{
	(void)way;
	/* Not const in the interface; without NNG_FLAG_ALLOC it is copied. */
	need(b, nng_send(end, (void *)data, b->o.size, 0), "nng_send");
}

static void recv_copy(struct bench *b, int way, void *data)
{
	size_t n = b->o.size;

	(void)way;
	need(b, nng_recv(end, data, &n, 0), "nng_recv");
	if (n != b->o.size)
		bench_fail(b, "a message of %zu bytes", n);
}

const struct bench_peer bench_peer_nng = {
	.name = "nng",
	.setup = setup,
	.attach = attach,
	.send = send_copy,
	.recv = recv_copy,
};

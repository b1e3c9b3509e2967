/* SPDX-License-Identifier: MIT */
/*
 * nanomsg: a pair of sockets over its ipc: transport, both ways through the
 * one; its thread runs beside, on the same CPU as its side.
 *
 * Depth: it counts bytes, NN_SNDBUF and NN_RCVBUF; they are half of what
 * bench_depth() messages take each, but at least one message.
 */
#include <nanomsg/nn.h>
#include <nanomsg/pair.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "peer.h"

static char url[200];
static int end;

static void need(struct bench *b, int result, const char *what)
{
	if (result < 0)
		bench_fail(b, "%s: %s", what, nn_strerror(nn_errno()));
}

/* It wants a file for its socket: one in $TMPDIR, gone with the run. */
static void setup(struct bench *b, int n_ways)
{
	const char *dir = getenv("TMPDIR");

	(void)b;
	(void)n_ways;
	snprintf(url, sizeof url, "ipc://%s/ferry-bench-%d", dir ? dir : "/tmp",
		 (int)getpid());
}

static void teardown(struct bench *b)
{
	(void)b;
	unlink(url + sizeof "ipc://" - 1);
}

static void set(struct bench *b, int option, int value, const char *what)
{
	need(b, nn_setsockopt(end, NN_SOL_SOCKET, option, &value, sizeof value),
	     what);
}

static void attach(struct bench *b)
{
	int half = (int)(bench_depth(b) * b->o.size / 2);

	if ((size_t)half < b->o.size)
		half = (int)b->o.size;
	end = nn_socket(AF_SP, NN_PAIR);
	need(b, end, "nn_socket");
	set(b, NN_SNDBUF, half, "NN_SNDBUF");
	set(b, NN_RCVBUF, half, "NN_RCVBUF");
	set(b, NN_RCVMAXSIZE, -1, "NN_RCVMAXSIZE");
	set(b, NN_RECONNECT_IVL, 1, "NN_RECONNECT_IVL");
	need(b, b->side == 0 ? nn_bind(end, url) : nn_connect(end, url), url);
}

static void send_copy(struct bench *b, int way, const void *data)
{
	(void)way;
	need(b, nn_send(end, data, b->o.size, 0), "nn_send");
}

static void recv_copy(struct bench *b, int way, void *data)
{
	int n = nn_recv(end, data, b->o.size, 0);

	(void)way;
	need(b, n, "nn_recv");
	if ((size_t)n != b->o.size)
		bench_fail(b, "a message of %d bytes", n);
}

const struct bench_peer bench_peer_nanomsg = {
	.name = "nanomsg",
	.setup = setup,
	.teardown = teardown,
	.attach = attach,
	.send = send_copy,
	.recv = recv_copy,
};

/* SPDX-License-Identifier: MIT */
/*
 * A pipe a way, as the kernel gives it (64 KiB), one read() a message: the
 * bytes have no boundaries, both sides know the size.  Several processes may
 * share one as long as a message fits in a page, which the kernel moves whole.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include "peer.h"

static int ends[2][2];

static void setup(struct bench *b, int n_ways)
{
	for (int i = 0; i < n_ways; i++)
		if (pipe(ends[i]) < 0)
			bench_fail(b, "pipe: %s", strerror(errno));
}

static void send_bytes(struct bench *b, int way, const void *data)
{
	const char *p = data;
	ssize_t n;

	for (size_t left = b->o.size; left > 0; left -= (size_t)n, p += n) {
		n = write(ends[way][1], p, left);
		if (n <= 0)
			bench_fail(b, "write: %s", strerror(errno));
	}
}

static void recv_bytes(struct bench *b, int way, void *data)
{
	char *p = data;
	ssize_t n;

	for (size_t left = b->o.size; left > 0; left -= (size_t)n, p += n) {
		n = read(ends[way][0], p, left);
		if (n <= 0)
			bench_fail(b, "read: %s",
				   n < 0 ? strerror(errno) : "end");
	}
}

const struct bench_peer bench_peer_pipe = {
	.name = "pipe",
	.many_max = PIPE_BUF,
	.setup = setup,
	.send = send_bytes,
	.recv = recv_bytes,
};

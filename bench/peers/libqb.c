/* SPDX-License-Identifier: MIT */
/*
 * libqb's ring buffer in shared memory, one a way, with its semaphore: the
 * receiver sleeps when there is nothing.  For a full ring it has no wait; its
 * manual tries again at once, here after sched_yield().
 *
 * Depth: the bytes of bench_depth() messages and their heads.
 */
#include <errno.h>
#include <qb/qbrb.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "peer.h"

#define HEAD 16 /* of a chunk: size and magic, rounded up */

static qb_ringbuffer_t *ways[2];

static void setup(struct bench *b, int n_ways)
{
	size_t size = bench_depth(b) * (b->o.size + HEAD);
	char name[40];

	for (int i = 0; i < n_ways; i++) {
		snprintf(name, sizeof name, "ferry-bench-%d-%d", (int)getpid(),
			 i);
		ways[i] = qb_rb_open(
			name, size,
			QB_RB_FLAG_CREATE | QB_RB_FLAG_SHARED_PROCESS, 0);
		if (!ways[i])
			bench_fail(b, "qb_rb_open: %s", strerror(errno));
	}
}

static void teardown(struct bench *b)
{
	(void)b;
	for (int i = 0; i < 2 && ways[i]; i++)
		qb_rb_close(ways[i]);
}

static void *loan(struct bench *b, int way)
{
	void *p;

	while (!(p = qb_rb_chunk_alloc(ways[way], b->o.size)))
		sched_yield();
	return p;
}

static void commit(struct bench *b, int way)
{
	int err = qb_rb_chunk_commit(ways[way], b->o.size);

	if (err < 0)
		bench_fail(b, "qb_rb_chunk_commit: %s", strerror(-err));
}

static const void *take(struct bench *b, int way)
{
	void *p = NULL;
	ssize_t n = qb_rb_chunk_peek(ways[way], &p, -1);

	if (n != (ssize_t)b->o.size)
		bench_fail(b, "qb_rb_chunk_peek: %zd", n);
	return p;
}

static void release(struct bench *b, int way)
{
	(void)b;
	qb_rb_chunk_reclaim(ways[way]);
}

static void send_copy(struct bench *b, int way, const void *data)
{
	ssize_t n;

	while ((n = qb_rb_chunk_write(ways[way], data, b->o.size)) == -EAGAIN)
		sched_yield();
	if (n != (ssize_t)b->o.size)
		bench_fail(b, "qb_rb_chunk_write: %zd", n);
}

static void recv_copy(struct bench *b, int way, void *data)
{
	ssize_t n = qb_rb_chunk_read(ways[way], data, b->o.size, -1);

	if (n != (ssize_t)b->o.size)
		bench_fail(b, "qb_rb_chunk_read: %zd", n);
}

const struct bench_peer bench_peer_libqb = {
	.name = "libqb",
	.setup = setup,
	.teardown = teardown,
	.send = send_copy,
	.recv = recv_copy,
	.loan = loan,
	.commit = commit,
	.take = take,
	.release = release,
};

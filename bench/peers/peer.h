/* SPDX-License-Identifier: MIT */
/*
 * Candidates: what a message can be carried by, behind one table.
 *
 * A candidate is one file in bench/peers and one line in peers.c.  It carries
 * exactly what it is given: a size it cannot carry is bench_skip() with the
 * reason, never a smaller size.  Its functions end the run with bench_fail()
 * when a call fails; they return only when they have done what they say.
 *
 * Way 0 leads from side 0 to side 1, way 1 back.  In a crowd, side 0 is
 * o.count senders and side 1 as many receivers, who share way 0; b->index
 * numbers them.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "../bench.h"

struct bench_peer {
	const char *name;

	/*
	 * Any number of processes may share a way with messages that are not
	 * longer; 0: it joins two.
	 */
	size_t many_max;

	/* Every receiver of a crowd gets every message; when it may be left out
	 * of some, `lossy`. */
	bool broadcast, lossy;

	/* in the supervisor, before the sides exist, and after they ended */
	void (*setup)(struct bench *b, int n_ways);
	void (*teardown)(struct bench *b); /* may be NULL */

	/* in each side, before it begins, and last of all; may be NULL */
	void (*attach)(struct bench *b);
	void (*detach)(struct bench *b); /* may end the process */

	/* o.size bytes, waiting as long as it takes */
	void (*send)(struct bench *b, int way, const void *data);
	void (*recv)(struct bench *b, int way, void *data);

	/* the same in place; NULL where the candidate always copies */
	void *(*loan)(struct bench *b, int way);
	void (*commit)(struct bench *b, int way);
	const void *(*take)(struct bench *b, int way);
	void (*release)(struct bench *b, int way);
};

/*
 * How many messages a candidate that lets us choose is to hold: 1024, or as
 * many as fit in 1 MiB, but at least 8.
 */
unsigned bench_depth(const struct bench *b);

/* The candidate that --peer names; an unknown one ends the program. */
const struct bench_peer *bench_peer_find(struct bench *b);

/* Attach this side and allocate its private buffer. */
void bench_attach(struct bench *b, const struct bench_peer *p);

/* What a side does last: bench_leave(), and then it detaches. */
void bench_detach(struct bench *b, const struct bench_peer *p);

/* Write message `key` and send it; receive message `key` and check it. */
void bench_put(struct bench *b, const struct bench_peer *p, uint64_t key);
void bench_get(struct bench *b, const struct bench_peer *p, uint64_t key);

/* Receive any message of 8 bytes or more and check it; returns its key. */
uint64_t bench_get_any(struct bench *b, const struct bench_peer *p);

#endif

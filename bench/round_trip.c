/* SPDX-License-Identifier: MIT */
/*
 * How long does a message take there, and its answer back?
 *
 * Side 0 writes a message and waits for the answer; side 1 reads and checks
 * it, writes a new one of the same size and sends that.  Every round trip is
 * timed, so there are percentiles.  The first fifth warms up.
 */
#include <stdlib.h>
#include <string.h>
#include "peers/peer.h"

#define SAMPLES (1u << 21)
#define ANSWER	(1ull << 32) /* answers have other payloads than calls */

static const struct bench_peer *peer;

static uint32_t *samples_new(struct bench *b)
{
	uint32_t *s = malloc(SAMPLES * sizeof *s);

	if (!s)
		bench_fail(b, "no memory");
	memset(s, 0, SAMPLES * sizeof *s);
	return s;
}

static void caller(struct bench *b)
{
	uint32_t *samples = samples_new(b);
	int64_t t, t0, before, begin = 0;
	uint64_t k = 0;
	size_t n = 0;
	bool last;

	bench_attach(b, peer);
	bench_meet(b);
	t = t0 = bench_now();
	do {
		if (!begin && t - t0 > b->o.run_ns / 5) {
			atomic_store(&b->shared->warm, 1);
			bench_begin(b);
			begin = t = bench_now();
		}
		last = begin &&
		       (t - begin > b->o.run_ns * 4 / 5 || n == SAMPLES - 1);
		if (last)
			atomic_store(&b->shared->total, k + 1);
		before = t;
		bench_put(b, peer, k);
		bench_get(b, peer, k + ANSWER);
		k++;
		t = bench_now();
		if (begin)
			samples[n++] = (uint32_t)(t - before);
	} while (!last);
	bench_end(b);
	b->shared->messages = n;
	b->shared->seconds = (double)(t - begin) / 1e9;
	bench_percentiles(b, samples, n);
	free(samples);
	bench_detach(b, peer);
}

static void answerer(struct bench *b)
{
	bool begun = false;
	uint64_t k = 0;

	bench_attach(b, peer);
	bench_meet(b);
	do {
		bench_get(b, peer, k);
		bench_put(b, peer, k + ANSWER);
		k++;
		if (!begun && atomic_load_explicit(&b->shared->warm,
						   memory_order_relaxed)) {
			begun = true;
			bench_begin(b);
		}
	} while (atomic_load_explicit(&b->shared->total,
				      memory_order_relaxed) != k);
	bench_end(b);
	bench_detach(b, peer);
}

int main(int argc, char **argv)
{
	struct bench b;
	int status;

	bench_init(&b, argc, argv, 0);
	peer = bench_peer_find(&b);
	peer->setup(&b, 2);
	status = bench_pair(&b, caller, answerer);
	if (peer->teardown)
		peer->teardown(&b);
	if (status == 0)
		bench_report(&b, "round-trip");
	return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * Limit L2: how long do two cache lines take to go there and back?
 *
 * Each side spins on the other's line and answers on its own.  No queue can
 * be faster than this; under 120 ns both CPUs share a core.
 */
#include "bench.h"

#define BATCH 100u /* between looks at the clock */

struct two_lines {
	_Alignas(64) _Atomic uint64_t there;
	_Alignas(64) _Atomic uint64_t back;
};

static struct two_lines *lines(struct bench *b)
{
	return (struct two_lines *)b->shared->lines;
}

/* Round trips for `ns`; returns the number of the last one. */
static uint64_t ping(struct two_lines *l, uint64_t k, int64_t ns)
{
	int64_t t0 = bench_now();

	do {
		for (unsigned i = 0; i < BATCH; i++) {
			atomic_store_explicit(&l->there, ++k,
					      memory_order_release);
			while (atomic_load_explicit(&l->back,
						    memory_order_acquire) != k)
				;
		}
	} while (bench_now() - t0 < ns);
	return k;
}

static void caller(struct bench *b)
{
	uint64_t first, last;
	int64_t t0;

	bench_meet(b);
	first = ping(lines(b), 0, b->o.run_ns / 5);
	bench_begin(b);
	t0 = bench_now();
	last = ping(lines(b), first, b->o.run_ns * 4 / 5);
	b->shared->seconds = (double)(bench_now() - t0) / 1e9;
	bench_end(b);
	b->shared->messages = last - first;
	atomic_store(&lines(b)->there, UINT64_MAX);
}

static void answerer(struct bench *b)
{
	struct two_lines *l = lines(b);
	uint64_t k = 0, seen;

	bench_meet(b);
	bench_begin(b);
	while (k != UINT64_MAX) {
		seen = atomic_load_explicit(&l->there, memory_order_acquire);
		if (seen == k)
			continue;
		k = seen;
		atomic_store_explicit(&l->back, k, memory_order_release);
	}
	bench_end(b);
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv, sizeof(struct two_lines));
	b.o.peer = "L2";
	if (b.o.cpu[0] == b.o.cpu[1])
		bench_skip("two busy sides need two CPUs");
	if (bench_pair(&b, caller, answerer) != 0)
		return 1;
	bench_report(&b, "limit-round-trip");
	return 0;
}

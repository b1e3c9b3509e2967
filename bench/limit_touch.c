/* SPDX-License-Identifier: MIT */
/*
 * Limit T: how long does a round trip of --size bytes in place take when there
 * is no queue?
 *
 * A block each way and a flag for each: side 0 writes its block, side 1 reads
 * and checks it and writes the other.  What is left of a message in place
 * when everything but its bytes is taken away.
 */
#include <stdlib.h>
#include "bench.h"

#define SAMPLES	  (1u << 20)
#define BLOCK_MAX (1u << 20)
#define LAST	  UINT64_MAX
#define ANSWER	  (1ull << 32)

struct two_blocks {
	_Alignas(64) _Atomic uint64_t there;
	_Alignas(64) _Atomic uint64_t back;
	_Alignas(64) unsigned char data[];
};

static struct two_blocks *blocks(struct bench *b)
{
	return (struct two_blocks *)b->shared->lines;
}

static unsigned char *block(struct bench *b, int way)
{
	uintptr_t at = (uintptr_t)blocks(b)->data;

	return (unsigned char *)((at + 4095) & ~(uintptr_t)4095) +
	       (size_t)way * BLOCK_MAX;
}

/* Wait until the flag is no longer `old`; returns what it is then. */
static uint64_t await_change(_Atomic uint64_t *flag, uint64_t old)
{
	uint64_t now;

	do
		now = atomic_load_explicit(flag, memory_order_acquire);
	while (now == old);
	return now;
}

static void caller(struct bench *b)
{
	uint32_t *samples = malloc(SAMPLES * sizeof *samples);
	int64_t t0, before, t, begin = 0;
	uint64_t k = 0;
	size_t n = 0;

	if (!samples)
		bench_fail(b, "no memory");
	bench_meet(b);
	t = t0 = bench_now();
	while (!begin || (t - begin < b->o.run_ns * 4 / 5 && n < SAMPLES)) {
		if (!begin && t - t0 > b->o.run_ns / 5) {
			atomic_store(&b->shared->warm, 1);
			bench_begin(b);
			begin = t = bench_now();
		}
		before = t;
		k++;
		bench_fill(b, block(b, 0), b->o.size, k);
		atomic_store_explicit(&blocks(b)->there, k,
				      memory_order_release);
		await_change(&blocks(b)->back, k - 1);
		bench_check(b, block(b, 1), b->o.size, k + ANSWER);
		t = bench_now();
		if (begin)
			samples[n++] = (uint32_t)(t - before);
	}
	bench_end(b);
	atomic_store(&blocks(b)->there, LAST);
	b->shared->messages = n;
	b->shared->seconds = (double)(t - begin) / 1e9;
	bench_percentiles(b, samples, n);
	free(samples);
}

static void answerer(struct bench *b)
{
	bool begun = false;
	uint64_t k = 0;

	bench_meet(b);
	while ((k = await_change(&blocks(b)->there, k)) != LAST) {
		bench_check(b, block(b, 0), b->o.size, k);
		bench_fill(b, block(b, 1), b->o.size, k + ANSWER);
		atomic_store_explicit(&blocks(b)->back, k,
				      memory_order_release);
		if (!begun && atomic_load_explicit(&b->shared->warm,
						   memory_order_relaxed)) {
			begun = true;
			bench_begin(b);
		}
	}
	bench_end(b);
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv,
		   4096 + sizeof(struct two_blocks) + 2 * (size_t)BLOCK_MAX);
	b.o.peer = "T";
	b.o.in_place = true;
	if (b.o.cpu[0] == b.o.cpu[1])
		bench_skip("two busy sides need two CPUs");
	if (b.o.size > BLOCK_MAX)
		bench_skip("blocks have at most %u bytes", BLOCK_MAX);
	if (bench_pair(&b, caller, answerer) != 0)
		return 1;
	bench_report(&b, "limit-touch");
	return 0;
}

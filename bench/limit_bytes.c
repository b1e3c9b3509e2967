/* SPDX-License-Identifier: MIT */
/*
 * Limits Z and X: how many bytes a second pass between two cores in blocks
 * of --size, written and read in place (--in-place, Z) or copied in and out
 * of private buffers (X)?
 *
 * A few slots, one flag each, both sides busy: the transfer itself and
 * nothing of a queue.
 */
#include <stdlib.h>
#include <string.h>
#include "bench.h"

#define SLOTS	 8u
#define SLOT_MAX (1u << 20)

struct flag {
	_Alignas(64) _Atomic uint64_t state; /* 2k: free for k, 2k+1: full */
};

struct slots {
	struct flag flag[SLOTS];
	_Alignas(4096) unsigned char data[];
};

static struct slots *slots(struct bench *b)
{
	uintptr_t at = (uintptr_t)b->shared->lines;

	return (struct slots *)((at + 4095) & ~(uintptr_t)4095);
}

static void await(struct flag *f, uint64_t state)
{
	while (atomic_load_explicit(&f->state, memory_order_acquire) != state)
		;
}

static void announce(struct flag *f, uint64_t state)
{
	atomic_store_explicit(&f->state, state, memory_order_release);
}

static void *private_buffer(struct bench *b)
{
	void *p = NULL;

	if (posix_memalign(&p, 4096, b->o.size) != 0)
		bench_fail(b, "no memory");
	memset(p, 0, b->o.size);
	return p;
}

static void sender(struct bench *b)
{
	struct slots *s = slots(b);
	void *own = private_buffer(b);
	bool last = false;

	bench_meet(b);
	for (uint64_t k = 0; !last; k++) {
		unsigned i = k % SLOTS;
		void *slot = s->data + i * b->o.size;

		await(&s->flag[i], 2 * (k / SLOTS));
		bench_fill(b, b->o.in_place ? slot : own, b->o.size, k);
		if (!b->o.in_place)
			memcpy(slot, own, b->o.size);
		last = bench_sender_done(b, bench_now());
		if (last)
			atomic_store(&b->shared->total, k + 1);
		announce(&s->flag[i], 2 * (k / SLOTS) + 1);
	}
	bench_end(b);
	free(own);
}

static void receiver(struct bench *b)
{
	struct slots *s = slots(b);
	void *own = private_buffer(b);
	uint64_t k = 0, first = 0;
	int64_t t0;

	bench_meet(b);
	t0 = bench_now();
	do {
		unsigned i = k % SLOTS;
		void *slot = s->data + i * b->o.size;

		if (bench_receiver_warm(b, bench_now() - t0))
			first = k;
		await(&s->flag[i], 2 * (k / SLOTS) + 1);
		if (!b->o.in_place)
			memcpy(own, slot, b->o.size);
		bench_check(b, b->o.in_place ? slot : own, b->o.size, k);
		announce(&s->flag[i], 2 * (k / SLOTS) + 2);
		k++;
	} while (atomic_load(&b->shared->total) != k);
	b->shared->seconds = (double)(bench_now() - b->begin) / 1e9;
	bench_end(b);
	b->shared->messages = k - first;
	free(own);
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv,
		   4096 + sizeof(struct slots) + SLOTS * (size_t)SLOT_MAX);
	b.o.peer = b.o.in_place ? "Z" : "X";
	if (b.o.cpu[0] == b.o.cpu[1])
		bench_skip("two busy sides need two CPUs");
	if (b.o.size > SLOT_MAX)
		bench_skip("blocks have at most %u bytes", SLOT_MAX);
	if (bench_pair(&b, sender, receiver) != 0)
		return 1;
	bench_report(&b, "limit-bytes");
	return 0;
}

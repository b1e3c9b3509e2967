/* SPDX-License-Identifier: MIT */
/*
 * Limit S: how many cache lines a second stream from core to core?
 *
 * A ring of lines, each carrying its own number as the sign that it is
 * there, so one line moves per message and nothing else; the receiver tells
 * how far it is once a quarter of the ring.
 */
#include "bench.h"

#define RING	4096u
#define QUARTER (RING / 4)

struct one_line {
	_Alignas(64) _Atomic uint64_t number;
	uint64_t payload[7];
};

struct lines {
	_Alignas(64) _Atomic uint64_t done; /* by the receiver */
	struct one_line ring[RING];
};

static struct lines *lines(struct bench *b)
{
	return (struct lines *)b->shared->lines;
}

static void put(struct one_line *l, uint64_t k)
{
	for (int i = 0; i < 7; i++)
		l->payload[i] = k + (uint64_t)i;
	atomic_store_explicit(&l->number, k, memory_order_release);
}

static void get(struct bench *b, struct one_line *l, uint64_t k)
{
	uint64_t wrong = 0;

	while (atomic_load_explicit(&l->number, memory_order_acquire) != k)
		;
	for (int i = 0; i < 7; i++)
		wrong |= l->payload[i] ^ (k + (uint64_t)i);
	if (wrong)
		bench_fail(b, "line %llu is torn", (unsigned long long)k);
}

static void await_room(struct lines *l, uint64_t k)
{
	while (k > RING - QUARTER + atomic_load(&l->done))
		;
}

static void sender(struct bench *b)
{
	struct lines *l = lines(b);
	bool last = false;
	uint64_t k = 1;

	bench_meet(b);
	while (!last) {
		last = bench_sender_done(b, bench_now());
		await_room(l, k);
		if (last)
			atomic_store(&b->shared->total, k - 1 + QUARTER);
		for (unsigned i = 0; i < QUARTER; i++, k++)
			put(&l->ring[k % RING], k);
	}
	bench_end(b);
}

static void receiver(struct bench *b)
{
	struct lines *l = lines(b);
	uint64_t k = 1, first = 0;
	int64_t t0;

	bench_meet(b);
	t0 = bench_now();
	do {
		if (bench_receiver_warm(b, bench_now() - t0))
			first = k;
		for (unsigned i = 0; i < QUARTER; i++, k++)
			get(b, &l->ring[k % RING], k);
		atomic_store(&l->done, k - 1);
	} while (atomic_load(&b->shared->total) != k - 1);
	b->shared->seconds = (double)(bench_now() - b->begin) / 1e9;
	bench_end(b);
	b->shared->messages = k - first;
	b->shared->side[1].verified = k - 1;
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv, sizeof(struct lines));
	b.o.peer = "S";
	if (b.o.cpu[0] == b.o.cpu[1])
		bench_skip("two busy sides need two CPUs");
	if (bench_pair(&b, sender, receiver) != 0)
		return 1;
	bench_report(&b, "limit-stream");
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * How many messages a second pass from --count senders to as many receivers,
 * through one candidate?
 *
 * One to one is pinned apart; of more, each runs where the kernel likes.
 * The supervisor sleeps, and reads from outside what was received and what it
 * cost.  Then the senders stop, the receivers take what is left, and the books
 * must balance: for each message the receiver knows from its payload who sent
 * it and as which one; every one must have come once, and those of a sender
 * to one receiver in their order.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include "crowd.h"
#include "peers/peer.h"

#define MANY_MAX  64u
#define PER_SIDE  40	      /* bits of a key that count a sender's messages */
#define SETTLE_NS 10000000000 /* for what is left when the senders stop */

/* What one process has sent or received; written by it alone. */
struct account {
	_Alignas(64) _Atomic uint64_t count;
	uint64_t sum; /* of the mixed keys: no two sets of messages share it */
	_Atomic bool done;
};

struct books {
	_Alignas(64) _Atomic bool stop;
	struct account of[2 * MANY_MAX]; /* senders first */
};

static const struct bench_peer *peer;

static struct books *books(struct bench *b)
{
	return (struct books *)b->shared->lines;
}

/* The finaliser of splitmix64. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static void sender(struct bench *b, struct account *a)
{
	uint64_t first = (uint64_t)b->index << PER_SIDE, k = 0, sum = 0;

	while (!atomic_load_explicit(&books(b)->stop, memory_order_relaxed)) {
		bench_put(b, peer, first + k);
		sum += mix(first + k++);
	}
	a->sum = sum;
	atomic_store(&a->count, k);
	atomic_store(&a->done, true);
}

static void receiver(struct bench *b, struct account *a)
{
	uint64_t next[MANY_MAX] = { 0 }, key, k, from;

	for (uint64_t n = 1;; n++) {
		key = bench_get_any(b, peer);
		from = key >> PER_SIDE;
		k = key & ((1ull << PER_SIDE) - 1);
		if (from >= b->o.count)
			bench_fail(b, "a message of nobody: %016" PRIx64, key);
		if (k < next[from])
			bench_fail(b,
				   "message %" PRIu64 " of sender %" PRIu64
				   " came after %" PRIu64,
				   k, from, next[from] - 1);
		next[from] = k + 1;
		a->sum += mix(key);
		atomic_store_explicit(&a->count, n, memory_order_release);
	}
}

static void one_of_them(struct bench *b)
{
	struct account *a = &books(b)->of[b->index];

	b->side = b->index >= b->o.count;
	if (b->side)
		b->index -= b->o.count;
	bench_pin(b, b->o.count == 1 ? b->o.cpu[b->side] : -1);
	bench_attach(b, peer);
	atomic_fetch_add(&b->shared->ready, 1);
	while (atomic_load(&b->shared->ready) < 2 * b->o.count)
		bench_nap(100000);
	if (b->side)
		receiver(b, a);
	sender(b, a);
	for (;;)
		pause();
}

static uint64_t received(struct bench *b)
{
	uint64_t n = 0;

	for (unsigned i = b->o.count; i < 2 * b->o.count; i++)
		n += atomic_load(&books(b)->of[i].count);
	return n;
}

/* What all have sent; 0 while one of them is still at it. */
static uint64_t sent(struct bench *b)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < b->o.count; i++) {
		if (!atomic_load(&books(b)->of[i].done))
			return 0;
		n += atomic_load(&books(b)->of[i].count);
	}
	return n;
}

static void measure(struct bench *b)
{
	struct bench_cost before[2], after[2];
	uint64_t first;
	int64_t t0;

	bench_crowd_nap(b, b->o.run_ns / 5);
	for (unsigned i = 0; i < 2; i++)
		before[i] = bench_crowd_cost(b, i * b->o.count, b->o.count);
	t0 = bench_now();
	first = received(b);
	do
		bench_crowd_nap(b, b->o.run_ns * 4 / 5);
	while (received(b) == first && bench_now() - t0 < SETTLE_NS);
	b->shared->messages = received(b) - first;
	b->shared->seconds = (double)(bench_now() - t0) / 1e9;
	for (unsigned i = 0; i < 2; i++) {
		after[i] = bench_crowd_cost(b, i * b->o.count, b->o.count);
		b->shared->side[i].cpu_s = after[i].cpu_s - before[i].cpu_s;
		b->shared->side[i].switches =
			after[i].switches - before[i].switches;
	}
}

static void balance(struct bench *b)
{
	int64_t until = bench_now() + SETTLE_NS;
	uint64_t sum = 0, all = 0;

	atomic_store(&books(b)->stop, true);
	while ((all = sent(b)) == 0 || received(b) < all) {
		bench_crowd_watch(b);
		if (bench_now() > until)
			bench_fail(b,
				   "%" PRIu64 " messages were sent, %" PRIu64
				   " received",
				   all, received(b));
		bench_nap(1000000);
	}
	bench_nap(1000000); /* for one that comes twice */
	for (unsigned i = 0; i < b->o.count; i++)
		sum += books(b)->of[i].sum - books(b)->of[b->o.count + i].sum;
	if (received(b) != all || sum != 0)
		bench_fail(b,
			   "others were received than were sent: %" PRIu64
			   ", %" PRIu64,
			   received(b), all);
	b->shared->side[1].verified = all;
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv, sizeof(struct books));
	if (b.o.count < 1 || b.o.count > MANY_MAX)
		bench_skip("--count is 1 to %u", MANY_MAX);
	if (b.o.size < 8)
		bench_skip("8 bytes at least tell who sent them");
	peer = bench_peer_find(&b);
	if (b.o.count > 1 && b.o.size > peer->many_max)
		bench_skip("%s joins two processes with such messages",
			   b.o.peer);
	b.n_receivers = b.o.count;
	peer->setup(&b, 1);
	bench_crowd_start(&b, 2 * b.o.count, one_of_them);
	measure(&b);
	balance(&b);
	bench_crowd_kill();
	if (peer->teardown)
		peer->teardown(&b);
	bench_report(&b, "many");
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * How fast does one publish to --count subscribers, and what does each of them cost?
 *
 * Every process runs where the kernel likes.  The supervisor sleeps, and reads from
 * outside what was published and received.  Each subscriber checks every message
 * that it gets, and that none comes twice or out of order; where none may be left out,
 * that none is.
 */
#include <inttypes.h>
#include <unistd.h>
#include "crowd.h"
#include "peers/peer.h"

#define FAN_MAX	  64u
#define SETTLE_NS 10000000000 /* for what is left when the publisher stops */

struct account {
	_Alignas(64) _Atomic uint64_t count;
};

struct books {
	_Alignas(64) _Atomic bool stop;
	_Atomic bool done;
	struct account of[1 + FAN_MAX]; /* the publisher first */
};

static const struct bench_peer *peer;

static struct books *books(struct bench *b)
{
	return (struct books *)b->shared->lines;
}

static uint64_t published(struct bench *b)
{
	return atomic_load(&books(b)->of[0].count);
}

static uint64_t received(struct bench *b)
{
	uint64_t n = 0;

	for (unsigned i = 1; i <= b->o.count; i++)
		n += atomic_load(&books(b)->of[i].count);
	return n;
}

static void publish(struct bench *b, struct account *a)
{
	uint64_t k = 0;

	while (!atomic_load_explicit(&books(b)->stop, memory_order_relaxed)) {
		bench_put(b, peer, k);
		atomic_store_explicit(&a->count, ++k, memory_order_release);
	}
	atomic_store(&books(b)->done, true);
}

static void subscribe(struct bench *b, struct account *a)
{
	uint64_t next = 0, key;

	for (uint64_t n = 1;; n++) {
		key = bench_get_any(b, peer);
		if (key < next || (key > next && !peer->lossy))
			bench_fail(b,
				   "message %" PRIu64 " came in the place of "
				   "%" PRIu64,
				   key, next);
		next = key + 1;
		atomic_store_explicit(&a->count, n, memory_order_release);
	}
}

static void one_of_them(struct bench *b)
{
	struct account *a = &books(b)->of[b->index];

	b->side = b->index > 0;
	bench_attach(b, peer);
	atomic_fetch_add(&b->shared->ready, 1);
	while (atomic_load(&b->shared->ready) < 1 + b->o.count)
		bench_nap(100000);
	if (b->side)
		subscribe(b, a);
	publish(b, a);
	for (;;)
		pause();
}

static void measure(struct bench *b)
{
	struct bench_cost before[2], after[2];
	uint64_t sent, got;
	int64_t t0;

	bench_crowd_nap(b, b->o.run_ns / 5);
	before[0] = bench_crowd_cost(b, 0, 1);
	before[1] = bench_crowd_cost(b, 1, b->o.count);
	t0 = bench_now();
	sent = published(b);
	got = received(b);
	do
		bench_crowd_nap(b, b->o.run_ns * 4 / 5);
	while (received(b) == got && bench_now() - t0 < SETTLE_NS);
	b->shared->messages = published(b) - sent;
	b->shared->deliveries = received(b) - got;
	b->shared->seconds = (double)(bench_now() - t0) / 1e9;
	after[0] = bench_crowd_cost(b, 0, 1);
	after[1] = bench_crowd_cost(b, 1, b->o.count);
	for (unsigned i = 0; i < 2; i++) {
		b->shared->side[i].cpu_s = after[i].cpu_s - before[i].cpu_s;
		b->shared->side[i].switches =
			after[i].switches - before[i].switches;
	}
}

/* The publisher stops; where nothing is left out everybody gets the rest. */
static void balance(struct bench *b)
{
	int64_t until = bench_now() + SETTLE_NS;
	uint64_t least;

	atomic_store(&books(b)->stop, true);
	do {
		bench_crowd_watch(b);
		if (bench_now() > until)
			bench_fail(b,
				   "%" PRIu64 " messages were published, "
				   "%" PRIu64 " received by %u",
				   published(b), received(b), b->o.count);
		bench_nap(1000000);
		least = peer->lossy ? 1 : published(b) * b->o.count;
	} while (!atomic_load(&books(b)->done) || received(b) < least);
	b->shared->side[1].verified = received(b);
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv, sizeof(struct books));
	if (b.o.count < 1 || b.o.count > FAN_MAX)
		bench_skip("--count is 1 to %u", FAN_MAX);
	if (b.o.size < 8)
		bench_skip("8 bytes at least tell which message it is");
	peer = bench_peer_find(&b);
	if (!peer->broadcast)
		bench_skip("%s gives each message to one", b.o.peer);
	b.n_receivers = b.o.count;
	peer->setup(&b, 1);
	bench_crowd_start(&b, 1 + b.o.count, one_of_them);
	measure(&b);
	balance(&b);
	bench_crowd_kill();
	if (peer->teardown)
		peer->teardown(&b);
	bench_report(&b, "fan");
	return 0;
}

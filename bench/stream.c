/* SPDX-License-Identifier: MIT */
/*
 * How many messages a second flow one way, from one sender to one receiver?
 *
 * Side 0 writes and sends as fast as it is let; side 1 receives and checks.
 * The time is the receiver's, from the end of the warm-up (a fifth) to the
 * last message; the CPU is both sides'.
 */
#include "peers/peer.h"

static const struct bench_peer *peer;

static void sender(struct bench *b)
{
	unsigned often = b->o.size < 4096 ? 64 : 1;
	int64_t t0, age = 0;
	bool warm = false, last = false;

	bench_attach(b, peer);
	bench_meet(b);
	t0 = bench_now();
	for (uint64_t k = 0; !last; k++) {
		if (k % often == 0)
			age = bench_now() - t0;
		if (!warm && age > b->o.run_ns / 5) {
			warm = true;
			bench_begin(b);
		}
		last = warm && age > b->o.run_ns;
		if (last)
			atomic_store(&b->shared->total, k + 1);
		bench_put(b, peer, k);
	}
	bench_end(b);
}

static void receiver(struct bench *b)
{
	unsigned often = b->o.size < 4096 ? 64 : 1;
	int64_t t0, begin = 0;
	uint64_t k = 0, first = 0, total = 0;

	bench_attach(b, peer);
	bench_meet(b);
	t0 = bench_now();
	do {
		if (!begin && k % often == 0 &&
		    bench_now() - t0 > b->o.run_ns / 5) {
			begin = bench_now();
			first = k;
			bench_begin(b);
		}
		bench_get(b, peer, k);
		k++;
		total = atomic_load_explicit(&b->shared->total,
					     memory_order_relaxed);
	} while (total != k);
	if (!begin)
		bench_fail(b, "all %llu messages were gone before the "
			   "warm-up was over", (unsigned long long)k);
	b->shared->seconds = (double)(bench_now() - begin) / 1e9;
	bench_end(b);
	b->shared->messages = k - first;
}

int main(int argc, char **argv)
{
	struct bench b;
	int status;

	bench_init(&b, argc, argv, 0);
	peer = bench_peer_find(&b);
	peer->setup(&b, 1);
	status = bench_pair(&b, sender, receiver);
	if (peer->teardown)
		peer->teardown(&b);
	if (status == 0)
		bench_report(&b, "stream");
	return status;
}

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
	bool last = false;

	bench_attach(b, peer);
	bench_meet(b);
	for (uint64_t k = 0; !last; k++) {
		last = k % often == 0 && bench_sender_done(b, bench_now());
		if (last)
			atomic_store(&b->shared->total, k + 1);
		bench_put(b, peer, k);
	}
	bench_end(b);
	bench_detach(b, peer);
}

static void receiver(struct bench *b)
{
	unsigned often = b->o.size < 4096 ? 64 : 1;
	uint64_t k = 0, first = 0;
	int64_t t0;

	bench_attach(b, peer);
	bench_meet(b);
	t0 = bench_now();
	do {
		if (k % often == 0 && bench_receiver_warm(b, bench_now() - t0))
			first = k;
		bench_get(b, peer, k);
		k++;
	} while (atomic_load_explicit(&b->shared->total,
				      memory_order_relaxed) != k);
	b->shared->seconds = (double)(bench_now() - b->begin) / 1e9;
	bench_end(b);
	b->shared->messages = k - first;
	bench_detach(b, peer);
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

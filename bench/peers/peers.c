/* SPDX-License-Identifier: MIT */
/*
 * The table of candidates, and a message's way through any of them.
 */
#include <stdlib.h>
#include <string.h>
#include "peer.h"

static const struct bench_peer *const peers[] = {
	&bench_peer_mailbox,
	&bench_peer_pipe,
	&bench_peer_seqpacket,
	&bench_peer_mq,
	NULL,
};

static void *buffer; /* this side's own */

const struct bench_peer *bench_peer_find(struct bench *b)
{
	for (size_t i = 0; peers[i]; i++) {
		if (strcmp(peers[i]->name, b->o.peer) != 0)
			continue;
		if (b->o.in_place && !peers[i]->loan)
			bench_skip("%s always copies", b->o.peer);
		return peers[i];
	}
	bench_fail(b, "there is no candidate %s", b->o.peer);
}

void bench_attach(struct bench *b, const struct bench_peer *p)
{
	if (posix_memalign(&buffer, 64, b->o.size) != 0)
		bench_fail(b, "no memory");
	memset(buffer, 0, b->o.size);
	if (p->attach)
		p->attach(b);
}

void bench_put(struct bench *b, const struct bench_peer *p, uint64_t key)
{
	int way = b->side;

	if (b->o.in_place) {
		bench_fill(b, p->loan(b, way), b->o.size, key);
		p->commit(b, way);
	} else {
		bench_fill(b, buffer, b->o.size, key);
		p->send(b, way, buffer);
	}
}

void bench_get(struct bench *b, const struct bench_peer *p, uint64_t key)
{
	int way = !b->side;

	if (b->o.in_place) {
		bench_check(b, p->take(b, way), b->o.size, key);
		p->release(b, way);
	} else {
		p->recv(b, way, buffer);
		bench_check(b, buffer, b->o.size, key);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * The table of candidates, and a message's way through any of them.
 */
#include <stdlib.h>
#include <string.h>
#include "peer.h"

/* peers_found.h is made by meson.build: what was built, and what was not. */
#include "peers_found.h"

#define DECLARE(id)	     extern const struct bench_peer bench_peer_##id;
#define POINT(id)	     &bench_peer_##id,
#define MISSING(id, package) { #id, package },

BENCH_PEERS(DECLARE)

static const struct bench_peer *const peers[] = { BENCH_PEERS(POINT) NULL };

static const struct {
	const char *name, *package;
} absent[] = { BENCH_PEERS_ABSENT(MISSING){ NULL, NULL } };

static void *buffer; /* this side's own */

unsigned bench_depth(const struct bench *b)
{
	size_t fit = (1u << 20) / b->o.size;

	return fit > 1024 ? 1024 : fit < 8 ? 8 : (unsigned)fit;
}

const struct bench_peer *bench_peer_find(struct bench *b)
{
	for (size_t i = 0; peers[i]; i++) {
		if (strcmp(peers[i]->name, b->o.peer) != 0)
			continue;
		if (b->o.in_place && !peers[i]->loan)
			bench_skip("%s always copies", b->o.peer);
		return peers[i];
	}
	for (size_t i = 0; absent[i].name; i++)
		if (strcmp(absent[i].name, b->o.peer) == 0)
			bench_skip("not built: there was no %s",
				   absent[i].package);
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

void bench_detach(struct bench *b, const struct bench_peer *p)
{
	bench_leave(b);
	if (p->detach)
		p->detach(b);
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

static const void *receive(struct bench *b, const struct bench_peer *p)
{
	if (b->o.in_place)
		return p->take(b, !b->side);
	p->recv(b, !b->side, buffer);
	return buffer;
}

static void done(struct bench *b, const struct bench_peer *p)
{
	if (b->o.in_place)
		p->release(b, !b->side);
}

void bench_get(struct bench *b, const struct bench_peer *p, uint64_t key)
{
	bench_check(b, receive(b, p), b->o.size, key);
	done(b, p);
}

uint64_t bench_get_any(struct bench *b, const struct bench_peer *p)
{
	const void *data = receive(b, p);
	uint64_t key = bench_key(data);

	bench_check(b, data, b->o.size, key);
	done(b, p);
	return key;
}

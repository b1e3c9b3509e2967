/* SPDX-License-Identifier: MIT */
/*
 * The payload: 64-bit word i of message k is k * GOLDEN + i, so a stale, torn
 * or moved message is seen.  Both loops are a plain pass over the bytes, as
 * cheap as memory allows, for they run inside the measured part: a transfer
 * whose payload nobody touches is not a transfer.
 */
#include <inttypes.h>
#include <string.h>
#include "bench.h"

#define GOLDEN	       0x9e3779b97f4a7c15u
#define GOLDEN_INVERSE 0xf1de83e19937733du /* modulo 2^64 */
/*
 * Two words: what every 64-bit machine has registers for.  Four of them are
 * kept in names of their own, for gcc 12 at -O2 spills an array of them.
 */
typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));

struct line {
	pair a, b, c, d; /* words 0,1 2,3 4,5 6,7 */
};

static uint64_t word(uint64_t key, size_t i)
{
	return key * GOLDEN + i;
}

static struct line first_line(uint64_t key)
{
	uint64_t w = word(key, 0);

	return (struct line){ { w, w + 1 },
			      { w + 2, w + 3 },
			      { w + 4, w + 5 },
			      { w + 6, w + 7 } };
}

/* Whole lines only; returns how many bytes that was. */
static size_t fill_lines(unsigned char *p, size_t len, uint64_t key)
{
	struct line v = first_line(key);
	size_t i;

	for (i = 0; i + sizeof v <= len; i += sizeof v) {
		pair *to = (pair *)(p + i);

		to[0] = v.a;
		to[1] = v.b;
		to[2] = v.c;
		to[3] = v.d;
		v.a += 8;
		v.b += 8;
		v.c += 8;
		v.d += 8;
	}
	return i;
}

/* The same, reading; *wrong gets every bit that is not as written. */
static size_t check_lines(const unsigned char *p, size_t len, uint64_t key,
			  uint64_t *wrong)
{
	struct line v = first_line(key);
	pair a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
	size_t i;

	for (i = 0; i + sizeof v <= len; i += sizeof v) {
		const pair *from = (const pair *)(p + i);

		a |= from[0] ^ v.a;
		b |= from[1] ^ v.b;
		c |= from[2] ^ v.c;
		d |= from[3] ^ v.d;
		v.a += 8;
		v.b += 8;
		v.c += 8;
		v.d += 8;
	}
	a |= b | c | d;
	*wrong = a[0] | a[1];
	return i;
}

void bench_fill(struct bench *b, void *data, size_t len, uint64_t key)
{
	unsigned char *p = data;
	size_t i = fill_lines(p, len, key);
	uint64_t w;

	for (; i + 8 <= len; i += 8) {
		w = word(key, i / 8);
		memcpy(p + i, &w, 8);
	}
	w = word(key, i / 8);
	memcpy(p + i, &w, len - i);
	if (b->o.damage && key == 1)
		p[len / 2] ^= 1;
}

/* The slow path: find the word that is wrong and say so. */
static void complain(struct bench *b, const unsigned char *p, size_t len,
		     uint64_t key)
{
	uint64_t have = 0, want = 0;
	size_t i;

	for (i = 0; i < len; i += 8) {
		size_t n = len - i < 8 ? len - i : 8;

		have = want = 0;
		memcpy(&have, p + i, n);
		want = word(key, i / 8);
		if (memcmp(p + i, &want, n) != 0)
			break;
	}
	bench_fail(b,
		   "payload of message %" PRIu64 " is wrong at byte %zu of "
		   "%zu: %016" PRIx64 " instead of %016" PRIx64,
		   key, i, len, have, want);
}

uint64_t bench_key(const void *data)
{
	uint64_t w;

	memcpy(&w, data, sizeof w);
	return w * GOLDEN_INVERSE;
}

void bench_check(struct bench *b, const void *data, size_t len, uint64_t key)
{
	const unsigned char *p = data;
	uint64_t wrong, w;
	size_t i = check_lines(p, len, key, &wrong);

	for (; i + 8 <= len; i += 8) {
		memcpy(&w, p + i, 8);
		wrong |= w ^ word(key, i / 8);
	}
	w = word(key, i / 8);
	if (wrong || memcmp(p + i, &w, len - i) != 0)
		complain(b, p, len, key);
	b->verified++;
}

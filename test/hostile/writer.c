/* SPDX-License-Identifier: MIT */
/*
 * The writes.  Half of them go to the words on which everything rests, the
 * others anywhere; what is written is random, or looks like what belongs there:
 * a word from elsewhere in the segment, an owner, a state, a length, a position
 * that is a little or far off.
 */
#include "hostile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* doc/format.md */
#define CONTROL	    4096
#define RECORDS	    8192
#define RECORD	    256
#define HOT_RECORDS 128
#define HOT_BYTES   32
#define SLOT	    128
#define HOT_SLOTS   16

/*
 * What a write makes final: a mailbox that is closed, removed, or of another
 * geometry, a registry that is retired.  And the high-water marks, since what is
 * above one that was lowered nobody may look at.  Not written when it is to heal.
 */
struct range {
	uint64_t from, to;
};
static const struct range final_words[TARGETS][4] = {
	[MAILBOX] = { { 0, CONTROL },
		      { CONTROL + 268, CONTROL + 272 },
		      { CONTROL + 384, CONTROL + 448 },
		      { CONTROL + 560, CONTROL + 568 } },
	[REGISTRY] = { { 0, CONTROL }, { CONTROL + 140, CONTROL + 144 } },
};

struct writer {
	uint8_t *base;
	uint64_t size, dice;
	enum target target;
	bool all;
};

static uint64_t draw(struct writer *w, uint64_t n)
{
	w->dice ^= w->dice << 13;
	w->dice ^= w->dice >> 7;
	w->dice ^= w->dice << 17;
	return (w->dice >> 11) % n;
}

static uint64_t hot_place(struct writer *w)
{
	if (draw(w, 3) == 0)
		return CONTROL + draw(w, w->target == MAILBOX ? 600 : 160);
	if (w->target == REGISTRY)
		return RECORDS + draw(w, HOT_SLOTS * SLOT);
	return RECORDS + draw(w, HOT_RECORDS) * RECORD + draw(w, HOT_BYTES);
}

static uint64_t place(struct writer *w)
{
	uint64_t at = draw(w, 2) ? hot_place(w) : draw(w, w->size);

	return at < w->size ? at : w->size - 1;
}

static bool is_final(const struct writer *w, uint64_t at, uint64_t n)
{
	const struct range *r = final_words[w->target];

	for (int i = 0; i < 4; i++)
		if (at < r[i].to && at + n > r[i].from)
			return true;
	return false;
}

static uint64_t word_at(const struct writer *w, uint64_t at)
{
	return __atomic_load_n((uint64_t *)(w->base + at), __ATOMIC_RELAXED);
}

/* A chunk word of a generation near the one that is there. */
static uint64_t like_a_word(struct writer *w, uint64_t now)
{
	uint64_t gen = (now >> 28) + draw(w, 3) - 1;

	return gen << 28 | draw(w, 6) << 24 | draw(w, 12) << 8 | draw(w, 3);
}

static uint64_t value(struct writer *w, uint64_t at)
{
	uint64_t now = word_at(w, at);

	switch (draw(w, 12)) {
	case 0: return 0;
	case 1: return ~0ull;
	case 2: return now + draw(w, 5) - 2;
	case 3: return now ^ 1ull << draw(w, 64);
	case 4: return 1ull << draw(w, 64);
	case 5: return (1ull << draw(w, 64)) - 1;
	case 6: return word_at(w, (at >= RECORD ? at - RECORD : at) & ~7ull);
	case 7: return word_at(w, draw(w, w->size - 8) & ~7ull);
	case 8: return like_a_word(w, now);
	case 9: return now | 1ull << 63; /* a FULL cell */
	case 10: return draw(w, 1 << 16);
	default: return draw(w, ~0ull);
	}
}

static void write_once(struct writer *w)
{
	uint64_t at = place(w), n = draw(w, 4), v;

	n = n == 0 ? 1 : n == 1 ? 4 : 8;
	at &= ~(n - 1);
	if (at + 8 > w->size || (!w->all && is_final(w, at, n)))
		return;
	v = value(w, at & ~7ull);
	if (n == 1)
		__atomic_store_n(w->base + at, (uint8_t)v, __ATOMIC_RELAXED);
	else if (n == 4)
		__atomic_store_n((uint32_t *)(w->base + at), (uint32_t)v,
				 __ATOMIC_RELAXED);
	else
		__atomic_store_n((uint64_t *)(w->base + at), v,
				 __ATOMIC_RELAXED);
}

/* From one write to 2^16 at full speed, and a pause in which others get on. */
static uint64_t burst(struct writer *w, uint64_t left)
{
	struct timespec pause = { 0, (long)draw(w, 2000000) };
	uint64_t n = 1ull << draw(w, 17);

	n = n < left ? n : left;
	for (uint64_t i = 0; i < n; i++)
		write_once(w);
	__atomic_fetch_add(&board->writes, n, __ATOMIC_RELAXED);
	nanosleep(&pause, NULL);
	return n;
}

void write_anything(const char *path, enum target target, bool all, uint64_t n,
		    unsigned seed)
{
	struct writer w = { .dice = seed * 0x9e3779b97f4a7c15ull | 1,
			    .target = target,
			    .all = all };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		violate("the writer cannot open %s", path);
		return;
	}
	w.size = (uint64_t)st.st_size;
	w.base = mmap(NULL, w.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (w.base == MAP_FAILED) {
		violate("the writer cannot map %s", path);
		return;
	}
	while (n > 0)
		n -= burst(&w, n);
	munmap(w.base, w.size);
	close(fd);
}

/* SPDX-License-Identifier: MIT */
/*
 * The messages of `ferry probe`.  A message carries its number three times, so that the
 * number of one with a flipped bit is known, and a checksum over all of it.
 */
#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include "report.h"

#define MAGIC 0x45424f5250594646u

struct head {
	uint64_t magic, run;
	uint64_t number[3];
	uint64_t count;
	int64_t sent_at; /* CLOCK_MONOTONIC */
	uint64_t check;
};
_Static_assert(sizeof(struct head) == PROBE_LEAST, "the head of a message");

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 33) * 0xff51afd7ed558ccdu;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53u;
	return x ^ x >> 33;
}

/* FNV-1a, of bytes. */
static uint64_t hash(uint64_t h, const unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ data[i]) * 0x100000001b3u;
	return h;
}

static uint64_t check_of(const void *buf, size_t len)
{
	const unsigned char *bytes = buf;
	size_t before = offsetof(struct head, check);
	uint64_t h = hash(0xcbf29ce484222325u, bytes, before);

	return hash(h, bytes + PROBE_LEAST, len - PROBE_LEAST);
}

void probe_write(const struct probe *p, void *buf, uint64_t number)
{
	struct head h = { .magic = MAGIC,
			  .run = mix(p->seed + 1),
			  .number = { number, number, number },
			  .count = p->count };
	unsigned char *rest = (unsigned char *)buf + PROBE_LEAST;

	for (uint64_t i = 0; i < p->size - PROBE_LEAST; i++)
		rest[i] = (unsigned char)(mix(number + h.run) >> i % 8 * 8);
	h.sent_at = ferry_after(0);
	memcpy(buf, &h, sizeof h);
	h.check = check_of(buf, p->size);
	memcpy(buf, &h, sizeof h);
}

/* --- judging ------------------------------------------------------------------ */

struct probe_judge {
	const struct probe *p;
	uint64_t run, newest;
	ferry_time first, last;
	struct probe_counts counts;
	unsigned char *seen; /* of each number */
	uint32_t *latency;   /* us, of those that came whole */
	uint64_t n_latency, n_seen;
};

struct probe_judge *probe_judge_new(const struct probe *p)
{
	struct probe_judge *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->p = p;
	j->run = mix(p->seed + 1);
	j->n_seen = p->count;
	j->seen = calloc(1, p->count);
	j->latency = calloc(p->count, sizeof *j->latency);
	if (j->seen && j->latency)
		return j;
	probe_judge_free(j);
	return NULL;
}

void probe_judge_free(struct probe_judge *j)
{
	if (!j)
		return;
	free(j->seen);
	free(j->latency);
	free(j);
}

static uint64_t vote(const uint64_t n[3])
{
	return n[0] == n[1] || n[0] == n[2] ? n[0] : n[1];
}

static bool is_near(uint64_t a, uint64_t b)
{
	return __builtin_popcountll(a ^ b) <= 1;
}

static void count_one(struct probe_judge *j, const struct head *h, bool whole)
{
	uint64_t number = vote(h->number);
	int64_t now = ferry_after(0), took = now - h->sent_at;

	if (j->counts.received++ == 0)
		j->first = now;
	j->last = now;
	j->counts.damaged += !whole;
	if (j->seen[number]) {
		j->counts.doubled++;
	} else {
		j->seen[number] = 1;
		j->counts.distinct++;
		j->counts.reordered += number < j->newest;
	}
	if (number > j->newest)
		j->newest = number;
	if (whole && j->n_latency < j->n_seen)
		j->latency[j->n_latency++] = took < 0 ? 0 :
					     took / 1000 > UINT32_MAX ?
							UINT32_MAX :
							(uint32_t)(took / 1000);
}

bool probe_judge(struct probe_judge *j, const void *buf, size_t len)
{
	struct head h;
	bool whole;

	if (len != j->p->size) {
		j->counts.foreign++;
		return false;
	}
	memcpy(&h, buf, sizeof h);
	whole = h.check == check_of(buf, len);
	if (whole ? h.magic != MAGIC || h.run != j->run :
		    !is_near(h.magic, MAGIC) || !is_near(h.run, j->run)) {
		j->counts.foreign++;
		return false;
	}
	if (whole && h.count <= PROBE_COUNT_MAX)
		j->counts.announced = h.count;
	if (vote(h.number) < j->n_seen)
		count_one(j, &h, whole);
	else if (vote(h.number) != j->p->count)
		j->counts.foreign++;
	return whole && vote(h.number) == h.count;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void probe_judge_counts(struct probe_judge *j, struct probe_counts *out)
{
	uint64_t n = j->n_latency;
	int64_t took = j->last - j->first;

	*out = j->counts;
	if (took > 0)
		out->rate = (uint64_t)((double)(out->received - 1) * 1e9 /
				       (double)took);
	if (n == 0)
		return;
	qsort(j->latency, n, sizeof *j->latency, compare);
	out->p50 = j->latency[(n - 1) / 2];
	out->p99 = j->latency[(n - 1) * 99 / 100];
	out->max = j->latency[n - 1];
}

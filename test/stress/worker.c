/* SPDX-License-Identifier: MIT */
/*
 * What the storm kills: senders and receivers that do everything a program
 * does with a mailbox, and write it down.
 */
#include "storm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ferry.h>

#include "payload.h"

#define LARGEST 20000

uint64_t storm_hash(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ x >> 33;
}

/* Mostly small ones, some that need a pool, a few large ones. */
unsigned long storm_size(uint64_t id)
{
	uint64_t h = storm_hash(id);

	if (h % 64 == 0)
		return PAYLOAD_MIN + (h >> 8) % (LARGEST - PAYLOAD_MIN);
	if (h % 8 == 0)
		return PAYLOAD_MIN + (h >> 8) % 3000;
	return PAYLOAD_MIN + (h >> 8) % 100;
}

static void refused(struct storm *s, const char *call, int err)
{
	if (__atomic_fetch_add(&s->refused, 1, __ATOMIC_SEQ_CST) == 0)
		snprintf(s->first, sizeof(s->first), "%s said %s", call,
			 ferry_error_name(err));
}

static struct ferry_link *attach(struct storm *s)
{
	struct ferry_link *box = NULL;
	int err = ferry_open(&box, STORM_BOX, FERRY_DUPLEX);

	if (err)
		refused(s, "open", err);
	return box;
}

static int send_in_place(struct ferry_link *box, uint64_t id, size_t size)
{
	struct ferry_message m;
	int err = ferry_loan(box, size, &m, FERRY_FOREVER);

	if (err)
		return err;
	payload_fill(m.data, size, (long)id);
	return ferry_commit(&m, FERRY_FOREVER);
}

int storm_sender(struct storm *s, unsigned seed)
{
	static unsigned char buf[LARGEST];
	struct ferry_link *box = attach(s);

	while (box && !__atomic_load_n(&s->stop, __ATOMIC_SEQ_CST)) {
		uint64_t id = __atomic_fetch_add(&s->next, 1, __ATOMIC_RELAXED);
		size_t size = storm_size(id);
		int err;

		if (id >= STORM_IDS)
			break;
		if (rand_r(&seed) % 4 == 0) {
			err = send_in_place(box, id, size);
		} else {
			payload_fill(buf, size, (long)id);
			err = ferry_send(box, buf, size, FERRY_FOREVER);
		}
		if (err)
			refused(s, "send", err);
		else
			__atomic_fetch_or(&s->mark[id], MARK_ACCEPTED,
					  __ATOMIC_SEQ_CST);
	}
	ferry_close(box);
	return 0;
}

void storm_deliver(struct storm *s, const struct ferry_message *m)
{
	int64_t id = -1;
	uint8_t before;

	if (m->len >= PAYLOAD_MIN)
		memcpy(&id, m->data, sizeof(id));
	if (id < 0 || id >= STORM_IDS ||
	    payload_check(m->data, m->len, storm_size((uint64_t)id)) != id) {
		__atomic_fetch_add(&s->damaged, 1, __ATOMIC_SEQ_CST);
		return;
	}
	before = __atomic_fetch_or(&s->mark[id], MARK_DELIVERED,
				   __ATOMIC_SEQ_CST);
	if (before & MARK_ACKED)
		__atomic_fetch_add(&s->after_ack, 1, __ATOMIC_SEQ_CST);
	else if ((before & MARK_DELIVERED) && !m->redelivered)
		__atomic_fetch_add(&s->unmarked, 1, __ATOMIC_SEQ_CST);
	if (m->redelivered)
		__atomic_fetch_add(&s->redelivered, 1, __ATOMIC_RELAXED);
}

/* Release it, or now and then give it back. */
static void finish(struct storm *s, struct ferry_message *m, unsigned *seed)
{
	int64_t id = *(int64_t *)m->data;
	int err;

	if (rand_r(seed) % 64 == 0) {
		err = ferry_requeue(m, rand_r(seed) % 2 ? 0 : FERRY_MS(1));
		if (err)
			refused(s, "requeue", err);
		return;
	}
	err = ferry_release(m);
	if (err)
		refused(s, "release", err);
	else if (id >= 0 && id < STORM_IDS)
		__atomic_fetch_or(&s->mark[id], MARK_ACKED, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&s->received, 1, __ATOMIC_SEQ_CST);
}

int storm_receiver(struct storm *s, unsigned seed)
{
	struct ferry_link *box = attach(s);
	struct ferry_message m;

	while (box) {
		int err = ferry_take(box, &m, FERRY_FOREVER);

		if (err) {
			refused(s, "take", err);
			break;
		}
		storm_deliver(s, &m);
		finish(s, &m, &seed);
	}
	ferry_close(box);
	return 0;
}

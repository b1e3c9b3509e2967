/* SPDX-License-Identifier: MIT */
/* A ring without capacity: messages from hand to hand. */
#include "shm/ring.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "unit.h"

#define SLOTS 16u

static struct ferryi_ring_shared shared_part;
static _Alignas(64) uint8_t slots[SLOTS * FERRYI_SLOT];
static uint64_t bits[2][1];
static struct ferryi_ring sender, receiver;

static void setup(void)
{
	memset(&shared_part, 0, sizeof shared_part);
	memset(slots, 0, sizeof slots);
	memset(bits, 0, sizeof bits);
	ferryi_ring_attach(&sender, &shared_part, slots, SLOTS, bits[0]);
	ferryi_ring_attach(&receiver, &shared_part, slots, SLOTS, bits[1]);
	sender.hand_to_hand = receiver.hand_to_hand = true;
}

static void lend(uint64_t number, uint64_t len)
{
	void *place;

	ck_assert_int_eq(ferryi_ring_loan(&sender, len, &place), 0);
	memset(place, (int)(number % 251), len);
}

static int take(struct ferryi_ring_message *m)
{
	return ferryi_ring_take(&receiver, UINT32_MAX, m);
}

static void is(const struct ferryi_ring_message *m, uint64_t number,
	       uint64_t len)
{
	const uint8_t *byte = m->data;

	ck_assert_uint_eq(m->len, len);
	for (uint64_t i = 0; i < len; i++)
		ck_assert_uint_eq(byte[i], number % 251);
}

START_TEST(an_offer_is_accepted_when_it_is_taken)
{
	struct ferryi_ring_message m;

	for (uint64_t i = 0; i < 500; i++) {
		uint64_t len = i * 7 % (ferryi_ring_largest(SLOTS) + 1);

		lend(i, len);
		ck_assert_int_eq(ferryi_ring_offer(&sender, len), -EAGAIN);
		ck_assert_int_eq(ferryi_ring_offer(&sender, len), -EAGAIN);
		ck_assert_int_eq(take(&m), 0);
		is(&m, i, len);
		ck_assert_int_eq(take(&m),
				 -EAGAIN); /* there is one at a time */
		ck_assert_int_eq(ferryi_ring_offer(&sender, len), 0);
		ck_assert_int_eq(ferryi_ring_offer(&sender, len), -ESTALE);
		ferryi_ring_end_all(&receiver);
	}
}
END_TEST

/* At each place of the ring, the PAD at its end among them. */
START_TEST(what_was_withdrawn_was_never_sent)
{
	struct ferryi_ring_message m, old;

	for (uint64_t i = 0; i < 500; i++) {
		uint64_t len = i * 7 % (ferryi_ring_largest(SLOTS) + 1);

		lend(i, len);
		ck_assert_int_eq(ferryi_ring_offer(&sender, len), -EAGAIN);
		ck_assert_int_eq(ferryi_ring_next(&receiver, &old), 0);
		ck_assert(ferryi_ring_withdraw(&sender));
		ck_assert_int_eq(ferryi_ring_take_this(&receiver, &old),
				 -EAGAIN);
		ck_assert_int_eq(take(&m), -EAGAIN);
		if (i % 3 == 0) {
			ferryi_ring_abandon(&sender);
			lend(i + 1, len / 2);
		}
		ck_assert_int_eq(ferryi_ring_offer(&sender, len / 2), -EAGAIN);
		ck_assert_int_eq(take(&m), 0);
		is(&m, i % 3 ? i : i + 1, len / 2);
		ck_assert(!ferryi_ring_withdraw(&sender));
		ck_assert_int_eq(ferryi_ring_offer(&sender, len), -ESTALE);
		ferryi_ring_end_all(&receiver);
	}
}
END_TEST

static bool asks_for_room(struct ferryi_ring *r, uint64_t len)
{
	ferryi_ring_ask_room(r);
	return ferryi_ring_has_room(r, len);
}

START_TEST(who_waits_for_a_hand_is_told_once)
{
	struct ferryi_ring_message m;

	lend(1, 10);
	ferryi_ring_offer(&sender, 10);
	ck_assert(!asks_for_room(&sender, 10));
	ck_assert_int_eq(take(&m), 0);
	ck_assert(ferryi_ring_lower_room(&receiver));
	ck_assert(!ferryi_ring_lower_room(&receiver));
	ck_assert(asks_for_room(&sender, 10));
}
END_TEST

/* --- two threads -------------------------------------------------------------- */

#define ROUNDS 200000u

static uint64_t sent_sum, got_sum;
static bool over;

static void *receive(void *arg)
{
	struct ferryi_ring_message m;
	uint64_t last = 0, value;

	for (;;) {
		bool last_look = __atomic_load_n(&over, __ATOMIC_SEQ_CST);

		if (take(&m) != 0) {
			if (last_look)
				return arg;
			continue;
		}
		memcpy(&value, m.data, sizeof value);
		ck_assert_uint_gt(value, last);
		last = value;
		got_sum += value;
		ferryi_ring_end_all(&receiver);
	}
}

/* Each is withdrawn soon; what was taken first was sent, and nothing else. */
START_TEST(taken_or_withdrawn_and_both_sides_know_which)
{
	pthread_t thread;
	uint64_t taken = 0;
	void *place;
	int r;

	ck_assert_int_eq(pthread_create(&thread, NULL, receive, NULL), 0);
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		while (ferryi_ring_loan(&sender, 8, &place) == -EAGAIN)
			;
		memcpy(place, &i, sizeof i);
		r = ferryi_ring_offer(&sender, 8);
		for (unsigned k = 0; r && k < i % 200; k++)
			r = ferryi_ring_offer(&sender, 8);
		if (r == 0 || !ferryi_ring_withdraw(&sender)) {
			sent_sum += i;
			taken++;
		} else {
			ferryi_ring_abandon(&sender);
		}
	}
	__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(sent_sum, got_sum);
	ck_assert_uint_gt(taken, 0);
	ck_assert_uint_lt(taken, ROUNDS);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("ring from hand to hand");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, an_offer_is_accepted_when_it_is_taken);
	tcase_add_test(t, what_was_withdrawn_was_never_sent);
	tcase_add_test(t, who_waits_for_a_hand_is_told_once);
	tcase_add_test(t, taken_or_withdrawn_and_both_sides_know_which);
	return unit_main(t, "ring_hand");
}

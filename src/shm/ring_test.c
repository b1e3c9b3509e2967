/* SPDX-License-Identifier: MIT */
/* The ring of one sender and one receiver, in private memory. */
#include "shm/ring.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define SLOTS 16u
#define WORDS (FERRYI_SLOT / 8)

static struct ferryi_ring_shared shared_part;
static uint64_t slots[64 * WORDS];
static uint64_t sent_bits[1], taken_bits[1];
static struct ferryi_ring sender, receiver;

static void setup_of(uint64_t n)
{
	ck_assert_uint_le(n, 64);
	memset(&shared_part, 0, sizeof shared_part);
	memset(slots, 0, sizeof slots);
	sent_bits[0] = taken_bits[0] = 0;
	ferryi_ring_attach(&sender, &shared_part, slots, n, sent_bits);
	ferryi_ring_attach(&receiver, &shared_part, slots, n, taken_bits);
}

static void setup_ring(void)
{
	setup_of(SLOTS);
}

static uint64_t dice = 88172645463325252ull;

static uint64_t roll(uint64_t sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice % sides;
}

/* --- one after the other ------------------------------------------------------ */

/* A message of `len` bytes whose every byte tells its number. */
static int put(unsigned number, uint64_t len)
{
	void *place;
	int r = ferryi_ring_loan(&sender, len, &place);

	if (r)
		return r;
	memset(place, (int)(number % 251), len);
	return ferryi_ring_commit(&sender, len, false);
}

static void see(const struct ferryi_ring_message *m, unsigned number,
		uint64_t len)
{
	const uint8_t *byte = m->data;
	uint64_t right = 0;

	ck_assert_uint_eq(m->len, len);
	while (right < len && byte[right] == number % 251)
		right++;
	ck_assert_uint_eq(right,
			  len); /* one assertion: each is a system call */
}

static void get(unsigned number, uint64_t len)
{
	struct ferryi_ring_message m;

	ok(ferryi_ring_take(&receiver, UINT32_MAX, &m));
	see(&m, number, len);
	ferryi_ring_end(&receiver, m.at);
}

START_TEST(messages_come_once_whole_and_in_order)
{
	struct ferryi_ring_message m;

	for (unsigned i = 0; i < 1000; i++) {
		uint64_t len = i % 3 ? i % 200 :
				       i % (ferryi_ring_largest(SLOTS) + 1);

		ok(put(i, len));
		get(i, len);
	}
	ck_assert_int_eq(ferryi_ring_take(&receiver, 10, &m), -EAGAIN);
}
END_TEST

START_TEST(all_that_was_taken_is_ended_at_once)
{
	struct ferryi_ring_message m[3];

	for (unsigned i = 0; i < 300; i++) {
		for (unsigned k = 0; k < 3; k++)
			ok(put(k, i % 150));
		for (unsigned k = 0; k < 3; k++) {
			ok(ferryi_ring_take(&receiver, UINT32_MAX, &m[k]));
			see(&m[k], k, i % 150);
		}
		if (i % 2)
			ferryi_ring_end_all(&receiver);
		else
			for (unsigned k = 3; k-- > 0;)
				ferryi_ring_end(&receiver, m[k].at);
	}
	ok(put(0, ferryi_ring_largest(SLOTS)));
}
END_TEST

START_TEST(a_ring_takes_what_fits_and_no_more)
{
	unsigned n = 0;

	while (put(n, 8) == 0)
		n++;
	ck_assert_uint_eq(n, SLOTS - 1);
	ck_assert_int_eq(put(n, 0), -EAGAIN);
	get(0, 8);
	ok(put(n, 8));
	ck_assert_int_eq(put(n, 8), -EAGAIN);
}
END_TEST

/* Wherever the next one begins. */
START_TEST(the_largest_message_fits_into_an_empty_ring)
{
	uint64_t largest = ferryi_ring_largest(SLOTS);

	ck_assert_int_eq(put(0, largest + 1), -EMSGSIZE);
	for (unsigned i = 0; i < 3 * SLOTS; i++) {
		ok(put(i, largest));
		get(i, largest);
		ok(put(i, 1));
		get(i, 1);
	}
}
END_TEST

START_TEST(what_is_too_long_for_the_receiver_stays_the_next_one)
{
	struct ferryi_ring_message m;

	ok(put(1, 100));
	ck_assert_int_eq(ferryi_ring_take(&receiver, 99, &m), -EMSGSIZE);
	ck_assert_uint_eq(m.len, 100);
	get(1, 100);
}
END_TEST

START_TEST(a_loan_is_one_at_a_time_and_may_be_given_back_or_cut)
{
	void *place;

	ok(ferryi_ring_loan(&sender, 500, &place));
	ck_assert_int_eq(ferryi_ring_loan(&sender, 1, &place), -EBUSY);
	ferryi_ring_abandon(&sender);
	ck_assert_int_eq(ferryi_ring_commit(&sender, 1, false), -ESTALE);
	for (unsigned i = 0; i < 100; i++) {
		ok(ferryi_ring_loan(&sender, 400, &place));
		memset(place, (int)i, 20);
		ok(ferryi_ring_commit(&sender, 20, false));
		get(i, 20);
	}
}
END_TEST

/* --- what looks like a word ---------------------------------------------------- */

/* In which a word counts its position, seen in two of them. */
static uint64_t tag_unit(void)
{
	uint64_t unit;

	ok(put(0, 8));
	ok(put(0, 8));
	unit = slots[0] ^ slots[WORDS];
	setup_ring();
	return unit;
}

/* Each word of the payload says that a message begins there, one lap later, two,
 * or before it: R2 must not depend on what people send. */
static void lie(uint64_t *place, uint64_t len, uint64_t laps, uint64_t unit)
{
	uint64_t begin = (uint64_t)((uint8_t *)place - (uint8_t *)slots) / 64;
	uint64_t turn = sender.at / SLOTS + laps;

	for (uint64_t i = 0; i < len / 8; i++)
		place[i] = UINT64_C(1) << 63 |
			   (turn * SLOTS + (begin + (i + 1) / WORDS) % SLOTS) *
				   unit |
			   8;
}

START_TEST(no_payload_is_taken_for_a_message)
{
	uint64_t unit = tag_unit();
	struct ferryi_ring_message m;
	void *place;

	for (unsigned i = 0; i < 200000; i++) {
		uint64_t len = roll(ferryi_ring_largest(SLOTS) / 8 + 1) * 8;

		if (ferryi_ring_loan(&sender, len, &place) == 0) {
			lie(place, len, i % 3, unit);
			ok(ferryi_ring_commit(&sender, len, false));
			ok(ferryi_ring_take(&receiver, UINT32_MAX, &m));
			ck_assert_uint_eq(m.len, len);
			ck_assert_ptr_eq(m.data, place);
			ferryi_ring_end(&receiver, m.at);
		}
		ck_assert_int_eq(ferryi_ring_take(&receiver, UINT32_MAX, &m),
				 -EAGAIN);
	}
}
END_TEST

static void jump(uint64_t by)
{
	sender.at += by;
	sender.head += by;
	receiver.at += by;
	receiver.head += by;
	shared_part.head += by;
}

/* A word that was left out by a PAD, until its tag comes round again. */
START_TEST(an_old_word_is_not_taken_for_one_of_a_later_age)
{
	struct ferryi_ring_message m;
	unsigned i;

	for (i = 0; i < 29; i++) { /* a word in slot 14; then at slot 13 */
		ok(put(i, 8));
		get(i, 8);
	}
	ok(put(i, 300)); /* slots 13 to 15 are left out */
	get(i, 300);
	jump((UINT64_C(1) << 28) - 32);
	while (sender.at % SLOTS != 14) {
		ok(put(++i, 8));
		get(i, 8);
	}
	ck_assert_uint_eq(sender.at, (UINT64_C(1) << 28) + 14);
	ck_assert_int_eq(ferryi_ring_take(&receiver, 100, &m), -EAGAIN);
}
END_TEST

/* --- any order ------------------------------------------------------------------ */

#define HELD 8u

struct held {
	struct ferryi_ring_message m;
	unsigned number;
	uint64_t len;
};

static uint64_t len_of(unsigned number)
{
	return number * 2654435761u % (number % 5 ? 120 : 480);
}

START_TEST(messages_are_ended_in_any_order)
{
	struct held held[HELD];
	unsigned n_held = 0, sent = 0, taken = 0;

	for (unsigned i = 0; i < 300000; i++) {
		struct held *h = &held[n_held];
		unsigned k;

		switch (roll(3)) {
		case 0: sent += put(sent, len_of(sent)) == 0; break;
		case 1:
			if (n_held == HELD || taken == sent)
				break;
			ok(ferryi_ring_take(&receiver, UINT32_MAX, &h->m));
			h->number = taken;
			h->len = len_of(taken++);
			n_held++;
			break;
		case 2:
			if (n_held == 0)
				break;
			k = (unsigned)roll(n_held);
			see(&held[k].m, held[k].number, held[k].len);
			ferryi_ring_end(&receiver, held[k].m.at);
			held[k] = held[--n_held];
		}
	}
	ck_assert_uint_gt(taken, 10000);
	while (n_held > 0)
		ferryi_ring_end(&receiver, held[--n_held].m.at);
	while (taken < sent) {
		get(taken, len_of(taken));
		taken++;
	}
	/* all room is there again */
	ok(put(0, ferryi_ring_largest(SLOTS)));
}
END_TEST

/* --- two threads, and more -------------------------------------------------------- */

#define STREAM 20000u

static void *send_stream(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < STREAM; i++)
		while (put(i, i % 60) == -EAGAIN)
			sched_yield();
	return NULL;
}

START_TEST(a_stream_goes_from_thread_to_thread)
{
	struct ferryi_ring_message m;
	pthread_t t;

	pthread_create(&t, NULL, send_stream, NULL);
	for (unsigned i = 0; i < STREAM; i++) {
		while (ferryi_ring_take(&receiver, 100, &m) == -EAGAIN)
			sched_yield();
		see(&m, i, i % 60);
		ferryi_ring_end(&receiver, m.at);
	}
	pthread_join(t, NULL);
}
END_TEST

#define ENDERS 3

static struct {
	uint64_t at[ENDERS]; /* + 1; 0: nothing to end */
	bool over;
} desk;

static void *end_what_comes(void *arg)
{
	uint64_t *mine = &desk.at[(intptr_t)arg], at;

	while (!__atomic_load_n(&desk.over, __ATOMIC_SEQ_CST)) {
		at = __atomic_load_n(mine, __ATOMIC_SEQ_CST);
		if (at == 0) {
			sched_yield();
			continue;
		}
		ferryi_ring_end(&receiver, at - 1);
		__atomic_store_n(mine, 0, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void await(uint64_t *at)
{
	while (__atomic_load_n(at, __ATOMIC_SEQ_CST))
		sched_yield();
}

START_TEST(threads_end_messages_at_once_and_no_room_is_lost)
{
	struct ferryi_ring_message m;
	pthread_t t[ENDERS];

	for (intptr_t i = 0; i < ENDERS; i++)
		pthread_create(&t[i], NULL, end_what_comes, (void *)i);
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t *at = &desk.at[i % ENDERS];

		while (put(i, len_of(i) % 300) == -EAGAIN)
			sched_yield();
		ok(ferryi_ring_take(&receiver, UINT32_MAX, &m));
		await(at);
		__atomic_store_n(at, m.at + 1, __ATOMIC_SEQ_CST);
	}
	for (unsigned i = 0; i < ENDERS; i++)
		await(&desk.at[i]);
	ok(put(0, ferryi_ring_largest(SLOTS)));
	__atomic_store_n(&desk.over, true, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < ENDERS; i++)
		pthread_join(t[i], NULL);
}
END_TEST

/* --- sleeping -------------------------------------------------------------------- */

static bool asks_for_more(struct ferryi_ring *r)
{
	ferryi_ring_ask_more(r);
	return ferryi_ring_has_more(r);
}

static bool asks_for_room(struct ferryi_ring *r, uint64_t len)
{
	ferryi_ring_ask_room(r);
	return ferryi_ring_has_room(r, len);
}

START_TEST(who_wants_more_is_to_be_woken_once)
{
	ck_assert(!asks_for_more(&receiver));
	ok(put(1, 5));
	ck_assert(ferryi_ring_lower_more(&sender));
	ck_assert(!ferryi_ring_lower_more(&sender));
	ck_assert(asks_for_more(&receiver));
	get(1, 5);
	ck_assert(!asks_for_more(&receiver));
	shared_part.ended = 1;
	ck_assert(asks_for_more(&receiver));
}
END_TEST

START_TEST(who_wants_room_is_to_be_woken_once)
{
	for (unsigned i = 0; i < SLOTS - 1; i++)
		ok(put(i, 8));
	ck_assert(!asks_for_room(&sender, 8));
	get(0, 8);
	ck_assert(ferryi_ring_lower_room(&receiver));
	ck_assert(!ferryi_ring_lower_room(&receiver));
	ck_assert(asks_for_room(&sender, 8));
	ck_assert(!asks_for_room(&sender, 100));
	shared_part.deaf = 1;
	ck_assert(asks_for_room(&sender, 100));
}
END_TEST

/* --- nonsense -------------------------------------------------------------------- */

static void foul(void)
{
	uint64_t next = receiver.at % SLOTS * WORDS;

	switch (roll(4)) {
	case 0: slots[roll(SLOTS * WORDS)] = roll(3) ? dice : 0; break;
	case 1: slots[roll(SLOTS) * WORDS] ^= UINT64_C(1) << roll(64); break;
	case 2: slots[next] ^= UINT64_C(1) << roll(36); break;
	case 3: shared_part.head = roll(2) ? roll(64) : dice; break;
	}
}

static bool lies_inside(const void *data, uint64_t len)
{
	const uint8_t *from = (const uint8_t *)slots, *p = data;

	return p >= from && p + len <= from + SLOTS * FERRYI_SLOT;
}

START_TEST(a_head_that_cannot_be_is_refused)
{
	void *place;

	for (unsigned i = 0; i < SLOTS - 1; i++)
		ok(put(i, 8));
	get(0, 8);
	ok(put(0, 8));
	shared_part.head = SLOTS + 1;
	ck_assert_int_eq(ferryi_ring_loan(&sender, 8, &place), -EBADMSG);
	shared_part.head = 0;
	ck_assert_int_eq(ferryi_ring_loan(&sender, 8, &place), -EBADMSG);
}
END_TEST

START_TEST(whatever_the_other_side_writes_nothing_leaves_the_ring)
{
	struct ferryi_ring_message m;
	void *place;

	for (unsigned i = 0; i < 200000; i++) {
		uint64_t len = roll(600);
		int r;

		foul();
		r = ferryi_ring_loan(&sender, len, &place);
		if (r == 0) {
			ck_assert(lies_inside(place, len));
			ok(ferryi_ring_commit(&sender, len, false));
		}
		foul();
		r = ferryi_ring_take(&receiver, UINT32_MAX, &m);
		if (r == 0) {
			ck_assert(lies_inside(m.data, m.len));
			ferryi_ring_end(&receiver, m.at);
		}
		if (i % 1000 == 0)
			setup_ring();
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("ring");

	tcase_add_checked_fixture(t, setup_ring, NULL);
	tcase_add_test(t, messages_come_once_whole_and_in_order);
	tcase_add_test(t, all_that_was_taken_is_ended_at_once);
	tcase_add_test(t, a_ring_takes_what_fits_and_no_more);
	tcase_add_test(t, the_largest_message_fits_into_an_empty_ring);
	tcase_add_test(t, what_is_too_long_for_the_receiver_stays_the_next_one);
	tcase_add_test(t, a_loan_is_one_at_a_time_and_may_be_given_back_or_cut);
	tcase_add_test(t, no_payload_is_taken_for_a_message);
	tcase_add_test(t, an_old_word_is_not_taken_for_one_of_a_later_age);
	tcase_add_test(t, messages_are_ended_in_any_order);
	tcase_add_test(t, a_stream_goes_from_thread_to_thread);
	tcase_add_test(t, threads_end_messages_at_once_and_no_room_is_lost);
	tcase_add_test(t, who_wants_more_is_to_be_woken_once);
	tcase_add_test(t, who_wants_room_is_to_be_woken_once);
	tcase_add_test(t, a_head_that_cannot_be_is_refused);
	tcase_add_test(t,
		       whatever_the_other_side_writes_nothing_leaves_the_ring);
	return unit_main(t, "ring");
}

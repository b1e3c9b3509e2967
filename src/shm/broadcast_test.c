/* SPDX-License-Identifier: MIT */
/* The ring of a topic, in private memory. */
#include "shm/subscribe.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <ferry/mailbox.h>

#include "unit.h"

#define ME	 7u
#define OTHER	 8u
#define CAPACITY 6u

static struct ferryi_topic_header header;
static struct ferryi_broadcast b;
static uint8_t *memory;

static void make(uint64_t capacity, uint64_t message_max)
{
	struct ferryi_topic_choice c = { .capacity = capacity,
					 .message_max = message_max };
	const char *why = "";

	ck_assert_msg(ferryi_topic_plan(&header, &c, &why) == 0, "%s", why);
	memory = aligned_alloc(4096, header.preamble.total_bytes);
	memset(memory, 0, header.preamble.total_bytes);
	ferryi_broadcast_attach(&b, memory, &header);
	ferryi_member_add(&b.users, ME);
	ferryi_member_add(&b.users, OTHER);
}

static void setup(void)
{
	make(CAPACITY, 64);
}

static void teardown(void)
{
	free(memory);
}

static int publish_as(uint32_t owner, uint64_t number)
{
	struct ferryi_chunk c;
	uint64_t at;
	uint32_t slot;
	int r = ferryi_broadcast_loan(&b, owner, &c);

	if (r < 0)
		return r;
	memcpy(ferryi_broadcast_place(&b, c.index), &number, sizeof number);
	b.records[c.index].len = sizeof number;
	r = ferryi_broadcast_publish(&b, &c, &at, &slot);
	if (r < 0)
		ck_assert_int_eq(ferryi_broadcast_abandon(&b, &c), 0);
	return r;
}

static void publish(uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		ck_assert_int_eq(publish_as(ME, from), 0);
}

static struct ferryi_subscription join(enum ferryi_policy policy,
				       enum ferryi_from from)
{
	struct ferryi_subscription s;

	ck_assert_int_eq(
		ferryi_broadcast_subscribe(&b, OTHER, policy, from, &s), 0);
	return s;
}

/* The number of the next message, or what it says instead. */
static int64_t read_one(struct ferryi_subscription *s)
{
	struct ferryi_news n;
	uint64_t number;
	int r = ferryi_broadcast_next(&b, s, &n);

	if (r < 0)
		return r;
	ck_assert_uint_eq(n.len, sizeof number);
	memcpy(&number, n.data, sizeof number);
	if (!ferryi_broadcast_is_whole(&b, &n))
		return -ESTALE;
	ferryi_broadcast_pass(&b, s, n.at, true);
	return (int64_t)number;
}

static void expect(struct ferryi_subscription *s, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		ck_assert_int_eq(read_one(s), (int64_t)from);
	ck_assert_int_eq(read_one(s), -EAGAIN);
}

static uint64_t dropped(const struct ferryi_subscription *s)
{
	return b.slots[s->slot].dropped;
}

/* Every chunk is free or a message. */
static void expect_no_leak(void)
{
	uint32_t busy = 0, filled = 0;

	for (uint32_t i = 0; i < b.n_chunks; i++) {
		uint32_t state = ferryi_word_state(b.records[i].word);

		ck_assert_uint_ne(state, FERRYI_LOAN);
		busy += state == FERRYI_QUEUED;
	}
	for (uint64_t i = 0; i <= b.mask; i++)
		filled += b.cells[i] != 0 &&
			  (b.cells[i] & 0xfffff) < b.n_chunks;
	ck_assert_uint_eq(busy, filled);
}

/* --- one after the other -------------------------------------------------------- */

START_TEST(every_subscriber_sees_every_message_in_order)
{
	struct ferryi_subscription s[3];

	for (int i = 0; i < 3; i++)
		s[i] = join(FERRYI_POLICY_BLOCK, FERRYI_FROM_NOW);
	ck_assert_uint_eq(ferryi_broadcast_subscribers(&b), 3);
	for (uint64_t n = 0; n < 50; n += CAPACITY) {
		publish(n, n + CAPACITY);
		for (int i = 0; i < 3; i++)
			expect(&s[i], n, n + CAPACITY);
	}
	expect_no_leak();
}
END_TEST

START_TEST(who_joins_late_begins_where_it_asked)
{
	struct ferryi_subscription s;

	s = join(FERRYI_POLICY_BLOCK, FERRYI_FROM_OLDEST);
	expect(&s, 0, 0);
	ferryi_broadcast_unsubscribe(&b, &s);
	publish(0, 3);
	s = join(FERRYI_POLICY_DROP_OLD, FERRYI_FROM_OLDEST);
	expect(&s, 0, 3);
	s = join(FERRYI_POLICY_DROP_OLD, FERRYI_FROM_LAST);
	expect(&s, 2, 3);
	s = join(FERRYI_POLICY_DROP_OLD, FERRYI_FROM_NOW);
	publish(3, 20);
	s = join(FERRYI_POLICY_BLOCK, FERRYI_FROM_OLDEST);
	expect(&s, 20 - CAPACITY, 20);
}
END_TEST

START_TEST(who_blocks_holds_publishers_back_until_it_reads_or_leaves)
{
	struct ferryi_subscription s =
		join(FERRYI_POLICY_BLOCK, FERRYI_FROM_NOW);
	uint32_t slot;

	publish(0, CAPACITY);
	ck_assert_int_eq(publish_as(ME, 99), -EAGAIN);
	ck_assert(ferryi_broadcast_is_blocked(&b, CAPACITY, &slot));
	ck_assert_uint_eq(slot, s.slot);
	ck_assert_int_eq(read_one(&s), 0);
	publish(CAPACITY, CAPACITY + 1);
	ck_assert_int_eq(publish_as(ME, 99), -EAGAIN);
	ferryi_broadcast_unsubscribe(&b, &s);
	publish(CAPACITY + 1, 40);
	expect_no_leak();
}
END_TEST

START_TEST(who_drops_old_loses_the_oldest_and_they_are_counted)
{
	struct ferryi_subscription s =
		join(FERRYI_POLICY_DROP_OLD, FERRYI_FROM_NOW);

	publish(0, 30);
	expect(&s, 30 - CAPACITY, 30);
	ck_assert_uint_eq(dropped(&s), 30 - CAPACITY);
	ck_assert_uint_eq(b.slots[s.slot].delivered, CAPACITY);
}
END_TEST

START_TEST(who_wants_the_latest_sees_only_that)
{
	struct ferryi_subscription s =
		join(FERRYI_POLICY_LATEST, FERRYI_FROM_NOW);

	publish(0, 3);
	expect(&s, 2, 3);
	publish(3, 40);
	expect(&s, 39, 40);
	ck_assert_uint_eq(dropped(&s), 38);
}
END_TEST

START_TEST(who_is_too_slow_is_disconnected_when_it_asked_for_that)
{
	struct ferryi_subscription s =
		join(FERRYI_POLICY_DISCONNECT, FERRYI_FROM_NOW);

	publish(0, CAPACITY);
	expect(&s, 0, CAPACITY);
	publish(CAPACITY, 40);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(read_one(&s), -ECONNRESET);
	ck_assert_uint_eq(b.control->disconnected, 1);
	ck_assert_uint_eq(ferryi_broadcast_subscribers(&b), 0);
	ferryi_broadcast_unsubscribe(&b, &s);
	s = join(FERRYI_POLICY_DISCONNECT, FERRYI_FROM_OLDEST);
	expect(&s, 40 - CAPACITY, 40);
}
END_TEST

START_TEST(what_is_overwritten_while_it_is_read_is_noticed)
{
	struct ferryi_subscription s =
		join(FERRYI_POLICY_DROP_OLD, FERRYI_FROM_NOW);
	struct ferryi_news n;

	publish(0, 1);
	ck_assert_int_eq(ferryi_broadcast_next(&b, &s, &n), 0);
	publish(1, b.mask + 1);
	ck_assert(ferryi_broadcast_is_whole(&b, &n));
	publish(b.mask + 1, b.mask + 2);
	ck_assert(!ferryi_broadcast_is_whole(&b, &n));
	ferryi_broadcast_pass(&b, &s, n.at, false);
	ck_assert_uint_eq(dropped(&s), 1);
}
END_TEST

START_TEST(so_many_may_subscribe_and_no_more)
{
	struct ferryi_subscription s;

	for (unsigned i = 0; i < FERRYI_SUBSCRIBERS; i++)
		s = join(FERRYI_POLICY_DROP_OLD, FERRYI_FROM_NOW);
	ck_assert_int_eq(ferryi_broadcast_subscribe(&b, OTHER,
						    FERRYI_POLICY_BLOCK,
						    FERRYI_FROM_NOW, &s),
			 -ENOSPC);
	ck_assert_uint_eq(ferryi_broadcast_subscribers(&b), 256);
	ck_assert_uint_eq(ferryi_broadcast_recover(&b, OTHER), 256);
	ck_assert_uint_eq(ferryi_broadcast_subscribers(&b), 0);
	join(FERRYI_POLICY_BLOCK, FERRYI_FROM_NOW);
}
END_TEST

START_TEST(a_message_that_is_committed_twice_is_published_once)
{
	struct ferryi_chunk c;
	uint64_t at;
	uint32_t slot;

	ck_assert_int_eq(ferryi_broadcast_loan(&b, ME, &c), 0);
	ck_assert_int_eq(ferryi_broadcast_publish(&b, &c, &at, &slot), 0);
	ck_assert_uint_eq(at, 0);
	ck_assert_int_eq(ferryi_broadcast_publish(&b, &c, &at, &slot), -ESTALE);
	ck_assert_int_eq(ferryi_broadcast_abandon(&b, &c), -ESTALE);
	ck_assert_uint_eq(b.control->tail, 1);
}
END_TEST

/* --- the dead ---------------------------------------------------------------------- */

START_TEST(what_the_dead_had_is_free_or_published)
{
	struct ferryi_subscription s =
		join(FERRYI_POLICY_DROP_OLD, FERRYI_FROM_NOW);
	struct ferryi_chunk c[FERRYI_SPARE_CHUNKS];
	uint64_t word;

	publish(0, 20);
	for (unsigned i = 0; i < FERRYI_SPARE_CHUNKS; i++)
		ck_assert_int_eq(ferryi_broadcast_loan(&b, ME, &c[i]), 0);
	ck_assert_int_eq(publish_as(OTHER, 99), -EAGAIN);
	ck_assert(!ferryi_broadcast_may_loan(&b));
	/* one of them had filled its cell (B2) */
	word = b.records[b.cells[19 & b.mask] & 0xfffff].word;
	b.records[b.cells[19 & b.mask] & 0xfffff].word =
		ferryi_word(ferryi_word_gen(word), FERRYI_LOAN, ME, 0);
	ck_assert_uint_eq(ferryi_broadcast_recover(&b, ME),
			  FERRYI_SPARE_CHUNKS + 1);
	ck_assert_uint_eq(ferryi_broadcast_recover(&b, ME), 0);
	expect(&s, 20 - CAPACITY, 20);
	expect_no_leak();
	publish(20, 60);
}
END_TEST

/* B3: who displaced it died before it was free. */
START_TEST(what_the_dead_displaced_is_found_by_who_needs_a_chunk)
{
	struct ferryi_chunk c;
	uint32_t index;
	uint64_t gen;

	publish(0, b.mask + 1);
	index = (uint32_t)(b.cells[0] & 0xfffff);
	gen = ferryi_word_gen(b.records[index].word);
	publish(b.mask + 1, b.mask + 2);
	b.records[index].word = ferryi_word(gen, FERRYI_QUEUED, 0, 0);
	for (unsigned i = 0; i < FERRYI_SPARE_CHUNKS; i++)
		ck_assert_int_eq(ferryi_broadcast_loan(&b, ME, &c), 0);
	ck_assert_int_eq(ferryi_broadcast_loan(&b, ME, &c), -EAGAIN);
	ferryi_broadcast_recover(&b, ME);
	expect_no_leak();
}
END_TEST

START_TEST(a_blocker_that_died_holds_nobody_back)
{
	join(FERRYI_POLICY_BLOCK, FERRYI_FROM_NOW);
	publish(0, CAPACITY);
	ck_assert_int_eq(publish_as(ME, 99), -EAGAIN);
	ck_assert_uint_eq(ferryi_broadcast_recover(&b, OTHER), 1);
	publish(CAPACITY, 30);
}
END_TEST

/* --- strangers ----------------------------------------------------------------------- */

static uint64_t dice = 88172645463325252ull;

static uint64_t roll(uint64_t sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice % sides;
}

static void scrawl(void)
{
	uint64_t words = header.places_at / 8, at;

	at = FERRYI_HEADER_BYTES / 8 + roll(words - FERRYI_HEADER_BYTES / 8);
	if (roll(2))
		at = header.cells_at / 8 + roll(b.mask + 1);
	((uint64_t *)memory)[at] = roll(3) ? roll(UINT64_MAX) : roll(8) << 20;
}

START_TEST(whatever_is_written_there_nobody_loops_or_leaves_the_memory)
{
	struct ferryi_subscription s[FERRYI_POLICIES];
	struct ferryi_news n;

	for (unsigned i = 0; i < FERRYI_POLICIES; i++)
		s[i] = join((enum ferryi_policy)i, FERRYI_FROM_NOW);
	for (unsigned i = 0; i < 20000; i++) {
		if (i % 4 == 0)
			scrawl();
		publish_as(ME, i);
		for (unsigned k = 0; k < FERRYI_POLICIES; k++)
			if (ferryi_broadcast_next(&b, &s[k], &n) == 0) {
				ck_assert_uint_le(n.len, b.place_bytes);
				ck_assert_uint_lt(n.index, b.n_chunks);
				ferryi_broadcast_pass(&b, &s[k], n.at, true);
			}
		if (i % 100 == 0)
			ferryi_broadcast_scrub(&b);
	}
}
END_TEST

START_TEST(a_ring_that_was_written_to_is_mended)
{
	struct ferryi_subscription s;
	uint64_t tail;

	for (unsigned round = 0; round < 300; round++) {
		publish(0, 20);
		for (unsigned i = 0; i < 1 + roll(8); i++)
			b.cells[roll(b.mask + 1)] = roll(UINT64_MAX >> 1);
		b.control->tail = roll(2) ? roll(UINT64_MAX) : b.control->tail;
		ferryi_broadcast_scrub(&b);
		ck_assert_int_eq(ferryi_broadcast_tail(&b, &tail), 0);
		s = join(FERRYI_POLICY_BLOCK, FERRYI_FROM_NOW);
		publish(0, CAPACITY);
		expect(&s, 0, CAPACITY);
		ferryi_broadcast_unsubscribe(&b, &s);
		expect_no_leak();
	}
}
END_TEST

/* doc/format.md */
START_TEST(every_byte_is_where_the_format_says)
{
#define AT(type, member, at)                                                   \
	ck_assert_uint_eq(offsetof(struct type, member), at)
	AT(ferryi_topic_header, choice, 72);
	AT(ferryi_topic_header, cells_at, 96);
	AT(ferryi_topic_header, n_chunks, 128);
	AT(ferryi_topic_header, ring_log2, 132);
	AT(ferryi_topic_header, checksum, 136);
	AT(ferryi_topic_control, subscribed, 384);
	AT(ferryi_topic_control, blocking, 416);
	AT(ferryi_topic_control, dropped, 512);
	AT(ferryi_topic_control, disconnected, 520);
	AT(ferryi_topic_slot, cursor, 8);
	AT(ferryi_topic_slot, start_time, 32);
	AT(ferryi_topic_slot, pid, 40);
	AT(ferryi_topic_slot, is_cut, 44);
	AT(ferryi_topic_record, seq, 8);
	AT(ferryi_topic_record, backed, 16);
	AT(ferryi_topic_record, len, 24);
	AT(ferryi_topic_record, sender, 64);
	ck_assert_uint_eq(header.cells_at, 40960);
	ck_assert_uint_eq(header.records_at, 40960 + 128);
	ck_assert_uint_eq(header.ring_log2, 3);
	ck_assert_uint_eq(header.n_chunks, 8 + 64);
}
END_TEST

START_TEST(a_header_that_makes_no_sense_is_refused)
{
	struct ferryi_topic_header h = header;
	const char *why = "";
	uint64_t bytes = header.preamble.total_bytes;

	h.checksum = ferryi_checksum(&h, offsetof(struct ferryi_topic_header,
						  checksum));
	ck_assert_int_eq(ferryi_topic_check(&h, bytes, &why), 0);
	ck_assert_int_eq(ferryi_topic_check(&h, bytes - 4096, &why), -EBADMSG);
	for (size_t i = 0; i < sizeof h; i++) {
		struct ferryi_topic_header bad = h;

		((uint8_t *)&bad)[i] ^= 0x41;
		if (i >= offsetof(struct ferryi_preamble, may_know) &&
		    i < offsetof(struct ferryi_preamble, total_bytes))
			continue; /* for what may be ignored */
		ck_assert_int_lt(ferryi_topic_check(&bad, bytes, &why), 0);
		ck_assert_uint_gt(strlen(why), 5);
	}
}
END_TEST

/* --- all at once --------------------------------------------------------------------- */

#define PUBLISHERS 3
#define EACH	   4000u

static uint32_t publishing;

static void *publish_many(void *arg)
{
	uint64_t me = (uintptr_t)arg;

	for (uint64_t i = 0; i < EACH;) {
		struct ferryi_chunk c;
		uint64_t at, *data;
		uint32_t slot;

		if (ferryi_broadcast_loan(&b, ME, &c) < 0)
			continue;
		data = ferryi_broadcast_place(&b, c.index);
		for (int k = 0; k < 8; k++)
			ferryi_put(&data[k], me << 32 | i);
		ferryi_put(&b.records[c.index].len, 64);
		while (ferryi_broadcast_publish(&b, &c, &at, &slot) == -EAGAIN)
			sched_yield();
		i++;
	}
	ferryi_add(&publishing, -1u);
	return NULL;
}

/* What it saw, of each publisher in order and whole; how much. */
static void *read_many(void *arg)
{
	enum ferryi_policy policy = (enum ferryi_policy)(uintptr_t)arg;
	uint64_t next[PUBLISHERS] = { 0 }, seen = 0, word[8];
	struct ferryi_subscription s;
	struct ferryi_news n;
	int r;

	ck_assert_int_eq(ferryi_broadcast_subscribe(&b, OTHER, policy,
						    FERRYI_FROM_OLDEST, &s),
			 0);
	for (;;) {
		bool last = ferryi_load(&publishing) == 0;

		r = ferryi_broadcast_next(&b, &s, &n);
		if (r == -EAGAIN && last)
			break;
		if (r == -EAGAIN) {
			sched_yield();
			continue;
		}
		ck_assert_int_eq(r, 0);
		for (int k = 0; k < 8; k++)
			word[k] = ferryi_fetch((const uint64_t *)n.data + k);
		if (!ferryi_broadcast_is_whole(&b, &n))
			continue;
		for (int k = 1; k < 8; k++)
			ck_assert_uint_eq(word[k], word[0]);
		ck_assert_uint_lt(word[0] >> 32, PUBLISHERS);
		ck_assert_uint_ge((uint32_t)word[0], next[word[0] >> 32]);
		next[word[0] >> 32] = (uint32_t)word[0] + 1;
		ferryi_broadcast_pass(&b, &s, n.at, true);
		seen++;
	}
	ck_assert(seen + dropped(&s) <= PUBLISHERS * EACH);
	ferryi_broadcast_unsubscribe(&b, &s);
	return (void *)(uintptr_t)seen;
}

/* Others fill the cell between any two steps of it. */
static void *ask_for_the_tail(void *arg)
{
	uint64_t tail = 0, before;

	(void)arg;
	while (ferryi_load(&publishing)) {
		before = tail;
		ck_assert_int_eq(ferryi_broadcast_tail(&b, &tail), 0);
		ck_assert_uint_ge(tail, before);
	}
	return NULL;
}

START_TEST(publishers_and_readers_of_all_kinds_at_once)
{
	pthread_t p[PUBLISHERS], r[3], asker;
	void *seen;

	teardown();
	make(100, 64); /* so that nobody waits for each message */
	publishing = PUBLISHERS;
	pthread_create(&r[0], NULL, read_many, (void *)FERRYI_POLICY_BLOCK);
	pthread_create(&r[1], NULL, read_many, (void *)FERRYI_POLICY_DROP_OLD);
	pthread_create(&r[2], NULL, read_many, (void *)FERRYI_POLICY_LATEST);
	while (ferryi_broadcast_subscribers(&b) < 3)
		sched_yield();
	pthread_create(&asker, NULL, ask_for_the_tail, NULL);
	for (uintptr_t i = 0; i < PUBLISHERS; i++)
		pthread_create(&p[i], NULL, publish_many, (void *)i);
	for (int i = 0; i < PUBLISHERS; i++)
		pthread_join(p[i], NULL);
	pthread_join(asker, NULL);
	pthread_join(r[0], &seen);
	ck_assert_uint_eq((uintptr_t)seen, PUBLISHERS * EACH);
	pthread_join(r[1], NULL);
	pthread_join(r[2], NULL);
	ck_assert_uint_eq(b.control->tail, PUBLISHERS * EACH);
	expect_no_leak();
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("broadcast");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_subscriber_sees_every_message_in_order);
	tcase_add_test(tc, who_joins_late_begins_where_it_asked);
	tcase_add_test(
		tc, who_blocks_holds_publishers_back_until_it_reads_or_leaves);
	tcase_add_test(tc, who_drops_old_loses_the_oldest_and_they_are_counted);
	tcase_add_test(tc, who_wants_the_latest_sees_only_that);
	tcase_add_test(tc,
		       who_is_too_slow_is_disconnected_when_it_asked_for_that);
	tcase_add_test(tc, what_is_overwritten_while_it_is_read_is_noticed);
	tcase_add_test(tc, so_many_may_subscribe_and_no_more);
	tcase_add_test(tc, a_message_that_is_committed_twice_is_published_once);
	tcase_add_test(tc, what_the_dead_had_is_free_or_published);
	tcase_add_test(tc,
		       what_the_dead_displaced_is_found_by_who_needs_a_chunk);
	tcase_add_test(tc, a_blocker_that_died_holds_nobody_back);
	tcase_add_test(
		tc,
		whatever_is_written_there_nobody_loops_or_leaves_the_memory);
	tcase_add_test(tc, a_ring_that_was_written_to_is_mended);
	tcase_add_test(tc, every_byte_is_where_the_format_says);
	tcase_add_test(tc, a_header_that_makes_no_sense_is_refused);
	tcase_add_test(tc, publishers_and_readers_of_all_kinds_at_once);
	return unit_main(tc, "broadcast");
}

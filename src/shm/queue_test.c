/* SPDX-License-Identifier: MIT */
/* The queue: what goes in comes out, whatever its hints and cells say. */
#include "shm/queue.h"

#include "shm/queue_test.h"

/* --- order and capacity ---------------------------------------------------- */

static const uint64_t capacities[] = { 1, 2, 3, 7, 8, 31, 32, 33, 100, 1000 };

START_TEST(exactly_capacity_messages_fit_and_come_out_in_order)
{
	uint64_t n = capacities[_i], sent = 0, got = 0;
	struct box b;

	make(&b, choice(n, 64));
	for (unsigned lap = 0; lap < 5; lap++) {
		for (uint64_t i = 0; i < n; i++)
			ck_assert_int_eq(put(&b, ME, sent++, 8), 0);
		ck_assert_int_eq(put(&b, ME, 0, 8), -EAGAIN);
		for (uint64_t i = 0; i < n - lap % 2; i++)
			ck_assert_int_eq(get(&b), (int64_t)got++);
		for (; got < sent;)
			ck_assert_int_eq(get(&b), (int64_t)got++);
		ck_assert_int_eq(get(&b), -EAGAIN);
	}
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(a_taken_message_does_not_occupy_a_place)
{
	struct ferryi_chunk held[8];
	struct box b;

	make(&b, choice(8, 64));
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(get_at(&b, OTHER, 0, &held[i]), 0);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(put(&b, ME, 100 + i, 8), 0);
	ck_assert_int_eq(put(&b, ME, 0, 8), -EAGAIN);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(ferryi_queue_release(&b.q, &held[i]), 0);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(get(&b), 100 + i);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(messages_of_every_size_keep_their_bytes)
{
	static const uint64_t sizes[] = { 8,   95,   96,   97,	 255,	256,
					  257, 1024, 4096, 4097, 16385, 65536 };
	struct ferryi_chunk c;
	uint64_t room, len;
	struct box b;

	make(&b, choice(16, 65536));
	for (unsigned lap = 0; lap < 40; lap++) {
		uint64_t size = sizes[lap % 12];

		ck_assert_int_eq(put(&b, ME, lap, size), 0);
		ck_assert_int_eq(ferryi_queue_take(&b.q, ME, UINT64_MAX, 0, &c,
						   &len),
				 0);
		ck_assert_uint_eq(len, size);
		ck_assert_uint_eq(id_of(&b, &c), lap);
		for (uint64_t i = 8; i < size; i++)
			ck_assert_uint_eq(((uint8_t *)ferryi_queue_place(
						  &b.q, c.index, &room))[i],
					  lap);
		ck_assert_int_eq(ferryi_queue_release(&b.q, &c), 0);
	}
	ck_assert_int_eq(put(&b, ME, 1, 65537), -EMSGSIZE);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(a_message_that_is_too_long_stays_first)
{
	struct ferryi_chunk c;
	uint64_t len;
	struct box b;

	make(&b, choice(4, 64));
	ck_assert_int_eq(put(&b, ME, 1, 40), 0);
	ck_assert_int_eq(put(&b, ME, 2, 8), 0);
	ck_assert_int_eq(ferryi_queue_take(&b.q, ME, 39, 0, &c, &len),
			 -EMSGSIZE);
	ck_assert_uint_eq(len, 40);
	ck_assert_int_eq(get(&b), 1);
	ck_assert_int_eq(get(&b), 2);
	fini(&b);
}
END_TEST

START_TEST(peek_sees_each_queued_message_once_and_takes_none)
{
	struct ferryi_record rec;
	uint64_t cursor = 0, id;
	uint32_t deliveries;
	struct box b;

	make(&b, choice(8, 64));
	for (uint64_t i = 0; i < 5; i++)
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
	for (uint64_t i = 0; i < 5; i++) {
		ck_assert_int_eq(ferryi_queue_peek(&b.q, &cursor, INT64_MAX,
						   &rec, &deliveries, &id,
						   sizeof id),
				 0);
		ck_assert_uint_eq(id, i);
		ck_assert_uint_eq(rec.seq, i);
	}
	ck_assert_int_eq(ferryi_queue_peek(&b.q, &cursor, INT64_MAX, &rec,
					   &deliveries, &id, sizeof id),
			 -EAGAIN);
	ck_assert_int_eq(get(&b), 0);
	fini(&b);
}
END_TEST

/* --- hints, and cells that were left ------------------------------------------ */

START_TEST(an_old_hint_by_any_number_of_laps_loses_nothing)
{
	uint64_t laps = (uint64_t)_i, tail, head;
	struct box b;

	make(&b, choice(4, 64));
	tail = b.q.control->tail;
	head = b.q.control->head;
	for (uint64_t i = 0; i < 4 * laps; i++) {
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
		ck_assert_int_eq(get(&b), (int64_t)i);
	}
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(put(&b, ME, 100 + i, 8), 0);
	b.q.control->tail = tail;
	ck_assert_int_eq(put(&b, ME, 103, 8), 0);
	ck_assert_int_eq(put(&b, ME, 104, 8), -EAGAIN);
	b.q.control->head = head;
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(get(&b), 100 + i);
	ck_assert_int_eq(get(&b), -EAGAIN);
	fini(&b);
}
END_TEST

START_TEST(garbage_in_the_hints_is_healed_from_the_cells)
{
	static const uint64_t garbage[] = { 0, 5, 1000, UINT64_MAX,
					    1ull << 40 };
	uint64_t bad = garbage[_i];
	struct box b;

	make(&b, choice(4, 64));
	for (uint64_t i = 0; i < 9; i++) {
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
		ck_assert_int_eq(get(&b), (int64_t)i);
	}
	ck_assert_int_eq(put(&b, ME, 20, 8), 0);
	ck_assert_int_eq(put(&b, ME, 21, 8), 0);
	b.q.control->tail = bad;
	b.q.control->head = bad;
	ck_assert_int_eq(put(&b, ME, 22, 8), 0);
	ferryi_queue_heal_hints(&b.q);
	ck_assert_int_eq(put(&b, ME, 23, 8), 0);
	ck_assert_int_eq(put(&b, ME, 24, 8), -EAGAIN);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(get(&b), 20 + i);
	fini(&b);
}
END_TEST

START_TEST(a_stale_cell_is_freed_by_the_next_receiver_or_sender)
{
	struct ferryi_chunk c;
	uint64_t cell;
	struct box b;

	make(&b, choice(2, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	ck_assert_int_eq(put(&b, ME, 2, 8), 0);
	cell = b.q.records[0].cell;
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), 0);
	b.q.records[0].cell = cell; /* T2: died before it freed the cell */
	b.q.control->head = 0;
	if (_i)
		ck_assert_int_eq(put(&b, ME, 3, 8), 0);
	ck_assert_int_eq(get(&b), 2);
	ck_assert_int_eq(get(&b), _i ? 3 : -EAGAIN);
	ck_assert_int_eq(ferryi_queue_release(&b.q, &c), 0);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(a_stale_cell_does_not_mean_the_next_message_of_its_chunk)
{
	struct ferryi_chunk next[2], c;
	uint64_t cell;
	struct box b;

	make(&b, choice(2, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	cell = b.q.records[0].cell;
	ck_assert_int_eq(get(&b), 1);
	b.q.records[0].cell = cell; /* T2: died before it freed the cell */
	b.q.control->head = 0;
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(loan(&b, ME, 8, &next[i]), 0);
	ck_assert_uint_eq(next[1].index, 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), -EAGAIN);
	fini(&b);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_loop_test(
		t, exactly_capacity_messages_fit_and_come_out_in_order, 0, 10);
	tcase_add_test(t, a_taken_message_does_not_occupy_a_place);
	tcase_add_test(t, messages_of_every_size_keep_their_bytes);
	tcase_add_test(t, a_message_that_is_too_long_stays_first);
	tcase_add_test(t, peek_sees_each_queued_message_once_and_takes_none);
	tcase_add_loop_test(t, an_old_hint_by_any_number_of_laps_loses_nothing,
			    0, 6);
	tcase_add_loop_test(t, garbage_in_the_hints_is_healed_from_the_cells, 0,
			    5);
	tcase_add_loop_test(
		t, a_stale_cell_is_freed_by_the_next_receiver_or_sender, 0, 2);
	tcase_add_test(
		t, a_stale_cell_does_not_mean_the_next_message_of_its_chunk);
}

int main(void)
{
	return queue_main("queue", add_tests);
}

/* SPDX-License-Identifier: MIT */
/* Deaths, played by leaving words as the dead left them; scrub; members. */
#include "shm/recover.h"

#include "shm/queue_test.h"

START_TEST(what_the_dead_wrote_held_and_sent_is_freed_returned_and_kept)
{
	struct ferryi_recovery done;
	struct ferryi_chunk c;
	struct box b;

	make(&b, choice(8, 300));
	ck_assert_int_eq(put(&b, OTHER, 1, 8), 0);
	ck_assert_int_eq(put(&b, OTHER, 2, 300), 0);
	ck_assert_int_eq(put(&b, OTHER, 3, 8), 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), 0);
	ck_assert_int_eq(loan(&b, OTHER, 8, &c), 0);
	recover(&b, OTHER, &done);
	ck_assert_uint_eq(done.freed, 1);
	ck_assert_uint_eq(done.queued, 2);
	ck_assert_uint_eq(done.returned, 1);
	recover(&b, OTHER, &done); /* again: nothing left to do */
	ck_assert_uint_eq(done.freed + done.queued + done.returned, 0);
	ck_assert_int_eq(get_at(&b, ME, 0, &c), 0);
	ck_assert_uint_eq(id_of(&b, &c), 1);
	ck_assert_uint_eq(ferryi_word_deliveries(c.word), 2);
	ck_assert_int_eq(ferryi_queue_release(&b.q, &c), 0);
	ck_assert_int_eq(get(&b), 2);
	ck_assert_int_eq(get(&b), 3);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(the_dead_ones_handle_is_fenced)
{
	struct ferryi_recovery done;
	struct ferryi_chunk held, lent;
	struct box b;

	make(&b, choice(8, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &held), 0);
	ck_assert_int_eq(loan(&b, OTHER, 8, &lent), 0);
	recover(&b, OTHER, &done);
	ck_assert_int_eq(ferryi_queue_release(&b.q, &held), -ESTALE);
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &held, 0), -ESTALE);
	ck_assert_int_eq(commit(&b, &lent), -ESTALE);
	ck_assert_int_eq(get(&b), 1);
	fini(&b);
}
END_TEST

START_TEST(at_most_once_drops_and_counts_what_the_dead_held)
{
	struct ferryi_choice c = choice(8, 64);
	struct ferryi_recovery done;
	struct ferryi_chunk held;
	struct box b;

	c.delivery = 1;
	make(&b, c);
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &held), 0);
	recover(&b, OTHER, &done);
	ck_assert_uint_eq(done.lost, 1);
	ck_assert_uint_eq(b.q.control->counters.lost, 1);
	ck_assert_int_eq(get(&b), -EAGAIN);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(recovery_frees_the_cell_that_a_dead_taker_left)
{
	struct ferryi_recovery done;
	struct ferryi_chunk c;
	uint64_t cell;
	struct box b;

	make(&b, choice(4, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	cell = b.q.records[0].cell;
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), 0);
	b.q.records[0].cell = cell; /* T2: died before it freed the cell */
	recover(&b, OTHER, &done);
	ck_assert_uint_eq(done.returned, 1);
	ck_assert_uint_eq(b.q.records[0].cell,
			  ferryi_cell_free(&b.q.cells, b.q.ring_mask + 1));
	ck_assert_int_eq(get(&b), 1);
	fini(&b);
}
END_TEST

START_TEST(a_return_that_was_not_announced_is_found_by_recovery)
{
	struct ferryi_recovery done;
	struct ferryi_chunk c;
	struct box b;

	make(&b, choice(8, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), 0);
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c, 0), 0);
	b.q.control->returned = 0; /* Q1: died before the announcement */
	ck_assert_int_eq(get(&b), -EAGAIN);
	recover(&b, OTHER, &done);
	ck_assert_int_eq(get(&b), 1);
	fini(&b);
}
END_TEST

START_TEST(scrub_mends_words_that_nobody_could_have_left)
{
	struct ferryi_chunk c;
	struct box b;

	make(&b, choice(4, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), 0);
	ferryi_member_drop(&b.q.users, OTHER);
	b.q.records[2].word = ferryi_word(5, FERRYI_QUEUED, 0, 0);
	b.q.records[3].word = ferryi_word(5, 15, 99, 0);
	b.q.control->gate[0] = 0xdeadbeef;
	ck_assert_uint_eq(ferryi_scrub(&b.q), 3);
	ck_assert_uint_eq(b.q.control->gate[0], 1);
	ck_assert_int_eq(get(&b), 1);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(the_last_leaver_and_a_joiner_never_both_succeed)
{
	struct box b;

	make(&b, choice(2, 64));
	ck_assert(!ferryi_retire_if_unused(&b.q.users));
	ferryi_member_drop(&b.q.users, ME);
	ferryi_member_drop(&b.q.users, OTHER);
	ferryi_member_add(&b.q.users, ME);
	ck_assert(ferryi_join(&b.q.users));
	ck_assert(!ferryi_retire_if_unused(&b.q.users));
	ferryi_member_drop(&b.q.users, ME);
	ck_assert(ferryi_retire_if_unused(&b.q.users));
	ck_assert(!ferryi_join(&b.q.users));
	fini(&b);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_test(
		t,
		what_the_dead_wrote_held_and_sent_is_freed_returned_and_kept);
	tcase_add_test(t, the_dead_ones_handle_is_fenced);
	tcase_add_test(t, at_most_once_drops_and_counts_what_the_dead_held);
	tcase_add_test(t, recovery_frees_the_cell_that_a_dead_taker_left);
	tcase_add_test(t, a_return_that_was_not_announced_is_found_by_recovery);
	tcase_add_test(t, scrub_mends_words_that_nobody_could_have_left);
	tcase_add_test(t, the_last_leaver_and_a_joiner_never_both_succeed);
}

int main(void)
{
	return queue_main("recover", add_tests);
}

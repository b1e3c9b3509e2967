/* SPDX-License-Identifier: MIT */
/* A ring that somebody wrote to. */
#include "shm/recover.h"

#include "shm/queue_test.h"

/* Cells of a ring of 4 at position 9: full, free, and the FULL bit alone. */
static const uint64_t bad_cells[] = {
	0, ~(uint64_t)0, FERRYI_FULL, (uint64_t)1 << 62, 12345,
};

START_TEST(scrub_mends_a_ring_that_was_written_to)
{
	uint64_t bad = bad_cells[_i / 4];
	int64_t got, last = -1;
	struct box b;
	unsigned n = 0;

	make(&b, choice(4, 64));
	for (uint64_t i = 0; i < 9; i++) {
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
		ck_assert_int_eq(get(&b), (int64_t)i);
	}
	ck_assert_int_eq(put(&b, ME, 20, 8), 0);
	ck_assert_int_eq(put(&b, ME, 21, 8), 0);
	*ferryi_queue_cell(&b.q, (uint64_t)_i % 4) = bad;
	ferryi_scrub(&b.q);
	while ((got = get(&b)) >= 0) {
		ck_assert_int_gt(got, last);
		last = got;
		n++;
	}
	ck_assert_uint_ge(n, 1); /* the one whose cell was hit may be gone */
	for (uint64_t lap = 0; lap < 3; lap++) {
		for (uint64_t i = 0; i < 4; i++)
			ck_assert_int_eq(put(&b, ME, 30 + i, 8), 0);
		ck_assert_int_eq(put(&b, ME, 40, 8), -EAGAIN);
		for (unsigned i = 0; i < 4; i++)
			ck_assert_int_eq(get(&b), 30 + i);
	}
	fini(&b);
}
END_TEST

START_TEST(scrub_leaves_a_sound_ring_alone)
{
	struct ferryi_chunk c;
	uint64_t cells[4];
	struct box b;
	int r;

	make(&b, choice(4, 64));
	for (uint64_t i = 0; i < 24; i++) {
		r = put(&b, ME, i, 8);
		ck_assert(r == 0 || r == -EAGAIN);
		if (i % 3) /* the number of the queued goes up and down */
			ck_assert_int_ge(get(&b), 0);
		else if (i % 6 == 0) /* one that is held for good */
			ck_assert_int_eq(get_at(&b, ME, 0, &c), 0);
		for (unsigned k = 0; k < 4; k++)
			cells[k] = *ferryi_queue_cell(&b.q, k);
		ck_assert_uint_eq(ferryi_scrub(&b.q), 0);
		for (unsigned k = 0; k < 4; k++)
			ck_assert_uint_eq(*ferryi_queue_cell(&b.q, k),
					  cells[k]);
	}
	fini(&b);
}
END_TEST

START_TEST(scrub_heals_a_head_that_is_too_far)
{
	struct box b;

	make(&b, choice(4, 64));
	for (uint64_t i = 0; i < 4; i++) {
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
		ck_assert_int_eq(get(&b), (int64_t)i);
	}
	for (uint64_t i = 0; i < 3; i++)
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
	b.q.control->head = 7;
	ck_assert_int_eq(get(&b), -EAGAIN);
	ferryi_scrub(&b.q);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(get(&b), i);
	fini(&b);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_loop_test(t, scrub_mends_a_ring_that_was_written_to, 0,
			    4 * sizeof(bad_cells) / sizeof(bad_cells[0]));
	tcase_add_test(t, scrub_leaves_a_sound_ring_alone);
	tcase_add_test(t, scrub_heals_a_head_that_is_too_far);
}

int main(void)
{
	return queue_main("mend", add_tests);
}

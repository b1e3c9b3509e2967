/* SPDX-License-Identifier: MIT */
/* Messages that came back. */
#include "shm/returned.h"

#include "shm/queue_test.h"

START_TEST(returned_messages_come_first_in_their_old_order_when_due)
{
	struct ferryi_chunk c[3];
	struct box b;

	make(&b, choice(8, 64));
	for (unsigned i = 1; i <= 4; i++)
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(get_at(&b, ME, 0, &c[i]), 0);
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c[2], 0), 0);
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c[0], 0), 0);
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c[1], (int64_t)1 << 40),
			 0);
	ck_assert_int_eq(get(&b), 1);
	ck_assert_int_eq(get(&b), 3);
	ck_assert_int_eq(get(&b), 4);
	ck_assert_int_eq(get(&b), -EAGAIN);
	ck_assert_int_eq(get_at(&b, ME, ((int64_t)1 << 40) - 1, &c[0]),
			 -EAGAIN);
	ck_assert_int_eq(get_at(&b, ME, (int64_t)1 << 40, &c[0]), 0);
	ck_assert_uint_eq(id_of(&b, &c[0]), 2);
	ck_assert_int_eq(ferryi_queue_release(&b.q, &c[0]), 0);
	ck_assert(!ferryi_returned_any(b.q.control->returned));
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(every_return_moves_the_version_of_the_announcement)
{
	struct ferryi_chunk c[2];
	uint64_t before;
	struct box b;

	make(&b, choice(8, 64));
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
		ck_assert_int_eq(get_at(&b, ME, 0, &c[i]), 0);
	}
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c[0], 0), 0);
	before = b.q.control->returned;
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c[1], 0), 0);
	ck_assert_uint_ne(b.q.control->returned, before);
	fini(&b);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_test(
		t, returned_messages_come_first_in_their_old_order_when_due);
	tcase_add_test(t, every_return_moves_the_version_of_the_announcement);
}

int main(void)
{
	return queue_main("returned", add_tests);
}

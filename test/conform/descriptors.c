/* SPDX-License-Identifier: MIT */
/* Descriptors with a message: they arrive, or are refused before anything is sent. */
#include <fcntl.h>

#include "conform.h"

static void give_pipe(int out[2])
{
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
}

START_TEST(descriptors_arrive_or_are_refused)
{
	int ends[2], got[4] = { -1 };
	char text[20];
	unsigned n = 4;

	begin(_i);
	give_pipe(ends);
	if (!f->fds) {
		fails(sender, ferry_send_fds(sender, "x", 1, ends, 1, SOON),
		      -EOPNOTSUPP);
		fails(receiver,
		      ferry_recv_fds(receiver, text, sizeof text, got, &n,
				     FERRY_NOWAIT),
		      -EOPNOTSUPP);
	} else {
		ok(sender, ferry_send_fds(sender, "two", 3, ends, 2, SOON));
		ck_assert_int_eq(ferry_recv_fds(receiver, text, sizeof text,
						got, &n, SOON),
				 3);
		ck_assert_uint_eq(n, 2);
		ck_assert_int_eq(write(got[1], "z", 1), 1);
		ck_assert_int_eq(read(ends[0], text, 1), 1);
		ck_assert_int_eq(fcntl(got[0], F_GETFD), FD_CLOEXEC);
		close(got[0]);
		close(got[1]);
	}
	close(ends[0]);
	close(ends[1]);
	send_text(sender, "behind");
	expect_text(receiver, "behind");
}
END_TEST

START_TEST(descriptors_that_are_not_asked_for_are_closed)
{
	int ends[2], before;

	begin(_i);
	give_pipe(ends);
	before = count_fds();
	for (unsigned i = 0; i < 5 && f->fds; i++) {
		ok(sender, ferry_send_fds(sender, "ends", 4, ends, 2, SOON));
		expect_text(receiver, "ends");
	}
	ck_assert_int_eq(count_fds(), before);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(too_many_descriptors_are_a_mistake)
{
	int fds[FERRY_FDS_MAX + 1] = { 0 };

	begin(_i);
	fails(sender,
	      ferry_send_fds(sender, "x", 1, fds, FERRY_FDS_MAX + 1, SOON),
	      -EINVAL);
	fails(sender, ferry_send_fds(sender, "x", 1, NULL, 1, SOON), -EINVAL);
	fails(receiver, ferry_recv_fds(receiver, NULL, 0, NULL, NULL, SOON),
	      -EINVAL);
	ok(sender, ferry_send_fds(sender, "x", 1, NULL, 0, SOON));
	expect_text(receiver, "x");
}
END_TEST

void add_descriptor_tests(TCase *tc, int i)
{
	tcase_add_loop_test(tc, descriptors_arrive_or_are_refused, i, i + 1);
	tcase_add_loop_test(tc, descriptors_that_are_not_asked_for_are_closed,
			    i, i + 1);
	tcase_add_loop_test(tc, too_many_descriptors_are_a_mistake, i, i + 1);
}

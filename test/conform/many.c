/* SPDX-License-Identifier: MIT */
/* Several messages in one call. */
#include "conform.h"

#define N    5u
#define SIZE 40u

static char sent[64][SIZE], got[64][SIZE];
static struct iovec out[64], in[64];

/* Messages of `least` and more bytes, and room for each of them. */
static void prepare(unsigned n, unsigned least)
{
	for (unsigned i = 0; i < n; i++) {
		out[i] = (struct iovec){ sent[i],
					 least + i % (SIZE + 1 - least) };
		in[i] = (struct iovec){ got[i], SIZE };
		fill(sent[i], out[i].iov_len, i);
	}
}

static void expect_in(unsigned at, unsigned first, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		ck_assert_uint_eq(in[at + i].iov_len, out[first + i].iov_len);
		ck_assert_mem_eq(got[at + i], sent[first + i],
				 out[first + i].iov_len);
	}
}

START_TEST(many_arrive_in_order_and_one_call_takes_what_is_there)
{
	begin(_i);
	prepare(N, 1);
	ck_assert_int_eq(ferry_send_many(sender, out, N, SOON), N);
	ck_assert_int_eq(ferry_recv_many(receiver, in, 2, SOON), 2);
	expect_in(0, 0, 2);
	ck_assert_int_eq(ferry_recv_many(receiver, in + 2, N, SOON), N - 2);
	expect_in(2, 2, N - 2);
	fails(receiver, ferry_recv_many(receiver, in, 1, FERRY_NOWAIT),
	      -EAGAIN);
}
END_TEST

START_TEST(one_that_is_too_long_ends_the_call_and_stays_first)
{
	begin(_i);
	prepare(N, 1);
	ck_assert_int_eq(ferry_send_many(sender, out, N, SOON), N);
	in[2].iov_len = 2; /* the third message has 3 bytes */
	ck_assert_int_eq(ferry_recv_many(receiver, in, N, SOON), 2);
	expect_in(0, 0, 2);
	fails(receiver, ferry_recv_many(receiver, in + 2, N - 2, SOON),
	      -EMSGSIZE);
	in[2].iov_len = SIZE;
	ck_assert_int_eq(ferry_recv_many(receiver, in + 2, N - 2, SOON), N - 2);
	expect_in(2, 2, N - 2);
}
END_TEST

START_TEST(of_too_many_those_are_sent_that_fit)
{
	unsigned all = 0, back = 0;
	ssize_t n;

	begin(_i);
	prepare(64, SIZE);
	do {
		n = ferry_send_many(sender, out, 64, FERRY_NOWAIT);
		all += n > 0 ? (unsigned)n : 0;
	} while (n == 64 && (!f->endless || all < 6400));
	if (!f->endless)
		fails(sender, ferry_send_many(sender, out, 64, FERRY_NOWAIT),
		      -EAGAIN);
	while (back < all) {
		prepare(64, SIZE);
		n = ferry_recv_many(receiver, in,
				    64 - back % 64, /* not past a round */
				    SOON);
		ok(receiver, n);
		expect_in(0, back % 64, (unsigned)n);
		back += (unsigned)n;
	}
	fails(receiver, ferry_recv_many(receiver, in, 1, FERRY_NOWAIT),
	      -EAGAIN);
}
END_TEST

static void *send_all(void *arg)
{
	ssize_t n = 0;

	(void)arg;
	for (unsigned i = 0; i < 1000 && n >= 0; i++)
		n = ferry_send_many(sender, out, 64, SOON);
	return (void *)(intptr_t)n;
}

START_TEST(a_sender_of_many_waits_for_room_for_all_of_them)
{
	unsigned back = 0;
	void *result;
	pthread_t t;
	ssize_t n;

	begin(_i);
	prepare(64, 1);
	pthread_create(&t, NULL, send_all, NULL);
	while (back < 64000) {
		for (unsigned i = 0; i < 64; i++)
			in[i].iov_len = SIZE;
		n = ferry_recv_many(receiver, in, 64 - back % 64, SOON);
		ok(receiver, n);
		expect_in(0, back % 64, (unsigned)n);
		back += (unsigned)n;
	}
	pthread_join(t, &result);
	ck_assert_int_eq((intptr_t)result, 64);
}
END_TEST

START_TEST(none_is_a_mistake)
{
	begin(_i);
	fails(sender, ferry_send_many(sender, out, 0, SOON), -EINVAL);
	fails(receiver, ferry_recv_many(receiver, in, 0, SOON), -EINVAL);
	fails(sender, ferry_send_many(sender, NULL, 1, SOON), -EINVAL);
}
END_TEST

void add_many_tests(TCase *tc, int i)
{
	tcase_add_loop_test(
		tc, many_arrive_in_order_and_one_call_takes_what_is_there, i,
		i + 1);
	tcase_add_loop_test(tc,
			    one_that_is_too_long_ends_the_call_and_stays_first,
			    i, i + 1);
	if (!fixture((unsigned)i)->drops) { /* else there is always room */
		tcase_add_loop_test(tc, of_too_many_those_are_sent_that_fit, i,
				    i + 1);
		tcase_add_loop_test(
			tc, a_sender_of_many_waits_for_room_for_all_of_them, i,
			i + 1);
	}
	tcase_add_loop_test(tc, none_is_a_mistake, i, i + 1);
}

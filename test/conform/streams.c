/* SPDX-License-Identifier: MIT */
/* What every stream of bytes promises. */
#include "conform.h"

#define MUCH (12u << 20) /* more than the kernel keeps for a connection */

static size_t read_all(char *buf, size_t len)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = ferry_read(receiver, buf + got, len - got, SOON);
		if (n == -ENODATA)
			break;
		ok(receiver, n);
		ck_assert_int_gt(n, 0);
		got += (size_t)n;
	}
	return got;
}

START_TEST(bytes_arrive_as_they_were_written)
{
	char buf[20];

	begin(_i);
	ck_assert_int_eq(ferry_write(sender, "hello, ", 7, SOON), 7);
	ck_assert_int_eq(ferry_write(sender, "world", 5, SOON), 5);
	ck_assert_uint_eq(read_all(buf, 12), 12);
	ck_assert_mem_eq(buf, "hello, world", 12);
}
END_TEST

START_TEST(a_read_waits_for_the_first_byte_only)
{
	char buf[20];

	begin(_i);
	ck_assert_int_eq(ferry_write(sender, "abc", 3, SOON), 3);
	ck_assert_int_eq(ferry_read(receiver, buf, 2, SOON), 2);
	ck_assert_int_eq(ferry_read(receiver, buf, sizeof buf, SOON), 1);
	ck_assert_int_eq(buf[0], 'c');
}
END_TEST

START_TEST(nothing_can_be_written_and_not_be_read)
{
	char buf[1];

	begin(_i);
	ck_assert_int_eq(ferry_write(sender, NULL, 0, FERRY_NOWAIT), 0);
	fails(receiver, ferry_read(receiver, buf, 0, SOON), -EINVAL);
	fails(receiver, ferry_read(receiver, buf, 1, FERRY_NOWAIT), -EAGAIN);
}
END_TEST

static void *write_much(void *data)
{
	return (void *)(intptr_t)ferry_write(sender, data, MUCH, SOON);
}

START_TEST(a_write_larger_than_every_buffer_is_written_whole)
{
	char *data = malloc(MUCH), *buf = malloc(MUCH);
	void *result;
	pthread_t t;

	begin(_i);
	fill(data, MUCH, 1);
	pthread_create(&t, NULL, write_much, data);
	ck_assert_uint_eq(read_all(buf, MUCH), MUCH);
	pthread_join(t, &result);
	ck_assert_int_eq((intptr_t)result, MUCH);
	ck_assert_mem_eq(buf, data, MUCH);
	free(data);
	free(buf);
}
END_TEST

START_TEST(a_write_that_meets_its_deadline_says_how_far_it_came)
{
	char *data = malloc(MUCH), *buf = malloc(MUCH);
	ssize_t n = 0, r;

	begin(_i);
	fill(data, MUCH, 1);
	/* Again: TCP may move some on to the receiver yet. */
	while ((r = ferry_write(sender, data + n, (size_t)(MUCH - n),
				ferry_after(SHORT_TIME))) > 0) {
		n += r;
		ck_assert_int_lt(n, MUCH);
	}
	ck_assert_int_gt(n, 0);
	fails(sender, r, -ETIMEDOUT);
	fails(sender, ferry_write(sender, "x", 1, FERRY_NOWAIT), -EAGAIN);
	close_end(&sender);
	ck_assert_uint_eq(read_all(buf, MUCH), (size_t)n);
	ck_assert_mem_eq(buf, data, (size_t)n);
	free(data);
	free(buf);
}
END_TEST

START_TEST(message_calls_are_refused)
{
	struct ferry_message m;
	char buf[4];
	struct iovec v = { buf, sizeof buf };

	begin(_i);
	fails(sender, ferry_send(sender, "x", 1, SOON), -EPROTOTYPE);
	fails(receiver, ferry_recv(receiver, buf, 4, SOON), -EPROTOTYPE);
	fails(receiver, ferry_next_len(receiver), -EPROTOTYPE);
	fails(sender, ferry_loan(sender, 1, &m, SOON), -EPROTOTYPE);
	fails(receiver, ferry_take(receiver, &m, SOON), -EPROTOTYPE);
	fails(sender, ferry_send_many(sender, &v, 1, SOON), -EPROTOTYPE);
	fails(receiver, ferry_recv_many(receiver, &v, 1, SOON), -EPROTOTYPE);
}
END_TEST

/* Two threads' large writes are not mixed: a write keeps its turn. */
static void *write_letter(void *arg)
{
	size_t len = MUCH / 4;
	char *data = malloc(len);
	ssize_t n;

	memset(data, (int)(intptr_t)arg, len);
	n = ferry_write(sender, data, len, SOON);
	free(data);
	return (void *)(n == (ssize_t)len ? 0 : (intptr_t)-1);
}

START_TEST(the_writes_of_two_threads_are_not_mixed)
{
	char *buf = malloc(MUCH / 2);
	pthread_t a, b;
	void *result;
	unsigned changes = 0;

	begin(_i);
	pthread_create(&a, NULL, write_letter, (void *)(intptr_t)'a');
	pthread_create(&b, NULL, write_letter, (void *)(intptr_t)'b');
	ck_assert_uint_eq(read_all(buf, MUCH / 2), MUCH / 2);
	pthread_join(a, &result);
	ck_assert_ptr_null(result);
	pthread_join(b, &result);
	ck_assert_ptr_null(result);
	for (size_t i = 1; i < MUCH / 2; i++)
		changes += buf[i] != buf[i - 1];
	ck_assert_uint_eq(changes, 1);
	free(buf);
}
END_TEST

void add_stream_tests(TCase *tc, int i)
{
	tcase_add_loop_test(tc, bytes_arrive_as_they_were_written, i, i + 1);
	tcase_add_loop_test(tc, a_read_waits_for_the_first_byte_only, i, i + 1);
	tcase_add_loop_test(tc, nothing_can_be_written_and_not_be_read, i,
			    i + 1);
	tcase_add_loop_test(tc,
			    a_write_larger_than_every_buffer_is_written_whole,
			    i, i + 1);
	tcase_add_loop_test(
		tc, a_write_that_meets_its_deadline_says_how_far_it_came, i,
		i + 1);
	tcase_add_loop_test(tc, message_calls_are_refused, i, i + 1);
	tcase_add_loop_test(tc, the_writes_of_two_threads_are_not_mixed, i,
			    i + 1);
}

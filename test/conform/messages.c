/* SPDX-License-Identifier: MIT */
/* What every way of carrying messages promises. */
#include "conform.h"

/* Where that is known. */
static void expect_next_len(size_t len)
{
	if (f->untold)
		fails(receiver, ferry_next_len(receiver), -EOPNOTSUPP);
	else
		ck_assert_int_eq(ferry_next_len(receiver), (ssize_t)len);
}

START_TEST(a_message_arrives_as_it_was_sent)
{
	begin(_i);
	send_text(sender, "hello");
	expect_text(receiver, "hello");
}
END_TEST

START_TEST(messages_keep_their_boundaries_and_their_order)
{
	char data[300], buf[300];
	unsigned many;

	begin(_i);
	many = f->room ? f->room : 30;
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < many; i++) {
			fill(data, 10 * i, i);
			ok(sender, ferry_send(sender, data, 10 * i, SOON));
		}
		for (unsigned i = 0; i < many; i++) {
			fill(data, 10 * i, i);
			ck_assert_int_eq(ferry_recv(receiver, buf, sizeof buf,
						    SOON),
					 10 * i);
			ck_assert_mem_eq(buf, data, 10 * i);
		}
	}
}
END_TEST

START_TEST(an_empty_message_is_a_message)
{
	char buf[10];

	begin(_i);
	ok(sender, ferry_send(sender, NULL, 0, SOON));
	send_text(sender, "behind");
	expect_next_len(0);
	ck_assert_int_eq(ferry_recv(receiver, NULL, 0, SOON), 0);
	expect_text(receiver, "behind");
	ok(sender, ferry_send(sender, NULL, 0, SOON));
	ck_assert_int_eq(ferry_recv(receiver, buf, sizeof buf, SOON), 0);
	fails(receiver, ferry_recv(receiver, buf, sizeof buf, FERRY_NOWAIT),
	      -EAGAIN);
}
END_TEST

START_TEST(empty_messages_before_the_end_arrive)
{
	char buf[10];

	begin(_i);
	ok(sender, ferry_send(sender, NULL, 0, SOON));
	ok(sender, ferry_send(sender, NULL, 0, SOON));
	if (f->shutdown)
		ok(sender, ferry_shutdown(sender, FERRY_SEND));
	close_end(&sender);
	ck_assert_int_eq(ferry_recv(receiver, buf, sizeof buf, SOON), 0);
	ck_assert_int_eq(ferry_recv(receiver, buf, sizeof buf, SOON), 0);
	if (!f->shutdown)
		return;
	fails(receiver, ferry_recv(receiver, buf, sizeof buf, SOON), -ENODATA);
	fails(receiver, ferry_recv(receiver, buf, sizeof buf, SOON), -ENODATA);
}
END_TEST

static void *send_largest(void *data)
{
	return (void *)(intptr_t)ferry_send(sender, data, f->largest, SOON);
}

START_TEST(the_largest_message_passes)
{
	char *data, *buf;
	void *result;
	pthread_t t;

	begin(_i);
	data = malloc(f->largest);
	buf = malloc(f->largest);
	fill(data, f->largest, 3);
	pthread_create(&t, NULL, send_largest, data);
	ck_assert_int_eq(ferry_recv(receiver, buf, f->largest, SOON),
			 (ssize_t)f->largest);
	pthread_join(t, &result);
	ok(sender, (intptr_t)result);
	ck_assert_mem_eq(buf, data, f->largest);
	free(data);
	free(buf);
}
END_TEST

START_TEST(a_message_that_is_too_large_is_refused_and_harms_nothing)
{
	char *data;

	begin(_i);
	data = calloc(1, f->too_large);
	memset(data, 'x', f->too_large);
	fails(sender, ferry_send(sender, data, f->too_large, SOON), -EMSGSIZE);
	send_text(sender, "small");
	expect_text(receiver, "small");
	free(data);
}
END_TEST

START_TEST(a_buffer_too_small_leaves_the_message_first)
{
	char buf[4];

	begin(_i);
	send_text(sender, "12345");
	send_text(sender, "next");
	fails(receiver, ferry_recv(receiver, buf, 4, SOON), -EMSGSIZE);
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EMSGSIZE);
	expect_next_len(5);
	expect_text(receiver, "12345");
	expect_next_len(4);
	expect_text(receiver, "next");
	fails(receiver, ferry_next_len(receiver),
	      f->untold ? -EOPNOTSUPP : -EAGAIN);
}
END_TEST

START_TEST(stream_calls_are_refused)
{
	char buf[4];

	begin(_i);
	fails(sender, ferry_write(sender, "x", 1, SOON), -EPROTOTYPE);
	fails(receiver, ferry_read(receiver, buf, 4, SOON), -EPROTOTYPE);
}
END_TEST

START_TEST(memory_is_lent_or_refused)
{
	struct ferry_message m;

	begin(_i);
	if (!f->lends) {
		fails(sender, ferry_loan(sender, 5, &m, SOON), -EOPNOTSUPP);
		fails(receiver, ferry_take(receiver, &m, SOON), -EOPNOTSUPP);
		return;
	}
	ok(sender, ferry_loan(sender, 5, &m, SOON));
	ck_assert_ptr_eq(m.link, sender);
	memcpy(m.data, "hello", 5);
	ok(sender, ferry_commit(&m, SOON));
	fails(sender, ferry_commit(&m, SOON), -EINVAL);
	ok(receiver, ferry_take(receiver, &m, SOON));
	ck_assert_uint_eq(m.len, 5);
	ck_assert_mem_eq(m.data, "hello", 5);
	ok(receiver, ferry_release(&m));
	fails(receiver, ferry_release(&m), -EINVAL);
}
END_TEST

START_TEST(a_priority_is_carried_or_refused)
{
	struct ferry_message m;

	begin(_i);
	if (!f->lends)
		return;
	ok(sender, ferry_loan(sender, 3, &m, SOON));
	memcpy(m.data, "top", 3);
	m.priority = 1;
	if (!f->ranked) {
		fails(sender, ferry_commit(&m, SOON), -EOPNOTSUPP);
		says(sender, -EOPNOTSUPP, "priority");
		m.priority = 0;
	}
	ok(sender, ferry_commit(&m, SOON));
	ok(receiver, ferry_take(receiver, &m, SOON));
	ck_assert_uint_eq(m.priority, f->ranked);
	ok(receiver, ferry_release(&m));
}
END_TEST

/* For longer than any buffer goes round. */
START_TEST(what_is_held_stays_as_it_is_while_others_are_copied)
{
	static char buf[50000];
	struct ferry_message m;

	begin(_i);
	if (!f->lends || f->one_in_place)
		return;
	send_text(sender, "held");
	ok(receiver, ferry_take(receiver, &m, SOON));
	for (unsigned i = 0; i < 20; i++) {
		fill(buf, sizeof buf, i);
		if (ferry_send(sender, buf, sizeof buf, FERRY_NOWAIT) < 0)
			break; /* what is held keeps its room */
		ok(receiver, ferry_recv(receiver, buf, sizeof buf, SOON));
	}
	ck_assert_uint_eq(m.len, 4);
	ck_assert_mem_eq(m.data, "held", 4);
	ok(receiver, ferry_release(&m));
	send_text(sender, "next");
	expect_text(receiver, "next");
}
END_TEST

/* --- many at once -------------------------------------------------------- */

#define N_SENDERS 4
#define MOST	  250

/* How many each sends: where a full receiver loses some, so few that it is not. */
static unsigned each(void)
{
	return f->drops ? 25 : MOST;
}

static void *send_many(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;
	char data[400];
	int err = 0;

	for (unsigned i = 0; i < each() && !err; i++) {
		int n = snprintf(data, sizeof data, "%u %u ", me, i);

		memset(data + n, 'a' + (int)me, sizeof data - (size_t)n);
		err = ferry_send(sender, data, sizeof data, SOON);
	}
	return (void *)(intptr_t)err;
}

static void check_one(const char *data, size_t len, unsigned next[N_SENDERS])
{
	unsigned who, which;
	int n;

	ck_assert_uint_eq(len, 400);
	ck_assert_int_eq(sscanf(data, "%u %u %n", &who, &which, &n), 2);
	ck_assert_uint_lt(who, N_SENDERS);
	ck_assert_uint_eq(which, next[who]++);
	for (size_t i = (size_t)n; i < len; i++)
		ck_assert_int_eq(data[i], 'a' + (int)who);
}

START_TEST(many_threads_may_send_through_one_link)
{
	unsigned next[N_SENDERS] = { 0 };
	pthread_t t[N_SENDERS];
	char buf[401] = "";
	void *result;

	begin(_i);
	for (uintptr_t i = 0; i < N_SENDERS; i++)
		pthread_create(&t[i], NULL, send_many, (void *)i);
	for (unsigned i = 0; i < N_SENDERS * each(); i++) {
		ssize_t n = ferry_recv(receiver, buf, 400, SOON);

		ok(receiver, n);
		check_one(buf, (size_t)n, next);
	}
	for (unsigned i = 0; i < N_SENDERS; i++) {
		pthread_join(t[i], &result);
		ok(sender, (intptr_t)result);
	}
}
END_TEST

static void *recv_many(void *arg)
{
	unsigned char *seen = arg;
	char buf[401] = ""; /* ends what is read from it */
	unsigned who, which;
	ssize_t n;

	while ((n = ferry_recv(receiver, buf, sizeof buf - 1, SOON)) > 0 &&
	       sscanf(buf, "%u %u ", &who, &which) == 2)
		__atomic_add_fetch(&seen[which], 1, __ATOMIC_SEQ_CST);
	return (void *)(intptr_t)n;
}

START_TEST(each_message_is_taken_by_one_of_many_threads)
{
	static unsigned char seen[MOST];
	pthread_t t[N_SENDERS];
	void *result;

	begin(_i);
	for (unsigned i = 0; i < N_SENDERS; i++)
		pthread_create(&t[i], NULL, recv_many, seen);
	ok(sender, (intptr_t)send_many(NULL));
	for (unsigned i = 0; i < N_SENDERS; i++)
		ok(sender, ferry_send(sender, NULL, 0, SOON));
	for (unsigned i = 0; i < N_SENDERS; i++) {
		pthread_join(t[i], &result);
		ck_assert_int_eq((intptr_t)result, 0);
	}
	for (unsigned i = 0; i < each(); i++)
		ck_assert_uint_eq(seen[i], 1);
}
END_TEST

/* --- a full queue -------------------------------------------------------- */

#define PLENTY 20000u /* so many are never refused where there is always room */

/* Number of messages of 100 bytes until there is no room, and none comes: TCP may
 * move some on to the receiver yet. */
static unsigned send_until_full(void)
{
	char data[100];
	unsigned n = 0;
	int err = 0;

	for (; !f->endless || n < PLENTY; n++) {
		fill(data, sizeof data, n);
		err = ferry_send(sender, data, sizeof data, FERRY_NOWAIT);
		if (err == -EAGAIN)
			err = ferry_send(sender, data, sizeof data,
					 ferry_after(SHORT_TIME));
		if (err)
			break;
	}
	if (f->endless) {
		ok(sender, err);
		return n;
	}
	fails(sender, err, -ETIMEDOUT);
	fails(sender, ferry_send(sender, data, sizeof data, FERRY_NOWAIT),
	      -EAGAIN);
	ck_assert_uint_gt(n, 0);
	return n;
}

static void receive_filled(unsigned i)
{
	char data[100], buf[100];

	fill(data, sizeof data, i);
	ck_assert_int_eq(ferry_recv(receiver, buf, sizeof buf, SOON), 100);
	ck_assert_mem_eq(buf, data, 100);
}

START_TEST(a_full_queue_refuses_and_loses_nothing)
{
	unsigned n;

	begin(_i);
	n = send_until_full();
	for (unsigned i = 0; i < n; i++)
		receive_filled(i);
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
	send_text(sender, "again");
	expect_text(receiver, "again");
}
END_TEST

static void *send_late(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)ferry_send(sender, "late", 4, SOON);
}

START_TEST(a_waiting_sender_goes_on_when_there_is_room)
{
	pthread_t t;
	void *result;
	unsigned n;

	begin(_i);
	n = send_until_full();
	pthread_create(&t, NULL, send_late, NULL);
	for (unsigned i = 0; i < n; i++)
		receive_filled(i);
	expect_text(receiver, "late");
	pthread_join(t, &result);
	ok(sender, (intptr_t)result);
}
END_TEST

#define FLOOD 20000u

START_TEST(a_full_receiver_loses_what_comes_and_keeps_what_it_has)
{
	char data[100];
	unsigned n = 0;
	ssize_t r;

	begin(_i);
	for (unsigned i = 0; i < FLOOD; i++) {
		fill(data, sizeof data, i);
		ok(sender, ferry_send(sender, data, sizeof data, SOON));
	}
	while (ferry_next_len(receiver) >= 0)
		receive_filled(n++);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_lt(n, FLOOD);
	r = ferry_recv(receiver, data, sizeof data, FERRY_NOWAIT);
	fails(receiver, r, -EAGAIN);
	send_text(sender, "again");
	expect_text(receiver, "again");
}
END_TEST

static void add_full_tests(TCase *tc, int i)
{
	tcase_add_loop_test(tc, a_full_queue_refuses_and_loses_nothing, i,
			    i + 1);
	tcase_add_loop_test(tc, a_waiting_sender_goes_on_when_there_is_room, i,
			    i + 1);
}

void add_message_tests(TCase *tc, int i)
{
	tcase_add_loop_test(tc, a_message_arrives_as_it_was_sent, i, i + 1);
	tcase_add_loop_test(tc, messages_keep_their_boundaries_and_their_order,
			    i, i + 1);
	tcase_add_loop_test(tc, an_empty_message_is_a_message, i, i + 1);
	tcase_add_loop_test(tc, empty_messages_before_the_end_arrive, i, i + 1);
	tcase_add_loop_test(tc, the_largest_message_passes, i, i + 1);
	if (fixture((unsigned)i)->too_large)
		tcase_add_loop_test(
			tc,
			a_message_that_is_too_large_is_refused_and_harms_nothing,
			i, i + 1);
	tcase_add_loop_test(tc, a_buffer_too_small_leaves_the_message_first, i,
			    i + 1);
	tcase_add_loop_test(tc, stream_calls_are_refused, i, i + 1);
	tcase_add_loop_test(tc, memory_is_lent_or_refused, i, i + 1);
	tcase_add_loop_test(tc, a_priority_is_carried_or_refused, i, i + 1);
	tcase_add_loop_test(tc,
			    what_is_held_stays_as_it_is_while_others_are_copied,
			    i, i + 1);
	tcase_add_loop_test(tc, many_threads_may_send_through_one_link, i,
			    i + 1);
	tcase_add_loop_test(tc, each_message_is_taken_by_one_of_many_threads, i,
			    i + 1);
	if (fixture((unsigned)i)->drops)
		tcase_add_loop_test(
			tc,
			a_full_receiver_loses_what_comes_and_keeps_what_it_has,
			i, i + 1);
	else
		add_full_tests(tc, i);
}

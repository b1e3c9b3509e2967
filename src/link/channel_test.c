/* SPDX-License-Identifier: MIT */
/* Channels: what their addresses choose, how an end moves, and how it ends. */
#include <pthread.h>

#include "link/channel_test.h"

/* --- from hand to hand -------------------------------------------------------- */

START_TEST(without_capacity_a_message_that_nobody_takes_was_not_sent)
{
	struct ferry_message m;
	char c;

	meet("channel:?capacity=0");
	for (unsigned i = 0; i < 5000; i++) { /* more than the ring has slots */
		fails(say(a, "early"), -EAGAIN);
		fails(ferry_recv(b, &c, 1, FERRY_NOWAIT), -EAGAIN);
	}
	fails(ferry_send(a, "late", 4, ferry_after(FERRY_MS(5))), -ETIMEDOUT);
	ok(ferry_loan(a, 3, &m, FERRY_NOWAIT));
	memcpy(m.data, "own", 3);
	fails(ferry_commit(&m, FERRY_NOWAIT), -EAGAIN);
	fails(ferry_recv(b, &c, 1, FERRY_NOWAIT), -EAGAIN);
	ck_assert_int_eq(memcmp(m.data, "own", 3), 0); /* it is still ours */
	ok(ferry_abandon(&m));
	fails_saying(ferry_send(a, "", 200000, FERRY_NOWAIT), -EMSGSIZE,
		     "half of its ring");
	fails_saying(ferry_send_fds(a, "", 0, (int[]){ 1 }, 1, FERRY_NOWAIT),
		     -EOPNOTSUPP, "hand to hand");
	part();
}
END_TEST

/* Nobody can take what a call offers that may not wait. */
static void loops_may_only_receive(const char *address)
{
	char c;

	meet(address);
	fails_saying(ferry_pollfd(a, FERRY_SEND), -EOPNOTSUPP, "deadline");
	fails_saying(ferry_pollfd(b, FERRY_SEND), -EOPNOTSUPP, "capacity=0");
	ok(ferry_pollfd(b, FERRY_RECV));
	fails(ferry_recv(b, &c, 1, FERRY_NOWAIT), -EAGAIN);
	part();
}

START_TEST(without_capacity_an_event_loop_may_only_receive)
{
	loops_may_only_receive("channel:?capacity=0");
	loops_may_only_receive("fault+channel:?capacity=0");
	meet("channel:");
	ok(ferry_pollfd(a, FERRY_SEND));
	part();
}
END_TEST

#define HANDED 3000

static void *take_all(void *arg)
{
	uint64_t sum = 0, i;

	for (unsigned n = 0; n < HANDED; n++) {
		if (n % 3) {
			ck_assert_int_eq(ferry_recv(b, &i, sizeof i, SOON), 8);
		} else {
			struct ferry_message m;

			ck_assert_int_eq(ferry_take(b, &m, SOON), 0);
			memcpy(&i, m.data, sizeof i);
			ck_assert_int_eq(ferry_release(&m), 0);
		}
		sum = sum * 31 + i;
	}
	*(uint64_t *)arg = sum;
	return NULL;
}

START_TEST(without_capacity_a_send_ends_when_its_message_is_taken)
{
	uint64_t got = 0, sum = 0;
	struct ferry_message m;
	pthread_t thread;

	meet("channel:?capacity=0&ring=16K");
	ck_assert_int_eq(pthread_create(&thread, NULL, take_all, &got), 0);
	for (uint64_t i = 0; i < HANDED; i++) {
		if (i % 2) {
			ok(ferry_send(a, &i, sizeof i, SOON));
		} else {
			ok(ferry_loan(a, sizeof i, &m, SOON));
			memcpy(m.data, &i, sizeof i);
			ok(ferry_commit(&m, SOON));
		}
		sum = sum * 31 + i;
	}
	pthread_join(thread, NULL);
	ck_assert_uint_eq(got, sum);
	part();
}
END_TEST

/* --- in turns ------------------------------------------------------------------- */

START_TEST(half_duplex_lets_one_side_send_at_a_time)
{
	char c;

	meet("channel:?direction=half");
	fails_saying(say(b, "me"), -EBUSY, "other side's turn");
	fails(ferry_send(b, "me", 2, ferry_after(FERRY_MS(5))), -ETIMEDOUT);
	ok(say(a, "one"));
	ok(say(a, "two"));
	fails(ferry_turn(b), -EBUSY);
	ok(ferry_turn(a));
	fails_saying(ferry_turn(a), -EBUSY, "other side's");
	fails(say(a, "three"), -EBUSY);
	ok(say(b, "answer"));
	hears(b, "one"); /* what is there does not cost the turn */
	hears(b, "two");
	ok(say(b, "again"));
	fails(ferry_recv(b, &c, 1, FERRY_NOWAIT), -EAGAIN); /* but waiting */
	ok(say(a, "mine"));
	fails(say(b, "more"), -EBUSY);
	hears(a, "answer");
	hears(a, "again");
	part();
	meet("channel:");
	fails(ferry_turn(a), -EOPNOTSUPP);
	part();
}
END_TEST

static void *answer_each(void *arg)
{
	char buf[20];
	ssize_t n;

	while ((n = ferry_recv(b, buf, sizeof buf, SOON)) >= 0)
		ck_assert_int_eq(ferry_send(b, buf, (size_t)n, SOON), 0);
	ck_assert_int_eq(n, -ENODATA);
	return arg;
}

START_TEST(half_duplex_goes_to_and_fro_with_nothing_but_send_and_receive)
{
	pthread_t thread;

	meet("channel:?direction=half");
	ck_assert_int_eq(pthread_create(&thread, NULL, answer_each, NULL), 0);
	for (unsigned i = 0; i < 3000; i++) {
		char text[20];

		snprintf(text, sizeof text, "%u", i);
		ok(ferry_send(a, text, strlen(text), SOON));
		hears(a, text);
	}
	ok(ferry_shutdown(a, FERRY_SEND));
	pthread_join(thread, NULL);
	part();
}
END_TEST

START_TEST(addresses_that_choose_nonsense_are_refused)
{
	struct ferry_link *ends[2];

	fails_saying(ferry_pair(ends, "channel:?capacity=7"), -EINVAL, "ring=");
	fails_saying(ferry_pair(ends, "channel:?direction=both"), -EINVAL,
		     "half");
	fails_saying(ferry_pair(ends, "channel:?capacity=0&framing=stream"),
		     -EINVAL, "hand to hand");
}
END_TEST

/* --- from process to process ------------------------------------------------------- */

START_TEST(an_end_becomes_a_descriptor_and_an_end_again)
{
	unsigned before = open_descriptors();
	char text[100];
	int fd;

	meet("channel:?ring=16K");
	for (unsigned i = 0; i < 300; i++) { /* beyond the end of the ring */
		snprintf(text, sizeof text, "%u", i);
		ok(say(a, text));
		ok(say(b, text));
		fd = ferry_export(b);
		ok(fd);
		ck_assert_int_eq(fcntl(fd, F_GETFD), 0); /* crosses exec */
		ok(say(a, "behind"));
		ok(ferry_adopt(&b, fd));
		hears(b, text);
		hears(b, "behind");
		ok(say(b, "back"));
		hears(a, text);
		hears(a, "back");
	}
	fd = ferry_export(b);
	close(fd);
	fails(ferry_recv(a, text, sizeof text, SOON), -ECONNRESET);
	ferry_close(a);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(a_stream_goes_on_in_the_middle_of_a_piece)
{
	char text[10];
	int fd;

	meet("channel:?framing=stream");
	ck_assert_int_eq(ferry_write(a, "something", 9, SOON), 9);
	ck_assert_int_eq(ferry_read(b, text, 4, SOON), 4);
	fd = ferry_export(b);
	ok(fd);
	ok(ferry_adopt(&b, fd));
	ck_assert_int_eq(ferry_read(b, text, 9, SOON), 5);
	ck_assert_int_eq(memcmp(text, "thing", 5), 0);
	part();
}
END_TEST

START_TEST(an_end_that_is_in_use_is_not_exported)
{
	struct ferry_message m;
	struct ferry_link *l;
	int fd;

	meet("channel:");
	ok(say(a, "x"));
	ok(ferry_take(b, &m, SOON));
	fails_saying(ferry_export(b), -EBUSY, "taken");
	ok(ferry_release(&m));
	ok(ferry_loan(b, 3, &m, SOON));
	fails(ferry_export(b), -EBUSY);
	ok(ferry_abandon(&m));
	fd = letter('x');
	fails_saying(ferry_adopt(&l, fd), -EINVAL, "no exported link");
	is_letter(fd, 'x');
	fails(ferry_adopt(&l, 250), -EINVAL);
	part();
}
END_TEST

/* What the child is given, it finds by number. */
static void answer_adopted(void *arg)
{
	struct ferry_link *l;

	ok(ferry_adopt(&l, *(int *)arg));
	hears(l, "hello");
	ok(say(l, "from the child"));
	ferry_close(l);
}

START_TEST(another_process_takes_over_an_end)
{
	char text[100];
	pid_t pid;
	int fd;

	meet("channel:");
	ok(say(a, "hello"));
	fd = ferry_export(b);
	ok(fd);
	pid = child(answer_adopted, &fd);
	close(fd);
	hears(a, "from the child");
	fails(ferry_recv(a, text, sizeof text, SOON), -ENODATA);
	expect_exit(pid, 0);
	ferry_close(a);
}
END_TEST

/* --- how it ended -------------------------------------------------------------------- */

static void connect_and(void *how)
{
	ok(ferry_open(&b, "channel:ends", FERRY_DUPLEX));
	ok(say(b, "here"));
	if (!how)
		kill(getpid(), SIGKILL);
	_exit(7);
}

/* A child, before and after we have waited for it. */
START_TEST(the_survivor_is_told_how_the_other_side_ended)
{
	int status = 0, waited = 0;
	struct ferry_link *door;
	char text[200];
	pid_t pid;

	ok(ferry_listen(&door, "channel:ends"));
	pid = child(connect_and, _i ? &status : NULL);
	ok(ferry_accept(door, &a, SOON));
	hears(a, "here");
	fails(ferry_recv(a, text, 1, SOON), -ECONNRESET);
	until(ferry_peer_exit(a, &status) != -EAGAIN);
	ok(ferry_peer_exit(a, &status));
	ck_assert_int_eq(waitpid(pid, &waited, 0), pid);
	ck_assert_int_eq(status, waited);
	ferry_explain(a, -ECONNRESET, text, sizeof text);
	if (ferry_peer_exit(a, &status) == 0) { /* the kernel keeps it */
		ck_assert_int_eq(status, waited);
		ck_assert_ptr_nonnull(
			strstr(text, _i ? "status 7" : "signal 9"));
	} else {
		fails(ferry_peer_exit(a, &status), -ENODATA);
	}
	ferry_close(a);
	ferry_close(door);
	meet("channel:"); /* both of them are ours */
	fails(ferry_peer_exit(a, &status), -EAGAIN);
	part();
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("channel");

	tcase_add_test(
		t, without_capacity_a_message_that_nobody_takes_was_not_sent);
	tcase_add_test(t,
		       without_capacity_a_send_ends_when_its_message_is_taken);
	tcase_add_test(t, without_capacity_an_event_loop_may_only_receive);
	tcase_add_test(t, half_duplex_lets_one_side_send_at_a_time);
	tcase_add_test(
		t,
		half_duplex_goes_to_and_fro_with_nothing_but_send_and_receive);
	tcase_add_test(t, addresses_that_choose_nonsense_are_refused);
	tcase_add_test(t, an_end_becomes_a_descriptor_and_an_end_again);
	tcase_add_test(t, a_stream_goes_on_in_the_middle_of_a_piece);
	tcase_add_test(t, an_end_that_is_in_use_is_not_exported);
	tcase_add_test(t, another_process_takes_over_an_end);
	tcase_add_loop_test(t, the_survivor_is_told_how_the_other_side_ended, 0,
			    2);
	return unit_main(t, "channel");
}

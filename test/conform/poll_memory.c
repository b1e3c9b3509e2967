/* SPDX-License-Identifier: MIT */
/*
 * Event loops that wait for memory: beside receivers that sleep, many of them, from
 * several threads.  Each test runs twice: with io_uring,
 * and with a thread instead.
 */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "conform.h"
#include "loops.h"

#define LINKS 100

/* The early looks for the dead of all who wait are over: from now on each hears only
 * of what happens. */
#define EARLY_LOOKS_MS 150

static void settle(int fd, struct ferry_link *l)
{
	struct pollfd p = { fd, POLLIN, 0 };
	ferry_time end = ferry_after(FERRY_MS(EARLY_LOOKS_MS));

	while (ferry_after(0) < end)
		if (poll(&p, 1, EARLY_LOOKS_MS) == 1)
			ck_assert_int_eq(loop_receive(l), -EAGAIN);
}

/* --- beside sleepers ---------------------------------------------------------- */

static void *sleep_for_one(void *arg)
{
	char buf[16];

	return (void *)(intptr_t)ferry_recv(arg, buf, sizeof buf, SOON);
}

static pthread_t start_sleeper(struct ferry_link *l, int n)
{
	pthread_t t;

	ck_assert_int_eq(pthread_create(&t, NULL, sleep_for_one, l), 0);
	until_asleep(n);
	return t;
}

static void expect_one(pthread_t t)
{
	void *got;

	pthread_join(t, &got);
	ck_assert_int_eq((intptr_t)got, 1);
}

/* It lay down first, so that a wake-up for one would be its own. */
START_TEST(a_loop_that_does_not_come_takes_no_wake_up_from_a_receiver)
{
	struct ferry_link *a, *b;
	int fd, threads;
	pthread_t t;

	loop_begin(_i);
	a = loop_box("box");
	threads = _i == 1; /* the library's own sleeps, too */
	ok(NULL, ferry_open(&b, "box", FERRY_DUPLEX));
	fd = loop_of(a);
	settle(fd, a);
	t = start_sleeper(b, 1 + threads);
	poll(NULL, 0, EARLY_LOOKS_MS);
	send_text(b, "x");
	expect_one(t);
	ck_assert(loop_readable(fd));
	ck_assert_int_eq(loop_receive(a), -EAGAIN);
	ferry_close(a);
	ferry_close(b);
}
END_TEST

START_TEST(a_sleeping_receiver_takes_no_wake_up_from_a_loop)
{
	struct ferry_link *a, *b;
	pthread_t t;
	int fd;

	loop_begin(_i);
	a = loop_box("box");
	ok(NULL, ferry_open(&b, "box", FERRY_DUPLEX));
	t = start_sleeper(b, 1);
	fd = loop_of(a);
	send_text(b, "x");
	send_text(b, "y");
	expect_one(t);
	ck_assert(loop_readable(fd));
	ok(a, loop_receive(a));
	ferry_close(a);
	ferry_close(b);
}
END_TEST

START_TEST(all_loops_are_told)
{
	struct ferry_link *a[3], *b;
	int fd[3];

	loop_begin(_i);
	b = loop_box("box");
	for (int i = 0; i < 3; i++) {
		ok(NULL, ferry_open(&a[i], "box", FERRY_RECV | FERRY_THREAD));
		fd[i] = loop_of(a[i]);
		settle(fd[i], a[i]);
	}
	send_text(b, "x");
	for (int i = 0; i < 3; i++)
		ck_assert(loop_readable(fd[i]));
	ok(a[1], loop_receive(a[1]));
	for (int i = 0; i < 3; i++)
		ferry_close(a[i]);
	ferry_close(b);
}
END_TEST

/* --- what else there is to hear of -------------------------------------------- */

START_TEST(what_was_put_back_for_later_is_told_when_it_is_due)
{
	struct ferry_message m;
	struct ferry_link *l;
	ssize_t r;
	int fd;

	loop_begin(_i);
	l = loop_box("box");
	send_text(l, "x");
	fd = ferry_pollfd(l, FERRY_RECV);
	ok(l, ferry_take(l, &m, FERRY_NOWAIT));
	ok(l, ferry_requeue(&m, FERRY_MS(30)));
	while ((r = loop_receive(l)) == -EAGAIN)
		ck_assert(loop_readable(fd));
	ok(l, r);
	ferry_close(l);
}
END_TEST

START_TEST(a_removal_is_told)
{
	struct ferry_link *box, *topic;
	int in_box, in_topic;

	loop_begin(_i);
	box = loop_box("box");
	ok(NULL, ferry_open(&topic, "topic:news", FERRY_RECV | FERRY_THREAD));
	in_box = loop_of(box);
	in_topic = loop_of(topic);
	settle(in_box, box);
	settle(in_topic, topic);
	ok(NULL, ferry_destroy("mailbox:box"));
	ok(NULL, ferry_destroy("topic:news"));
	ck_assert(loop_readable(in_box));
	ck_assert(loop_readable(in_topic));
	fails(box, loop_receive(box), -ESTALE);
	fails(topic, loop_receive(topic), -ESTALE);
	ferry_close(box);
	ferry_close(topic);
}
END_TEST

static void take_and_die(void *arg)
{
	struct ferry_message m;
	struct ferry_link *l;

	(void)arg;
	ok(NULL, ferry_open(&l, "box", FERRY_RECV));
	ok(l, ferry_take(l, &m, FERRY_NOWAIT));
	kill(getpid(), SIGKILL);
}

/* Nobody else is there who could look after the dead. */
START_TEST(what_a_dead_receiver_had_is_told)
{
	struct ferry_link *l;
	pid_t pid;
	ssize_t r;
	int fd;

	loop_begin(_i);
	l = loop_box("box");
	send_text(l, "x");
	pid = child(take_and_die, NULL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	fd = ferry_pollfd(l, FERRY_RECV);
	while ((r = loop_receive(l)) == -EAGAIN)
		ck_assert(loop_readable(fd));
	ok(l, r);
	ferry_close(l);
}
END_TEST

START_TEST(who_waits_for_subscribers_changes_nothing_for_a_loop)
{
	struct ferry_link *l;
	int fd;

	loop_begin(_i);
	ok(NULL, ferry_open(&l, "topic:news", FERRY_SEND | FERRY_THREAD));
	fd = ferry_pollfd(l, FERRY_SEND);
	ok(l, fd);
	ck_assert_int_eq(ferry_topic_wait(l, 1, FERRY_NOWAIT), -EAGAIN);
	ck_assert(loop_readable(fd));
	ok(l, ferry_send(l, "x", 1, FERRY_NOWAIT));
	ferry_close(l);
}
END_TEST

/* --- many --------------------------------------------------------------------- */

START_TEST(a_hundred_mailboxes_fit_into_one_loop)
{
	struct epoll_event e = { .events = EPOLLIN };
	int set = epoll_create1(EPOLL_CLOEXEC);
	struct ferry_link *l[LINKS];
	char name[20];
	ssize_t r;

	loop_begin(_i);
	for (unsigned i = 0; i < LINKS; i++) {
		snprintf(name, sizeof name, "box%u", i);
		l[i] = loop_box(name);
		e.data.u32 = i;
		ck_assert_int_eq(
			epoll_ctl(set, EPOLL_CTL_ADD, loop_of(l[i]), &e), 0);
	}
	for (unsigned n = 0, at = 0; n < LINKS; n++) {
		at = (at + 37) % LINKS;
		send_text(l[at], "x");
		do { /* others may have to look for the dead */
			ck_assert_int_eq(epoll_wait(set, &e, 1, 10000), 1);
			r = loop_receive(l[e.data.u32]);
		} while (r == -EAGAIN);
		ok(l[at], r);
		ck_assert_uint_eq(e.data.u32, at);
	}
	for (unsigned i = 0; i < LINKS; i++)
		ferry_close(l[i]);
	close(set);
}
END_TEST

/* --- threads ------------------------------------------------------------------ */

#define MESSAGES 2000

static int left;

static void *loop(void *arg)
{
	struct ferry_link *l = arg;
	int fd = ferry_pollfd(l, FERRY_RECV);
	ssize_t r;

	while (__atomic_load_n(&left, __ATOMIC_SEQ_CST) > 0) {
		if (!loop_readable(fd))
			return (void *)"a loop was not told";
		r = loop_receive(l);
		if (r >= 0 &&
		    __atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST) == 0)
			ferry_cancel(l); /* the others are done, too */
		else if (r < 0 && r != -EAGAIN && r != -ECANCELED)
			return (void *)"a loop got an error";
	}
	return NULL;
}

static void send_all(void *arg)
{
	struct ferry_link *l;

	(void)arg;
	ok(NULL, ferry_open(&l, "box", FERRY_SEND));
	for (int i = 0; i < MESSAGES; i++)
		ok(l, ferry_send(l, "x", 1, SOON));
	ferry_close(l);
}

START_TEST(threads_share_a_link_that_they_poll)
{
	struct ferry_link *l;
	pthread_t t[3];
	void *what;
	pid_t pid;

	loop_begin(_i);
	l = loop_box("box");
	left = MESSAGES;
	pid = child(send_all, NULL);
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, loop, l);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &what);
		ck_assert_msg(!what, "%s", (char *)what);
	}
	expect_exit(pid, 0);
	ferry_close(l);
}
END_TEST

static void *receive_once(void *arg)
{
	return (void *)(intptr_t)loop_receive(arg);
}

/* What a thread waits for is not forgotten with the thread. */
START_TEST(a_thread_that_ends_takes_nothing_with_it)
{
	struct ferry_link *l;
	pthread_t t;
	void *r;
	int fd;

	loop_begin(_i);
	l = loop_box("box");
	fd = ferry_pollfd(l, FERRY_RECV);
	ok(l, fd);
	for (int i = 0; i < 10; i++) {
		pthread_create(&t, NULL, receive_once, l);
		pthread_join(t, &r);
		ck_assert_int_eq((intptr_t)r, -EAGAIN);
		send_text(l, "x");
		ck_assert(loop_readable(fd));
		ok(l, loop_receive(l));
	}
	ferry_close(l);
}
END_TEST

/* --- where it cannot be ------------------------------------------------------- */

START_TEST(without_io_uring_it_takes_a_thread_that_was_allowed)
{
	struct ferry_link *l, *topic;

	loop_begin(1);
	l = loop_box("box");
	ok(NULL, ferry_open(&topic, "topic:news", FERRY_RECV));
	ok(l, ferry_pollfd(l, FERRY_RECV));
	fails(topic, ferry_pollfd(topic, FERRY_RECV), -EOPNOTSUPP);
	says(topic, -EOPNOTSUPP, "FERRY_THREAD");
	says(topic, -EOPNOTSUPP, "FERRY_IO_URING=0");
	ferry_close(l);
	ferry_close(topic);
}
END_TEST

void add_poll_memory_tests(TCase *tc)
{
	tcase_add_loop_test(
		tc, a_loop_that_does_not_come_takes_no_wake_up_from_a_receiver,
		0, 2);
	tcase_add_loop_test(
		tc, a_sleeping_receiver_takes_no_wake_up_from_a_loop, 0, 2);
	tcase_add_loop_test(tc, all_loops_are_told, 0, 2);
	tcase_add_loop_test(
		tc, what_was_put_back_for_later_is_told_when_it_is_due, 0, 2);
	tcase_add_loop_test(tc, a_removal_is_told, 0, 2);
	tcase_add_loop_test(tc, what_a_dead_receiver_had_is_told, 0, 2);
	tcase_add_loop_test(
		tc, who_waits_for_subscribers_changes_nothing_for_a_loop, 0, 2);
	tcase_add_loop_test(tc, a_hundred_mailboxes_fit_into_one_loop, 0, 2);
	tcase_add_loop_test(tc, threads_share_a_link_that_they_poll, 0, 2);
	tcase_add_loop_test(tc, a_thread_that_ends_takes_nothing_with_it, 0, 2);
	tcase_add_test(tc, without_io_uring_it_takes_a_thread_that_was_allowed);
}

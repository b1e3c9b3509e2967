/* SPDX-License-Identifier: MIT */
/*
 * Event loops that wait for memory: what the dead had comes back to them, and what they
 * are told where nobody can sleep in their place.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "conform.h"
#include "loops.h"

/* --- what they share ------------------------------------------------------------ */

void loop_begin(int i)
{
	f = NULL;
	/* no look in the place of a wake-up: see settle() */
	ck_assert_int_eq(setenv("FERRY_NET_MS", "0", 1), 0);
	if (i == 1)
		ck_assert_int_eq(setenv("FERRY_IO_URING", "0", 1), 0);
}

struct ferry_link *loop_box(const char *name)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *l;

	o.capacity = 4;
	o.flags = FERRY_THREAD;
	ok(NULL, ferry_mailbox_create(&l, name, &o));
	return l;
}

bool loop_readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 10000) == 1;
}

ssize_t loop_receive(struct ferry_link *l)
{
	char buf[16];

	return ferry_recv(l, buf, sizeof buf, FERRY_NOWAIT);
}

int loop_of(struct ferry_link *l)
{
	int fd = ferry_pollfd(l, FERRY_RECV);

	ok(l, fd);
	ck_assert_int_eq(loop_receive(l), -EAGAIN);
	return fd;
}

/* --- the dead ------------------------------------------------------------------- */

/* With the looks of the net, which are read once. */
static void begin_with_net(int way)
{
	loop_begin(way);
	unsetenv("FERRY_NET_MS");
}

static void take_and_die(void *name)
{
	struct ferry_message m;
	struct ferry_link *l;

	ok(NULL, ferry_open(&l, name, FERRY_RECV));
	ok(l, ferry_take(l, &m, FERRY_NOWAIT));
	kill(getpid(), SIGKILL);
}

/* Of a message that nobody is left to give back. */
static void lose_to_the_dead(struct ferry_link *l, const char *name)
{
	pid_t pid;

	send_text(l, "held");
	pid = child(take_and_die, (void *)(uintptr_t)name);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_loop_that_never_rests_looks_for_the_dead)
{
	struct ferry_link *l;
	ferry_time end;

	begin_with_net(_i);
	l = loop_box("box");
	loop_of(l);
	lose_to_the_dead(l, "box");
	end = SOON;
	while (loop_receive(l) == -EAGAIN) {
		ck_assert(ferry_after(0) < end);
		usleep(5000); /* less than until its first look */
	}
	ferry_close(l);
}
END_TEST

START_TEST(a_loop_that_always_gets_something_looks_for_the_dead)
{
	bool returned = false;
	struct ferry_message m;
	struct ferry_link *l;
	ferry_time end;

	begin_with_net(_i);
	l = loop_box("box");
	loop_of(l);
	lose_to_the_dead(l, "box");
	end = SOON;
	while (!returned) {
		ck_assert(ferry_after(0) < end);
		while (ferry_take(l, &m, FERRY_NOWAIT) == 0) {
			returned |= m.redelivered;
			ok(l, ferry_release(&m));
		}
		usleep(200); /* what it does with it */
		send_text(l, "another");
	}
	ferry_close(l);
}
END_TEST

#define LINKS 60

/* One turn of the loop: what link `of` got. */
static ssize_t turn(struct ferry_link **links, struct pollfd *p, int ms, int of)
{
	ssize_t got = -EAGAIN;
	int n = poll(p, LINKS, ms);

	ck_assert_int_ge(n, 0);
	for (int i = 0; n > 0 && i < LINKS; i++)
		if (p[i].revents && i == of)
			got = loop_receive(links[i]);
		else if (p[i].revents)
			ck_assert_int_eq(loop_receive(links[i]), -EAGAIN);
	return got;
}

/* The first two looks of each are over by then. */
#define EARLY_LOOKS_MS 150

/* Each looks in its turn of a second; each after as many seconds as there are links
 * would take longer than a test may. */
START_TEST(loops_of_many_links_look_in_turn)
{
	struct ferry_link *links[LINKS];
	struct pollfd p[LINKS];
	ferry_time end;
	char name[8];

	begin_with_net(_i);
	for (int i = 0; i < LINKS; i++) {
		snprintf(name, sizeof name, "box%d", i);
		links[i] = loop_box(name);
		p[i] = (struct pollfd){ loop_of(links[i]), POLLIN, 0 };
	}
	end = ferry_after(FERRY_MS(EARLY_LOOKS_MS));
	while (ferry_after(0) < end)
		ck_assert_int_eq(turn(links, p, EARLY_LOOKS_MS, 0), -EAGAIN);
	lose_to_the_dead(links[0], "box0");
	while (turn(links, p, 10000, 0) == -EAGAIN)
		;
	for (int i = 0; i < LINKS; i++)
		ferry_close(links[i]);
}
END_TEST

/* --- nobody to sleep ------------------------------------------------------------ */

static void *receive_once(void *arg)
{
	return (void *)(intptr_t)loop_receive(arg);
}

/* A ring belongs to a thread; now none can be made any more. */
static void take_its_ring(struct ferry_link *l)
{
	struct rlimit r;
	pthread_t t;
	void *got;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	pthread_create(&t, NULL, receive_once, l);
	pthread_join(t, &got);
	ck_assert_int_eq((intptr_t)got, -EAGAIN);
}

static void allow_descriptors(void)
{
	struct rlimit r;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = r.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
}

START_TEST(a_loop_of_edges_hears_that_nobody_sleeps_for_it)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	int set = epoll_create1(EPOLL_CLOEXEC), fd;
	struct ferry_link *l;

	ok(NULL, ferry_mailbox_create(&l, "box", NULL)); /* no thread */
	fd = ferry_pollfd(l, FERRY_RECV);
	skip_unless(fd != -EOPNOTSUPP, "there is no io_uring here");
	ok(l, fd);
	ck_assert_int_eq(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e), 0);
	ck_assert_int_eq(loop_receive(l), -EAGAIN);
	while (epoll_wait(set, &e, 1, 0) == 1)
		;
	take_its_ring(l);
	for (int i = 0; i < 3; i++) { /* it goes on asking */
		ck_assert_int_eq(epoll_wait(set, &e, 1, 10000), 1);
		ck_assert_int_eq(loop_receive(l), -EAGAIN);
	}
	allow_descriptors();
	send_text(l, "x");
	ck_assert_int_eq(epoll_wait(set, &e, 1, 10000), 1);
	ck_assert_int_eq(loop_receive(l), 1);
	ferry_close(l);
	close(set);
}
END_TEST

START_TEST(a_thread_takes_over_where_no_ring_can_be_made)
{
	struct ferry_link *l;
	int fd;

	loop_begin(0);
	l = loop_box("box");
	fd = loop_of(l);
	take_its_ring(l);
	ck_assert_int_eq(loop_receive(l), -EAGAIN);
	send_text(l, "x");
	ck_assert(loop_readable(fd));
	ck_assert_int_eq(loop_receive(l), 1);
	ck_assert_int_eq(loop_receive(l), -EAGAIN);
	ck_assert_int_eq(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0), 0);
	allow_descriptors();
	ferry_close(l);
}
END_TEST

void add_poll_dead_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_loop_that_never_rests_looks_for_the_dead, 0,
			    2);
	tcase_add_loop_test(
		tc, a_loop_that_always_gets_something_looks_for_the_dead, 0, 2);
	tcase_add_loop_test(tc, loops_of_many_links_look_in_turn, 0, 2);
	tcase_add_test(tc, a_loop_of_edges_hears_that_nobody_sleeps_for_it);
	tcase_add_test(tc, a_thread_takes_over_where_no_ring_can_be_made);
}

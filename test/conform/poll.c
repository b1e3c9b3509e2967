/* SPDX-License-Identifier: MIT */
/*
 * A descriptor for an event loop: readable when a call may be worth it.
 *
 * Who sleeps on memory does it through io_uring or through a thread: a test of such
 * a fixture runs both ways.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#include "conform.h"

#define PIECE 1000

static char piece[PIECE];

#define BY_THREAD 1000 /* added to the number of the fixture */

static void begin_poll(int i)
{
	if (i >= BY_THREAD)
		ck_assert_int_eq(setenv("FERRY_IO_URING", "0", 1), 0);
	/* no look of a loop in the place of a wake-up: see settle() */
	ck_assert_int_eq(setenv("FERRY_NET_MS", "0", 1), 0);
	begin(i % BY_THREAD);
}

static int pollfd_of(struct ferry_link *l, unsigned direction)
{
	int fd = ferry_pollfd(l, direction);

	ok(l, fd);
	return fd;
}

static ssize_t receive(void)
{
	char buf[2 * PIECE];

	return f->stream ? ferry_read(receiver, buf, sizeof buf, FERRY_NOWAIT) :
			   ferry_recv(receiver, buf, sizeof buf, FERRY_NOWAIT);
}

static ssize_t send(void)
{
	size_t len = f->values ? 4 : PIECE;

	fill(piece, len, 1);
	return f->stream ? ferry_write(sender, piece, len, FERRY_NOWAIT) :
			   ferry_send(sender, piece, len, FERRY_NOWAIT);
}

/* Whether it is readable, after a time if it is to become so. */
static bool readable(int fd, bool becomes)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, becomes ? 10000 : 0) == 1;
}

/* Call until there is nothing, as an event loop does. */
static unsigned receive_all(void)
{
	unsigned n = 0;
	ssize_t r;

	while ((r = receive()) >= 0)
		n++;
	ck_assert_int_eq(r, -EAGAIN);
	return n;
}

/* Readable for nothing it may be, to look for the dead or at the time of a tick;
 * not for long. */
static bool is_quiet(int fd)
{
	for (int i = 0; i < 5; i++) {
		if (!readable(fd, false))
			return true;
		ck_assert_uint_eq(receive_all(), 0);
	}
	return f->ticks;
}

/* The two early looks of a loop for the dead are over: from now on it hears only of
 * what happens. */
#define EARLY_LOOKS_MS 150

static void settle(int fd, ssize_t (*call)(void))
{
	struct pollfd p = { fd, POLLIN, 0 };
	ferry_time end = ferry_after(FERRY_MS(EARLY_LOOKS_MS));

	while (f->in_memory && ferry_after(0) < end)
		if (poll(&p, 1, EARLY_LOOKS_MS) == 1)
			ck_assert_int_eq(call(), -EAGAIN);
}

START_TEST(what_comes_makes_it_readable_until_it_was_received)
{
	int fd;

	begin_poll(_i);
	fd = pollfd_of(receiver, FERRY_RECV);
	ck_assert_uint_eq(receive_all(), 0);
	settle(fd, receive);
	ck_assert(is_quiet(fd));
	for (int i = 0; i < 50; i++) {
		ok(sender, send());
		ok(sender, send());
		ck_assert(readable(fd, true));
		ok(receiver, receive());
		ck_assert(readable(fd, true)); /* nobody has said -EAGAIN */
		receive_all();
		ck_assert(is_quiet(fd));
	}
	ck_assert_int_eq(pollfd_of(receiver, FERRY_RECV), fd);
}
END_TEST

/* As the loops of most languages: told as long as it lasts, one call each time. */
START_TEST(one_call_a_turn_of_the_loop_gets_everything)
{
	struct epoll_event e = { .events = EPOLLIN };
	int set = epoll_create1(EPOLL_CLOEXEC), fd, n = 0;
	ssize_t r;

	begin_poll(_i);
	fd = pollfd_of(receiver, FERRY_RECV);
	ck_assert_int_eq(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e), 0);
	for (int i = 0; i < 8 && !f->stream; i++)
		ok(sender, send());
	if (f->stream)
		ok(sender, send());
	do {
		ck_assert_int_eq(epoll_wait(set, &e, 1, 10000), 1);
		r = receive();
		n += r >= 0;
	} while (r >= 0);
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_int_ge(n, f->stream ? 1 : 8);
	close(set);
}
END_TEST

static void send_later(void *arg)
{
	(void)arg;
	sender = childs_sender();
	for (int i = 0; i < 3; i++) {
		usleep(3000); /* the parent is likely to sleep */
		ok(sender, send());
	}
	close_end(&sender);
}

START_TEST(a_sender_in_another_process_makes_it_readable)
{
	size_t want, got = 0;
	ssize_t r;
	pid_t pid;
	int fd;

	begin_poll(_i);
	fd = pollfd_of(receiver, FERRY_RECV);
	receive_all();
	settle(fd, receive);
	want = 3 * (f->values ? 4 : PIECE);
	pid = child(send_later, NULL);
	for (unsigned n = 0; f->values ? n < 3 : got < want;) {
		ck_assert(readable(fd, true));
		while ((r = receive()) >= 0) {
			got += (size_t)r;
			n++;
		}
		ck_assert_msg(r == -EAGAIN || got >= want, "%s",
			      ferry_error_name((int)r));
	}
	expect_exit(pid, 0);
}
END_TEST

START_TEST(a_cancel_makes_it_readable)
{
	int fd;

	begin_poll(_i);
	fd = pollfd_of(receiver, FERRY_RECV);
	ck_assert_uint_eq(receive_all(), 0);
	ferry_cancel(receiver);
	ck_assert(readable(fd, true));
	fails(receiver, receive(), -ECANCELED);
	ck_assert(readable(fd, true));
	ferry_resume(receiver);
	ck_assert_uint_eq(receive_all(), 0);
	ck_assert(is_quiet(fd));
}
END_TEST

START_TEST(one_that_was_cancelled_before_is_readable)
{
	begin_poll(_i);
	ferry_cancel(receiver);
	ck_assert(readable(pollfd_of(receiver, FERRY_RECV), true));
	fails(receiver, receive(), -ECANCELED);
}
END_TEST

START_TEST(the_end_makes_it_readable)
{
	int fd;

	begin_poll(_i);
	if (f->closed == -ETIMEDOUT)
		return; /* others may still come */
	fd = pollfd_of(receiver, FERRY_RECV);
	ck_assert_uint_eq(receive_all(), 0);
	close_end(&sender);
	ck_assert(readable(fd, true));
	fails(receiver, receive(), f->closed);
}
END_TEST

START_TEST(an_end_of_sending_makes_it_readable)
{
	int fd;

	begin_poll(_i);
	if (!f->shutdown)
		return;
	fd = pollfd_of(receiver, FERRY_RECV);
	ck_assert_uint_eq(receive_all(), 0);
	settle(fd, receive);
	ok(sender, ferry_shutdown(sender, FERRY_SEND));
	ck_assert(readable(fd, true));
	fails(receiver, receive(), -ENODATA);
	ck_assert(readable(fd, true));
}
END_TEST

/* What TCP has sent and not yet handed over comes while the rest is received. */
static bool readable_while_received(int fd)
{
	struct pollfd p[] = {
		{ fd, POLLIN, 0 },
		{ pollfd_of(receiver, FERRY_RECV), POLLIN, 0 },
	};

	while (poll(p, 2, 10000) > 0) {
		if (p[0].revents)
			return true;
		receive_all();
	}
	return false;
}

/* What it was taken from is empty, as where a framing has it now. */
START_TEST(a_look_at_the_next_length_leaves_it_readable)
{
	int fd;

	begin_poll(_i);
	if (f->stream || f->untold)
		return;
	fd = pollfd_of(receiver, FERRY_RECV);
	ck_assert_uint_eq(receive_all(), 0);
	ok(sender, send());
	ck_assert(readable(fd, true));
	ok(receiver, ferry_next_len(receiver));
	ck_assert(readable(fd, true));
	ok(receiver, receive());
}
END_TEST

START_TEST(an_end_of_ones_own_makes_it_readable)
{
	int fd;

	begin_poll(_i);
	fd = pollfd_of(receiver, FERRY_RECV);
	ck_assert_uint_eq(receive_all(), 0);
	settle(fd, receive);
	if (ferry_shutdown(receiver, FERRY_RECV) == -EOPNOTSUPP)
		return;
	ck_assert(readable(fd, true));
	ck_assert_int_ne(receive(), -EAGAIN);
}
END_TEST

START_TEST(room_makes_it_readable)
{
	unsigned n = 0;
	ssize_t r;
	int fd;

	begin_poll(_i);
	fd = pollfd_of(sender, FERRY_SEND);
	if (f->endless || f->drops)
		return;
	/* again where it has become readable: TCP moves some on to the receiver */
	while ((r = send()) >= 0 || (!f->ticks && readable(fd, false)))
		ck_assert_uint_lt(n++, 100000);
	ck_assert_int_eq(r, -EAGAIN);
	settle(fd, send);
	receive_all();
	ck_assert(readable_while_received(fd));
	ok(sender, send());
}
END_TEST

START_TEST(one_that_is_no_direction_is_refused)
{
	begin_poll(_i);
	fails(receiver, ferry_pollfd(receiver, 0), -EINVAL);
	fails(receiver, ferry_pollfd(receiver, FERRY_DUPLEX), -EINVAL);
	if (!f->duplex)
		fails(receiver, ferry_pollfd(receiver, FERRY_SEND), -EINVAL);
}
END_TEST

/* What of the parent's the child closes leaves the parent's as it was. */
static void poll_in_child(void *arg)
{
	int parents = *(int *)arg;

	if (f->forked == -ESTALE) {
		fails(receiver, ferry_pollfd(receiver, FERRY_RECV), -ESTALE);
		ok(receiver, ferry_adopt_after_fork(receiver));
	}
	ck_assert_int_ne(pollfd_of(receiver, FERRY_RECV), parents);
	receive_all();
	close_ends();
}

/* ThreadSanitizer forbids a child of several threads to start one. */
#ifdef __SANITIZE_THREAD__
#define CHILD_MAY_THREAD false
#else
#define CHILD_MAY_THREAD true
#endif

START_TEST(a_child_asks_anew)
{
	bool takes_over;
	int fd;

	begin_poll(_i);
	takes_over = f->sender_in_child && !f->in_memory;
	fd = pollfd_of(receiver, FERRY_RECV);
	receive_all();
	if (takes_over)
		return; /* an end of a channel is the child's from then on */
	skip_unless(_i < BY_THREAD || CHILD_MAY_THREAD,
		    "ThreadSanitizer does not let a child start threads");
	expect_exit(child(poll_in_child, &fd), 0);
	ok(sender, send());
	ck_assert(readable(fd, true));
	ok(receiver, receive());
}
END_TEST

static void live_until_told(void *arg)
{
	char c;

	close(((int *)arg)[1]);
	ck_assert_int_eq(read(((int *)arg)[0], &c, 1), 0);
}

/* The child has a copy of the descriptor: it is not gone with the link. */
START_TEST(a_link_that_was_closed_tells_nothing_while_a_child_lives)
{
	struct epoll_event e = { .events = EPOLLIN };
	int set = epoll_create1(EPOLL_CLOEXEC), end[2];
	pid_t pid;

	begin_poll(_i);
	ck_assert_int_eq(pipe2(end, O_CLOEXEC), 0);
	ck_assert_int_eq(epoll_ctl(set, EPOLL_CTL_ADD,
				   pollfd_of(receiver, FERRY_RECV), &e),
			 0);
	ck_assert_int_eq(epoll_wait(set, &e, 1, 10000), 1);
	pid = child(live_until_told, end);
	ferry_cancel(receiver);
	close_ends();
	ck_assert_int_eq(epoll_wait(set, &e, 1, 0), 0);
	close(end[0]);
	close(end[1]);
	expect_exit(pid, 0);
	close(set);
}
END_TEST

/* Its own cancel, before and after it has adopted the link; the parent hears none. */
static void cancel_in_child(void *arg)
{
	int fd, again = f->forked != -ESTALE;

	(void)arg;
	if (!again)
		ok(receiver, ferry_adopt_after_fork(receiver));
	fd = pollfd_of(receiver, FERRY_RECV);
	for (int i = 0; i <= again; i++) {
		ck_assert_uint_eq(receive_all(), 0);
		settle(fd, receive);
		ferry_cancel(receiver);
		ck_assert(readable(fd, true));
		fails(receiver, receive(), -ECANCELED);
		ferry_resume(receiver);
		if (again)
			ok(receiver, ferry_adopt_after_fork(receiver));
		ck_assert_int_eq(pollfd_of(receiver, FERRY_RECV), fd);
	}
	close_ends();
}

START_TEST(a_child_hears_its_own_cancel)
{
	bool takes_over;
	int fd;

	begin_poll(_i);
	takes_over = f->sender_in_child && !f->in_memory;
	skip_unless(_i < BY_THREAD || CHILD_MAY_THREAD,
		    "ThreadSanitizer does not let a child start threads");
	if (takes_over)
		return;
	fd = pollfd_of(receiver, FERRY_RECV);
	ck_assert_uint_eq(receive_all(), 0);
	expect_exit(child(cancel_in_child, NULL), 0);
	settle(fd, receive);
	ck_assert(is_quiet(fd));
}
END_TEST

/* Those of the library, by their name; others may come and go. */
static int count_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	char path[300], name[20];
	struct dirent *e;
	int n = 0;
	FILE *comm;

	while ((e = readdir(d))) {
		snprintf(path, sizeof path, "/proc/self/task/%s/comm",
			 e->d_name);
		comm = fopen(path, "re");
		if (!comm)
			continue;
		if (fgets(name, sizeof name, comm))
			n += strcmp(name, "ferry-waits\n") == 0;
		fclose(comm);
	}
	closedir(d);
	return n;
}

START_TEST(no_descriptor_and_no_thread_is_left)
{
	int fds, threads = count_threads(), both;

	begin_poll(_i);
	fds = count_fds();
	pollfd_of(receiver, FERRY_RECV);
	receive_all();
	pollfd_of(sender, FERRY_SEND);
	ok(sender, send());
	both = count_fds() - fds;
	if (f->in_memory) /* a set, two eventfds, a timer, a ring; and cancel */
		ck_assert_int_eq(both, 2 * (_i >= BY_THREAD ? 5 : 6));
	if (f->in_memory && _i >= BY_THREAD)
		ck_assert_int_eq(count_threads(), threads + 1);
	fds = count_fds();
	close_end(&sender);
	ck_assert_int_le(count_fds(), fds - both / 2);
	close_end(&receiver);
	ck_assert_int_eq(count_threads(), threads);
}
END_TEST

static void add(TCase *tc, int i)
{
	tcase_add_loop_test(tc,
			    what_comes_makes_it_readable_until_it_was_received,
			    i, i + 1);
	tcase_add_loop_test(tc, one_call_a_turn_of_the_loop_gets_everything, i,
			    i + 1);
	tcase_add_loop_test(tc, a_sender_in_another_process_makes_it_readable,
			    i, i + 1);
	tcase_add_loop_test(tc, a_cancel_makes_it_readable, i, i + 1);
	tcase_add_loop_test(tc, one_that_was_cancelled_before_is_readable, i,
			    i + 1);
	tcase_add_loop_test(tc, the_end_makes_it_readable, i, i + 1);
	tcase_add_loop_test(tc, an_end_of_sending_makes_it_readable, i, i + 1);
	tcase_add_loop_test(tc, a_look_at_the_next_length_leaves_it_readable, i,
			    i + 1);
	tcase_add_loop_test(tc, an_end_of_ones_own_makes_it_readable, i, i + 1);
	tcase_add_loop_test(tc, room_makes_it_readable, i, i + 1);
	tcase_add_loop_test(tc, one_that_is_no_direction_is_refused, i, i + 1);
	tcase_add_loop_test(tc, a_child_asks_anew, i, i + 1);
	tcase_add_loop_test(tc, a_child_hears_its_own_cancel, i, i + 1);
	tcase_add_loop_test(
		tc, a_link_that_was_closed_tells_nothing_while_a_child_lives, i,
		i + 1);
	tcase_add_loop_test(tc, no_descriptor_and_no_thread_is_left, i, i + 1);
}

void add_poll_tests(TCase *tc, int i)
{
	add(tc, i);
	if (fixture((unsigned)i)->in_memory)
		add(tc, i + BY_THREAD);
}

/* SPDX-License-Identifier: MIT */
/* A descriptor for an event loop: readable when a call may be worth it. */
#include <poll.h>

#include "conform.h"

#define PIECE 1000

static char piece[PIECE];

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

static int pollfd_of(struct ferry_link *l, unsigned direction)
{
	int fd = ferry_pollfd(l, direction);

	if (f->in_memory)
		fails(l, fd, -EOPNOTSUPP);
	else
		ok(l, fd);
	return fd;
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

START_TEST(what_comes_makes_it_readable_until_it_was_received)
{
	int fd;

	begin(_i);
	fd = pollfd_of(receiver, FERRY_RECV);
	if (fd < 0)
		return;
	ck_assert_uint_eq(receive_all(), 0);
	ck_assert(f->ticks || !readable(fd, false));
	for (int i = 0; i < 50; i++) {
		ok(sender, send());
		ok(sender, send());
		ck_assert(readable(fd, true));
		ok(receiver, receive());
		ck_assert(readable(fd, true)); /* nobody has said -EAGAIN */
		receive_all();
		ck_assert(f->ticks || !readable(fd, false));
	}
	ck_assert_int_eq(pollfd_of(receiver, FERRY_RECV), fd);
}
END_TEST

START_TEST(a_cancel_makes_it_readable)
{
	int fd;

	begin(_i);
	fd = pollfd_of(receiver, FERRY_RECV);
	if (fd < 0)
		return;
	ck_assert_uint_eq(receive_all(), 0);
	ferry_cancel(receiver);
	ck_assert(readable(fd, true));
	fails(receiver, receive(), -ECANCELED);
}
END_TEST

START_TEST(the_end_makes_it_readable)
{
	int fd;

	begin(_i);
	if (f->closed == -ETIMEDOUT)
		return; /* others may still come */
	fd = pollfd_of(receiver, FERRY_RECV);
	ck_assert_uint_eq(receive_all(), 0);
	close_end(&sender);
	ck_assert(readable(fd, true));
	fails(receiver, receive(), f->closed);
}
END_TEST

START_TEST(room_makes_it_readable)
{
	unsigned n = 0;
	ssize_t r;
	int fd;

	begin(_i);
	fd = pollfd_of(sender, FERRY_SEND);
	if (fd < 0 || f->endless || f->drops)
		return;
	/* again where it has become readable: TCP moves some on to the receiver */
	while ((r = send()) >= 0 || (!f->ticks && readable(fd, false)))
		ck_assert_uint_lt(n++, 100000);
	ck_assert_int_eq(r, -EAGAIN);
	receive_all();
	ck_assert(readable(fd, true));
	ok(sender, send());
}
END_TEST

START_TEST(one_that_is_no_direction_is_refused)
{
	begin(_i);
	fails(receiver, ferry_pollfd(receiver, 0), -EINVAL);
	fails(receiver, ferry_pollfd(receiver, FERRY_DUPLEX), -EINVAL);
	if (!f->duplex && !f->in_memory)
		fails(receiver, ferry_pollfd(receiver, FERRY_SEND), -EINVAL);
}
END_TEST

void add_poll_tests(TCase *tc, int i)
{
	tcase_add_loop_test(tc,
			    what_comes_makes_it_readable_until_it_was_received,
			    i, i + 1);
	tcase_add_loop_test(tc, a_cancel_makes_it_readable, i, i + 1);
	tcase_add_loop_test(tc, the_end_makes_it_readable, i, i + 1);
	tcase_add_loop_test(tc, room_makes_it_readable, i, i + 1);
	tcase_add_loop_test(tc, one_that_is_no_direction_is_refused, i, i + 1);
}

/* SPDX-License-Identifier: MIT */
/* What goes beside the ring of a channel: descriptors and long messages. */
#include <pthread.h>
#include <sys/resource.h>

#include "link/channel_test.h"

/* --- descriptors ---------------------------------------------------------------- */

/* Two letters with `len` bytes. */
static void post(const char *letters, size_t len)
{
	static char text[300000];
	int fds[2] = { letter(letters[0]), letter(letters[1]) };

	memset(text, letters[0], len);
	ok(ferry_send_fds(a, text, len, fds, 2, FERRY_NOWAIT));
	close(fds[0]);
	close(fds[1]);
}

START_TEST(descriptors_come_with_their_message)
{
	static char text[300000];
	int fds[FERRY_FDS_MAX];
	unsigned n, before;

	meet("channel:");
	before = open_descriptors();
	post("ab", 10);
	ok(say(a, "between"));
	post("cd", 250000); /* longer than half of the ring, too */
	n = FERRY_FDS_MAX;
	ck_assert_int_eq(ferry_recv_fds(b, text, sizeof text, fds, &n, SOON),
			 10);
	ck_assert_uint_eq(n, 2);
	is_letter(fds[0], 'a');
	is_letter(fds[1], 'b');
	n = FERRY_FDS_MAX;
	ck_assert_int_eq(ferry_recv_fds(b, text, sizeof text, fds, &n, SOON),
			 7);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(ferry_next_len(b), 250000);
	n = 1; /* there is room for one of them */
	ck_assert_int_eq(ferry_recv_fds(b, text, sizeof text, fds, &n, SOON),
			 250000);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(text[249999], 'c');
	is_letter(fds[0], 'c');
	ck_assert_uint_eq(open_descriptors(), before);
	part();
}
END_TEST

START_TEST(descriptors_that_nobody_asked_for_are_closed)
{
	struct ferry_message m;
	unsigned before;
	char buf[20];

	meet("channel:");
	before = open_descriptors();
	for (unsigned i = 0; i < 300;
	     i++) { /* more than one process may have */
		post("xy", 10);
		if (i % 2) {
			ck_assert_int_eq(ferry_recv(b, buf, sizeof buf, SOON),
					 10);
			continue;
		}
		ok(ferry_take(b, &m, SOON));
		ck_assert_uint_eq(m.len, 10);
		ck_assert_int_eq(((char *)m.data)[9], 'x');
		ok(ferry_release(&m));
	}
	ck_assert_uint_eq(open_descriptors(), before);
	post("xy", 10); /* nobody receives it */
	part();
	ck_assert_uint_eq(open_descriptors(), before - 10);
}
END_TEST

static unsigned lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return (unsigned)fd;
}

START_TEST(without_room_for_its_descriptors_a_message_stays_first)
{
	struct rlimit old, low;
	int fds[2];
	unsigned n = 2;
	char buf[20];

	meet("channel:");
	post("pq", 10);
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = lowest_free() + 1; /* one is left */
	setrlimit(RLIMIT_NOFILE, &low);
	fails_saying(ferry_recv_fds(b, buf, sizeof buf, fds, &n, SOON), -EMFILE,
		     "stays first");
	setrlimit(RLIMIT_NOFILE, &old);
	ck_assert_int_eq(ferry_recv_fds(b, buf, sizeof buf, fds, &n, SOON), 10);
	is_letter(fds[0], 'p');
	is_letter(fds[1], 'q');
	fails_saying(ferry_send_fds(a, "", 0, (int[]){ 250 }, 1, SOON), -EINVAL,
		     "not open");
	ok(say(a, "on"));
	hears(b, "on");
	part();
}
END_TEST

START_TEST(other_transports_say_that_they_carry_no_descriptors)
{
	struct ferry_link *ends[2];

	ok(ferry_pair(ends, "unix:?framing=line"));
	fails_saying(ferry_send_fds(ends[0], "", 0, (int[]){ 1 }, 1, SOON),
		     -EOPNOTSUPP, "descriptors");
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}
END_TEST

/* --- long messages ---------------------------------------------------------------- */

#define LONG ((size_t)3 << 20)

START_TEST(a_message_may_be_longer_than_the_ring)
{
	static char out[LONG], in[LONG];
	struct ferry_message m, other;

	meet("channel:?ring=16K");
	for (size_t i = 0; i < LONG; i++)
		out[i] = (char)(i * 7 / 3);
	ok(say(a, "before"));
	ok(ferry_send(a, out, LONG, FERRY_NOWAIT));
	ok(say(a, "behind"));
	/* one at a time, or memory would have no bound */
	fails(ferry_send(a, out, LONG, FERRY_NOWAIT), -EAGAIN);
	hears(b, "before");
	ck_assert_int_eq(ferry_next_len(b), LONG);
	fails(ferry_recv(b, in, LONG - 1, SOON), -EMSGSIZE);
	ck_assert_int_eq(ferry_recv(b, in, LONG, SOON), LONG);
	ck_assert_int_eq(memcmp(in, out, LONG), 0);
	hears(b, "behind");

	ok(ferry_loan(a, LONG, &m, FERRY_NOWAIT));
	memcpy(m.data, out, LONG);
	m.len = LONG - 5;
	ok(ferry_commit(&m, FERRY_NOWAIT));
	ok(ferry_loan(a, LONG, &m, FERRY_NOWAIT));
	fails_saying(ferry_loan(a, 3, &other, FERRY_NOWAIT), -EBUSY, "a loan");
	fails(ferry_commit(&m, FERRY_NOWAIT), -EAGAIN);
	ok(ferry_abandon(&m));
	ok(ferry_loan(a, 3, &m, FERRY_NOWAIT));
	fails(ferry_loan(a, LONG, &other, FERRY_NOWAIT), -EBUSY);
	ok(ferry_abandon(&m));
	ok(ferry_take(b, &m, SOON));
	ck_assert_uint_eq(m.len, LONG - 5);
	ck_assert_int_eq(memcmp(m.data, out, m.len), 0);
	fails(ferry_send(a, out, LONG, FERRY_NOWAIT), -EAGAIN); /* it is read */
	ok(ferry_release(&m));
	ok(ferry_send(a, out, LONG, FERRY_NOWAIT));
	part();
}
END_TEST

static void *take_long(void *arg)
{
	static char in[LONG];

	for (unsigned i = 0; i < 20; i++) {
		ck_assert_int_eq(ferry_recv(b, in, LONG, SOON), LONG);
		ck_assert_int_eq(in[LONG - 1], (char)i);
	}
	return arg;
}

START_TEST(who_sends_long_messages_waits_for_the_one_before)
{
	static char out[LONG];
	pthread_t thread;

	meet("channel:?ring=16K");
	ck_assert_int_eq(pthread_create(&thread, NULL, take_long, NULL), 0);
	for (unsigned i = 0; i < 20; i++) {
		out[LONG - 1] = (char)i;
		ok(ferry_send(a, out, LONG, SOON));
	}
	pthread_join(thread, NULL);
	part();
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("channel beside");

	tcase_add_test(t, descriptors_come_with_their_message);
	tcase_add_test(t, descriptors_that_nobody_asked_for_are_closed);
	tcase_add_test(t,
		       without_room_for_its_descriptors_a_message_stays_first);
	tcase_add_test(t, other_transports_say_that_they_carry_no_descriptors);
	tcase_add_test(t, a_message_may_be_longer_than_the_ring);
	tcase_add_test(t, who_sends_long_messages_waits_for_the_one_before);
	return unit_main(t, "channel_beside");
}

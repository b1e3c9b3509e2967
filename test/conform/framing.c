/* SPDX-License-Identifier: MIT */
/* Framings over a stream whose other end is not Ferry: this test itself. */
#include <sys/socket.h>

#include "conform.h"

static int raw; /* our end of a socket pair */
static struct ferry_link *l;

static void open_over_socket(const char *keys)
{
	char address[80];
	int fds[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	snprintf(address, sizeof address, "fd:%d?%s", fds[0], keys);
	ok(NULL, ferry_open(&l, address, FERRY_DUPLEX));
	close(fds[0]);
	raw = fds[1];
	receiver = l; /* closed behind the test */
}

static void put(const char *bytes, size_t len)
{
	ck_assert_int_eq(write(raw, bytes, len), (ssize_t)len);
}

START_TEST(a_line_in_pieces_becomes_one_message)
{
	char buf[20];

	open_over_socket("framing=line");
	put("hel", 3);
	fails(l, ferry_recv(l, buf, sizeof buf, FERRY_NOWAIT), -EAGAIN);
	put("lo", 2);
	fails(l, ferry_recv(l, buf, sizeof buf, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	put("\n\nthird\n", 8);
	expect_text(l, "hello");
	expect_text(l, "");
	expect_text(l, "third");
	close(raw);
	fails(l, ferry_recv(l, buf, sizeof buf, SOON), -ENODATA);
}
END_TEST

START_TEST(a_length_in_pieces_becomes_one_message)
{
	char buf[20];

	open_over_socket("framing=len32");
	for (int i = 0; i < 8; i++) {
		fails(l, ferry_recv(l, buf, sizeof buf, FERRY_NOWAIT), -EAGAIN);
		put(&"\5\0\0\0hello"[i], 1);
	}
	put("o", 1);
	expect_text(l, "hello");
	close(raw);
}
END_TEST

START_TEST(what_is_sent_looks_as_promised)
{
	char buf[20];

	open_over_socket("framing=line");
	send_text(l, "hi");
	ck_assert_int_eq(read(raw, buf, sizeof buf), 3);
	ck_assert_mem_eq(buf, "hi\n", 3);
	close(raw);
}
END_TEST

START_TEST(an_end_inside_a_message_is_a_broken_connection)
{
	static const char *const cut[][2] = { { "framing=line", "no newline" },
					      { "framing=nul", "no zero" },
					      { "framing=len32", "\12" } };
	char buf[20];

	for (unsigned i = 0; i < 3; i++) {
		open_over_socket(cut[i][0]);
		put(cut[i][1], strlen(cut[i][1]));
		close(raw);
		fails(l, ferry_recv(l, buf, sizeof buf, SOON), -ECONNRESET);
		fails(l, ferry_recv(l, buf, sizeof buf, SOON), -ECONNRESET);
		fails(l, ferry_next_len(l), -ECONNRESET);
		close_end(&receiver);
	}
}
END_TEST

START_TEST(a_message_over_the_maximum_is_refused_before_it_is_held)
{
	char buf[20], why[200];

	open_over_socket("framing=len32&max=100");
	put("\0\0\0\100", 4); /* announces 1 GiB */
	fails(l, ferry_recv(l, buf, sizeof buf, SOON), -EBADMSG);
	fails(l, ferry_recv(l, buf, sizeof buf, SOON), -EBADMSG);
	ferry_explain(l, -EBADMSG, why, sizeof why);
	ck_assert_ptr_nonnull(strstr(why, "max="));
	close(raw);
	close_end(&receiver);
	open_over_socket("framing=line&max=4");
	put("1234\n12345", 10);
	expect_text(l, "1234");
	fails(l, ferry_recv(l, buf, sizeof buf, SOON), -EBADMSG);
	close(raw);
}
END_TEST

START_TEST(a_message_that_would_end_early_is_not_sent)
{
	char buf[20];

	open_over_socket("framing=line");
	fails(l, ferry_send(l, "two\nlines", 9, SOON), -EINVAL);
	send_text(l, "one");
	ck_assert_int_eq(read(raw, buf, sizeof buf), 4);
	close(raw);
}
END_TEST

/* The peer reads what was begun, and then the end: it can tell, too. */
START_TEST(a_frame_cut_by_its_deadline_breaks_the_sending_side)
{
	size_t len = 1u << 20, got = 0;
	char *data = malloc(len), buf[65536];
	ssize_t n;

	memset(data, 'x', len);
	open_over_socket("framing=len32");
	fails(l, ferry_send(l, data, len, ferry_after(SHORT_TIME)),
	      -ECONNRESET);
	fails(l, ferry_send(l, "x", 1, SOON), -ECONNRESET);
	while ((n = read(raw, buf, sizeof buf)) > 0)
		got += (size_t)n;
	ck_assert_int_eq(n, 0);
	ck_assert_uint_gt(got, 4);
	ck_assert_uint_lt(got, len);
	put("\2\0\0\0ok", 6); /* the other direction is whole */
	expect_text(l, "ok");
	close(raw);
	free(data);
}
END_TEST

START_TEST(a_small_frame_is_never_cut)
{
	char data[2000], buf[65536];
	size_t got = 0;
	unsigned n = 0;
	ssize_t r;

	memset(data, 'x', sizeof data);
	open_over_socket("framing=len32");
	while (ferry_send(l, data, sizeof data, FERRY_NOWAIT) == 0)
		n++;
	fails(l, ferry_send(l, data, sizeof data, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	ok(l, ferry_shutdown(l, FERRY_SEND));
	while ((r = read(raw, buf, sizeof buf)) > 0)
		got += (size_t)r;
	ck_assert_uint_eq(got, n * (sizeof data + 4));
	close(raw);
}
END_TEST

/* Frames of several pieces: who has begun one keeps the turn. */
static void *send_letter(void *arg)
{
	size_t len = 200000;
	char *data = malloc(len);
	int err;

	memset(data, (int)(intptr_t)arg, len);
	err = ferry_send(sender, data, len, SOON);
	free(data);
	return (void *)(intptr_t)err;
}

START_TEST(the_large_frames_of_two_threads_are_not_mixed)
{
	size_t len = 200000;
	char *buf = malloc(len);
	struct ferry_link *ends[2];
	pthread_t t[2];
	void *result;

	ok(NULL, ferry_pair(ends, "pipe:?framing=len32"));
	receiver = ends[0];
	sender = ends[1];
	for (intptr_t i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, send_letter, (void *)('a' + i));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(ferry_recv(receiver, buf, len, SOON),
				 (ssize_t)len);
		for (size_t k = 1; k < len; k++)
			ck_assert_int_eq(buf[k], buf[0]);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], &result);
		ck_assert_ptr_null(result);
	}
	free(buf);
}
END_TEST

void add_framing_tests(TCase *tc)
{
	tcase_add_test(tc, a_line_in_pieces_becomes_one_message);
	tcase_add_test(tc, a_length_in_pieces_becomes_one_message);
	tcase_add_test(tc, what_is_sent_looks_as_promised);
	tcase_add_test(tc, an_end_inside_a_message_is_a_broken_connection);
	tcase_add_test(tc,
		       a_message_over_the_maximum_is_refused_before_it_is_held);
	tcase_add_test(tc, a_message_that_would_end_early_is_not_sent);
	tcase_add_test(tc, a_frame_cut_by_its_deadline_breaks_the_sending_side);
	tcase_add_test(tc, a_small_frame_is_never_cut);
	tcase_add_test(tc, the_large_frames_of_two_threads_are_not_mixed);
}

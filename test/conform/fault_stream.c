/* SPDX-License-Identifier: MIT */
/* Bytes that are received with faults: a FIFO whose sending end has none. */
#include <stdint.h>

#include "fault.h"

/* The receiver with faults, and the sender. */
static void through_fifo(const char *keys)
{
	char address[ADDRESS_ROOM + 100];

	snprintf(address, sizeof address, "fault+fifo:%s/f?%s", place, keys);
	ok(NULL, ferry_open(&receiver, address, FERRY_RECV));
	snprintf(address, sizeof address, "fifo:%s/f", place);
	ok(NULL, ferry_open(&sender, address, FERRY_SEND));
}

static void write_text(const char *text)
{
	ssize_t len = (ssize_t)strlen(text);

	ck_assert_int_eq(ferry_write(sender, text, (size_t)len, SOON), len);
}

static void expect_stat(uint64_t passed, uint64_t delayed)
{
	struct ferry_fault_stat st;

	read_faults(receiver, &st);
	ck_assert_uint_eq(st.passed, passed);
	ck_assert_uint_eq(st.delayed, delayed);
}

/* By this seed the first time is more than four fifths of the longest. */
#define DELAYS	 "seed=10&delay=50ms"
#define LONGEST	 FERRY_MS(50)
#define AT_LEAST (LONGEST / 5 * 4)

START_TEST(the_time_of_a_delay_begins_when_there_are_bytes)
{
	char buf[16];
	ferry_time written;

	through_fifo(DELAYS);
	fails(receiver,
	      ferry_read(receiver, buf, sizeof buf, ferry_after(LONGEST)),
	      -ETIMEDOUT);
	expect_stat(0, 0);
	written = ferry_after(0);
	write_text("late");
	ck_assert_int_eq(ferry_read(receiver, buf, sizeof buf, SOON), 4);
	ck_assert_int_ge(ferry_after(0) - written, AT_LEAST);
	ck_assert_mem_eq(buf, "late", 4);
	expect_stat(4, 1);
}
END_TEST

START_TEST(what_was_read_waits_here_for_the_next_call)
{
	char buf[16];

	through_fifo("delay=1h");
	write_text("kept");
	fails(receiver, ferry_read(receiver, buf, sizeof buf, FERRY_NOWAIT),
	      -EAGAIN);
	expect_stat(0, 1);
	close_end(&sender);
	fails(receiver,
	      ferry_read(receiver, buf, sizeof buf, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	expect_stat(0, 1);
	ok(receiver, ferry_shutdown(receiver, FERRY_RECV));
	fails(receiver, ferry_read(receiver, buf, sizeof buf, FERRY_NOWAIT),
	      -ENODATA);
}
END_TEST

/* In parts, when the call for which it was read had more room. */
START_TEST(what_waited_is_handed_out_before_the_end)
{
	char buf[16];
	ssize_t n;

	through_fifo(DELAYS);
	write_text("abcdef");
	close_end(&sender);
	n = ferry_read(receiver, buf, sizeof buf, FERRY_NOWAIT);
	if (n == -EAGAIN) {
		ck_assert_int_eq(ferry_read(receiver, buf, 4, SOON), 4);
		ck_assert_int_eq(ferry_read(receiver, buf + 4, 9, FERRY_NOWAIT),
				 2);
		n = 6;
	}
	ck_assert_int_eq(n, 6);
	ck_assert_mem_eq(buf, "abcdef", 6);
	fails(receiver, ferry_read(receiver, buf, sizeof buf, SOON), -ENODATA);
	expect_stat(6, 1);
}
END_TEST

/* --- counted ------------------------------------------------------------------- */

#define LEN 64u

struct run {
	char got[LEN];
	struct ferry_fault_stat st;
};

/* Parts of 8 bytes; `polls`: with an attempt before there is something. */
static void run(struct run *r, const char *keys, bool polls)
{
	char sent[LEN], *buf = r->got;

	through_fifo(keys);
	fill(sent, LEN, 0);
	for (unsigned i = 0; i < LEN; i += 8) {
		if (polls)
			fails(receiver,
			      ferry_read(receiver, buf + i, 8, FERRY_NOWAIT),
			      -EAGAIN);
		ck_assert_int_eq(ferry_write(sender, sent + i, 8, SOON), 8);
		ck_assert_int_eq(ferry_read(receiver, buf + i, 8, SOON), 8);
	}
	read_faults(receiver, &r->st);
	close_ends();
}

static unsigned bits_apart(const char *a, const char *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LEN; i++)
		n += (unsigned)__builtin_popcount((unsigned char)(a[i] ^ b[i]));
	return n;
}

START_TEST(what_is_read_is_what_was_counted)
{
	char sent[LEN], keys[80];
	struct run r, polled;

	fill(sent, LEN, 0);
	for (unsigned seed = 0; seed < 50; seed++) {
		snprintf(keys, sizeof keys, "damage=0.5&delay=20us&seed=%u",
			 seed);
		run(&r, keys, false);
		ck_assert_uint_eq(r.st.passed, LEN);
		ck_assert_uint_eq(r.st.damaged, bits_apart(r.got, sent));
		ck_assert_uint_le(r.st.delayed, LEN / 8);
		run(&polled, keys, true);
		ck_assert_mem_eq(r.got, polled.got, LEN);
		ck_assert_uint_eq(r.st.damaged, polled.st.damaged);
		ck_assert_uint_eq(r.st.delayed, polled.st.delayed);
	}
}
END_TEST

START_TEST(a_cut_hands_out_what_came_before_it)
{
	char buf[16];

	through_fifo("cut=6&delay=1ms&damage=1");
	write_text("12345678");
	ck_assert_int_eq(ferry_read(receiver, buf, 4, SOON), 4);
	ck_assert_int_eq(ferry_read(receiver, buf, sizeof buf, SOON), 2);
	fails(receiver, ferry_read(receiver, buf, sizeof buf, SOON),
	      -ECONNRESET);
	fails(sender, ferry_write(sender, "9", 1, SOON), -ECONNRESET);
	expect_stat(6, 2);
}
END_TEST

/* --- forks ------------------------------------------------------------------------ */

static void read_in_child(void *arg)
{
	char buf[16];

	(void)arg;
	fails(receiver, ferry_read(receiver, buf, sizeof buf, SOON), -ENODATA);
}

START_TEST(what_waits_is_the_parents)
{
	char buf[16];
	ssize_t n;

	through_fifo(DELAYS);
	write_text("mine");
	close_end(&sender);
	n = ferry_read(receiver, buf, sizeof buf, FERRY_NOWAIT);
	expect_exit(child(read_in_child, NULL), 0);
	if (n == -EAGAIN)
		n = ferry_read(receiver, buf, sizeof buf, SOON);
	ck_assert_int_eq(n, 4);
	ck_assert_mem_eq(buf, "mine", 4);
}
END_TEST

void add_fault_stream_tests(TCase *tc)
{
	tcase_add_test(tc, the_time_of_a_delay_begins_when_there_are_bytes);
	tcase_add_test(tc, what_was_read_waits_here_for_the_next_call);
	tcase_add_test(tc, what_waited_is_handed_out_before_the_end);
	tcase_add_test(tc, what_is_read_is_what_was_counted);
	tcase_add_test(tc, a_cut_hands_out_what_came_before_it);
	tcase_add_test(tc, what_waits_is_the_parents);
}

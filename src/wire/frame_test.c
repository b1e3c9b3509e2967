/* SPDX-License-Identifier: MIT */
/* Proof of frame.h: every message comes back, whatever the pieces. */
#include "wire/frame.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX 10000

static unsigned char wire[3 * MAX];
static size_t n_wire;
static size_t scanned;

/* Append the frame of a message, taking at most `step` bytes a piece. */
static void encode(enum ferryi_frame_kind kind, const void *data, size_t len,
		   size_t step)
{
	struct ferryi_frame_out o;
	const void *piece;
	size_t n;

	ck_assert_int_eq(ferryi_frame_begin(&o, kind, data, len, MAX), 0);
	while ((n = ferryi_frame_piece(&o, &piece)) > 0) {
		if (n > step)
			n = step;
		memcpy(wire + n_wire, piece, n);
		n_wire += n;
		o.sent += n;
	}
	ck_assert_uint_eq(o.sent, o.total);
}

static int find(enum ferryi_frame_kind kind, size_t have, size_t max,
		struct ferryi_frame_in *in)
{
	return ferryi_frame_find(kind, wire, have, max, &scanned, in);
}

START_TEST(each_framing_looks_as_promised)
{
	static const unsigned char len32[] = { 2, 0, 0, 0, 'h', 'i' };

	n_wire = 0;
	encode(FERRYI_FRAME_LINE, "hi", 2, MAX);
	ck_assert_mem_eq(wire, "hi\n", 3);
	ck_assert_uint_eq(n_wire, 3);
	n_wire = 0;
	encode(FERRYI_FRAME_NUL, "hi", 2, MAX);
	ck_assert_mem_eq(wire, "hi\0", 3);
	ck_assert_uint_eq(n_wire, 3);
	n_wire = 0;
	encode(FERRYI_FRAME_LEN32, "hi", 2, MAX);
	ck_assert_mem_eq(wire, len32, 6);
	ck_assert_uint_eq(n_wire, 6);
}
END_TEST

/* All lengths around the size of the first piece, and byte by byte. */
START_TEST(what_was_encoded_is_decoded)
{
	static const size_t lens[] = { 0,    1,	   4091, 4092, 4093,
				       4095, 4096, 4097, MAX };
	enum ferryi_frame_kind kind = (enum ferryi_frame_kind)_i;
	struct ferryi_frame_in in;
	static char data[MAX];

	for (size_t i = 0; i < MAX; i++)
		data[i] = (char)('a' + i % 26);
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
		for (size_t step = 1; step <= MAX; step += MAX - 1) {
			n_wire = scanned = 0;
			encode(kind, data, lens[i], step);
			ck_assert_int_eq(find(kind, n_wire, MAX, &in), 1);
			ck_assert_uint_eq(in.len, lens[i]);
			ck_assert_uint_eq(in.total, n_wire);
			ck_assert_mem_eq(wire + in.at, data, in.len);
		}
}
END_TEST

START_TEST(a_message_is_found_only_when_it_is_whole)
{
	enum ferryi_frame_kind kind = (enum ferryi_frame_kind)_i;
	struct ferryi_frame_in in;

	n_wire = scanned = 0;
	encode(kind, "hello", 5, MAX);
	encode(kind, "you", 3, MAX);
	for (size_t have = 0; have < (kind == FERRYI_FRAME_LEN32 ? 9u : 6u);
	     have++)
		ck_assert_int_eq(find(kind, have, MAX, &in), 0);
	ck_assert_int_eq(find(kind, n_wire, MAX, &in), 1);
	ck_assert_uint_eq(in.len, 5);
}
END_TEST

START_TEST(a_message_longer_than_the_maximum_is_not_encoded)
{
	enum ferryi_frame_kind kind = (enum ferryi_frame_kind)_i;
	struct ferryi_frame_out o;

	ck_assert_int_eq(ferryi_frame_begin(&o, kind, "abcd", 4, 3), -EMSGSIZE);
	ck_assert_int_eq(ferryi_frame_begin(&o, kind, "abc", 3, 3), 0);
}
END_TEST

START_TEST(a_message_that_holds_the_delimiter_is_not_encoded)
{
	struct ferryi_frame_out o;

	ck_assert_int_eq(ferryi_frame_begin(&o, FERRYI_FRAME_LINE, "a\nb", 3,
					    MAX),
			 -EINVAL);
	ck_assert_int_eq(ferryi_frame_begin(&o, FERRYI_FRAME_NUL, "a\0b", 3,
					    MAX),
			 -EINVAL);
	ck_assert_int_eq(
		ferryi_frame_begin(&o, FERRYI_FRAME_LEN32, "a\nb", 3, MAX), 0);
}
END_TEST

START_TEST(a_foreign_length_above_the_maximum_is_refused)
{
	struct ferryi_frame_in in;

	memset(wire, 0xff, 4);
	ck_assert_int_eq(find(FERRYI_FRAME_LEN32, 4, MAX, &in), -EBADMSG);
	memcpy(wire, "\4\0\0\0", 4);
	ck_assert_int_eq(find(FERRYI_FRAME_LEN32, 4, 3, &in), -EBADMSG);
	ck_assert_int_eq(find(FERRYI_FRAME_LEN32, 4, 4, &in), 0);
}
END_TEST

START_TEST(a_line_without_an_end_is_refused_at_the_maximum)
{
	struct ferryi_frame_in in;

	memset(wire, 'x', 20);
	wire[10] = '\n';
	scanned = 0;
	ck_assert_int_eq(find(FERRYI_FRAME_LINE, 10, 10, &in), 0);
	ck_assert_int_eq(find(FERRYI_FRAME_LINE, 11, 10, &in), 1);
	scanned = 0;
	ck_assert_int_eq(find(FERRYI_FRAME_LINE, 10, 9, &in), -EBADMSG);
	scanned = 0;
	ck_assert_int_eq(find(FERRYI_FRAME_LINE, 11, 9, &in), -EBADMSG);
}
END_TEST

START_TEST(framings_have_names)
{
	ck_assert_int_eq(ferryi_frame_kind("line"), FERRYI_FRAME_LINE);
	ck_assert_int_eq(ferryi_frame_kind("nul"), FERRYI_FRAME_NUL);
	ck_assert_int_eq(ferryi_frame_kind("len32"), FERRYI_FRAME_LEN32);
	ck_assert_int_eq(ferryi_frame_kind("len64"), -EINVAL);
	ck_assert_str_eq(ferryi_frame_name(FERRYI_FRAME_NUL), "nul");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("frame");
	TCase *tc = tcase_create("frame");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, each_framing_looks_as_promised);
	tcase_add_loop_test(tc, what_was_encoded_is_decoded, 0, 3);
	tcase_add_loop_test(tc, a_message_is_found_only_when_it_is_whole, 0, 3);
	tcase_add_loop_test(
		tc, a_message_longer_than_the_maximum_is_not_encoded, 0, 3);
	tcase_add_test(tc, a_message_that_holds_the_delimiter_is_not_encoded);
	tcase_add_test(tc, a_foreign_length_above_the_maximum_is_refused);
	tcase_add_test(tc, a_line_without_an_end_is_refused_at_the_maximum);
	tcase_add_test(tc, framings_have_names);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/* The format of a log: written and read, and nothing else taken for it. */
#include "wire/record.h"

#include "unit.h"

static char line[FERRYI_RECORD_HEAD_MAX + 1];

static struct ferryi_record sample(void)
{
	return (struct ferryi_record){
		.at = 13,
		.len = 5,
		.sent_us = 1763763477123456,
		.pid = 812,
		.crc = ferryi_crc32(0, "hello", 5),
	};
}

static size_t format(struct ferryi_record *r)
{
	size_t n = ferryi_record_format(r, line);

	line[n] = 0;
	return n;
}

START_TEST(the_crc_is_that_of_gzip)
{
	ck_assert_uint_eq(ferryi_crc32(0, "123456789", 9), 0xcbf43926);
	ck_assert_uint_eq(ferryi_crc32(0, "", 0), 0);
	ck_assert_uint_eq(ferryi_crc32(ferryi_crc32(0, "1234", 4), "56789", 5),
			  0xcbf43926);
}
END_TEST

START_TEST(a_record_is_a_line_that_people_read)
{
	struct ferryi_record r = sample();

	format(&r);
	ck_assert_int_eq(strncmp(line,
				 "#13 5 2025-11-21T22:17:57.123456Z 812 "
				 "3610a686 ",
				 46),
			 0);
	ck_assert_int_eq(line[r.head - 1], '\n');
	ck_assert_uint_eq(ferryi_record_end(&r), 13 + r.head + 6);
}
END_TEST

START_TEST(what_was_written_is_read)
{
	static const int64_t times[] = {
		0,
		951782400000000,
		951868799999999,
		4102444799000001,
		1709164800000000,
		68169600000000,
		253402300799999999,
	};
	struct ferryi_record r = sample(), back;

	for (unsigned i = 0; i < sizeof times / sizeof times[0]; i++) {
		r.sent_us = times[i];
		r.at = i ? UINT64_C(9223372036854775807) >> i : 13;
		format(&r);
		ck_assert_int_eq(ferryi_record_parse(line, r.head, r.at, &back),
				 1);
		ck_assert_int_eq(back.sent_us, r.sent_us);
		ck_assert_uint_eq(back.at, r.at);
		ck_assert_uint_eq(back.len, r.len);
		ck_assert_uint_eq(back.pid, r.pid);
		ck_assert_uint_eq(back.crc, r.crc);
		ck_assert_uint_eq(back.head, r.head);
	}
}
END_TEST

START_TEST(the_longest_line_has_its_room)
{
	struct ferryi_record r = sample();

	r.at = INT64_MAX;
	r.len = FERRYI_RECORD_MAX;
	r.sent_us = 253402300799999999;
	r.pid = UINT32_MAX;
	r.crc = UINT32_MAX;
	ck_assert_uint_lt(format(&r), FERRYI_RECORD_HEAD_MAX);
	ck_assert_int_eq(ferryi_record_parse(line, r.head, r.at, &r), 1);
}
END_TEST

START_TEST(a_beginning_needs_more)
{
	struct ferryi_record r = sample(), back;
	size_t n = format(&r);

	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(ferryi_record_parse(line, i, 13, &back), 0);
		ck_assert(ferryi_record_is_torn(line, i, 13));
	}
}
END_TEST

START_TEST(every_damaged_byte_is_noticed)
{
	struct ferryi_record r = sample(), back;
	size_t n = format(&r);

	for (size_t i = 0; i < n; i++)
		for (int bit = 0; bit < 8; bit++) {
			line[i] ^= (char)(1 << bit);
			ck_assert_int_ne(
				ferryi_record_parse(line, n, 13, &back), 1);
			line[i] ^= (char)(1 << bit);
		}
}
END_TEST

START_TEST(elsewhere_it_is_none)
{
	struct ferryi_record r = sample(), back;
	size_t n = format(&r);

	fails(ferryi_record_parse(line, n, 14, &back), -EBADMSG);
	ck_assert(!ferryi_record_is_torn(line, n, 14));
	fails(ferryi_record_parse("hello\n", 6, 13, &back), -EBADMSG);
	ck_assert(!ferryi_record_is_torn("hello\n", 6, 13));
	ck_assert(ferryi_record_is_torn("\0\0\0", 3, 13));
	ck_assert(ferryi_record_is_torn("#1\0\0", 4, 13));
}
END_TEST

START_TEST(what_a_line_claims_is_seen_without_reading_all_of_it)
{
	struct ferryi_record r = sample();
	size_t n;

	r.len = 1000;
	n = format(&r);
	ck_assert(ferryi_record_may_reach(line, n, 13, 500));
	ck_assert(ferryi_record_may_reach(line, n, 13,
					  ferryi_record_end(&r) - 1));
	ck_assert(!ferryi_record_may_reach(line, n, 13, 2000));
	ck_assert(!ferryi_record_may_reach(line, n, 14, 500));
	ck_assert(!ferryi_record_may_reach(line, 3, 13, 500));
	ck_assert(!ferryi_record_may_reach("hello", 5, 13, 14));
}
END_TEST

START_TEST(a_line_without_an_end_is_none)
{
	struct ferryi_record back;
	char long_line[200];

	memset(long_line, '1', sizeof long_line);
	long_line[0] = '#';
	fails(ferryi_record_parse(long_line, sizeof long_line, 13, &back),
	      -EBADMSG);
}
END_TEST

START_TEST(the_next_record_is_found_at_its_own_position_only)
{
	struct ferryi_record r = sample(), back;
	char text[300];
	size_t n;

	r.at = 1040;
	n = format(&r);
	memset(text, 'x', sizeof text);
	text[10] = '\n';
	memcpy(text + 11, line, n); /* a copy, elsewhere */
	text[139] = '\n';
	memcpy(text + 140, line, n);
	ck_assert_int_eq(ferryi_record_find(text, sizeof text, 900, 'x', &back),
			 140);
	ck_assert_uint_eq(back.at, 1040);
	ck_assert_int_eq(ferryi_record_find(text, sizeof text, 901, 'x', &back),
			 -1);
	text[139] = 'x'; /* not the beginning of a line */
	ck_assert_int_eq(ferryi_record_find(text, sizeof text, 900, 'x', &back),
			 -1);
	ck_assert_int_eq(ferryi_record_find(text + 140, 160, 1040, '\n', &back),
			 0);
}
END_TEST

START_TEST(a_log_begins_with_its_line)
{
	ck_assert_int_eq(ferryi_record_check_first("", 0), 0);
	ck_assert_int_eq(ferryi_record_check_first("#ferry", 6), 0);
	ck_assert_int_eq(ferryi_record_check_first("#ferry-log 1\n#13", 16), 1);
	fails(ferryi_record_check_first("#ferry-log 2\n", 13), -EPROTO);
	fails(ferryi_record_check_first("#ferry-log 10", 13), -EPROTO);
	fails(ferryi_record_check_first("root:x:0:0", 10), -EBADMSG);
	fails(ferryi_record_check_first("\0", 1), -EBADMSG);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("record");

	tcase_add_test(tc, the_crc_is_that_of_gzip);
	tcase_add_test(tc, a_record_is_a_line_that_people_read);
	tcase_add_test(tc, what_was_written_is_read);
	tcase_add_test(tc, the_longest_line_has_its_room);
	tcase_add_test(tc, a_beginning_needs_more);
	tcase_add_test(tc, every_damaged_byte_is_noticed);
	tcase_add_test(tc, elsewhere_it_is_none);
	tcase_add_test(tc,
		       what_a_line_claims_is_seen_without_reading_all_of_it);
	tcase_add_test(tc, a_line_without_an_end_is_none);
	tcase_add_test(tc, the_next_record_is_found_at_its_own_position_only);
	tcase_add_test(tc, a_log_begins_with_its_line);
	return unit_main(tc, "record");
}

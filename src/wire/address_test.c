/* SPDX-License-Identifier: MIT */
/* Proof of address.h: what is an address, what is not, and why not. */
#include "wire/address.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct ferryi_address a;
static const char *why;

static void good(const char *text)
{
	why = "";
	ck_assert_msg(ferryi_address_parse(&a, text, &why) == 0, "%s: %s", text,
		      why);
}

static void bad(const char *text, const char *phrase)
{
	why = "";
	ck_assert_int_eq(ferryi_address_parse(&a, text, &why), -EINVAL);
	ck_assert_msg(strstr(why, phrase), "%s: %s", text, why);
}

START_TEST(a_bare_name_is_a_mailbox)
{
	good("jobs");
	ck_assert_str_eq(a.scheme, "mailbox");
	ck_assert_str_eq(a.rest, "jobs");
	ck_assert_uint_eq(a.n_keys, 0);
}
END_TEST

START_TEST(a_path_without_a_scheme_is_a_mailbox)
{
	good("./dir:1/jobs");
	ck_assert_str_eq(a.scheme, "mailbox");
	ck_assert_str_eq(a.rest, "./dir:1/jobs");
}
END_TEST

START_TEST(scheme_rest_and_keys_are_taken_apart)
{
	good("unix:/run/x.sock?type=seqpacket&duplex&timeout=500ms");
	ck_assert_str_eq(a.scheme, "unix");
	ck_assert_str_eq(a.rest, "/run/x.sock");
	ck_assert_uint_eq(a.n_keys, 3);
	ck_assert_str_eq(ferryi_address_get(&a, "type"), "seqpacket");
	ck_assert_str_eq(ferryi_address_get(&a, "duplex"), "");
	ck_assert_str_eq(ferryi_address_get(&a, "timeout"), "500ms");
	ck_assert_ptr_null(ferryi_address_get(&a, "typ"));
}
END_TEST

START_TEST(the_rest_may_be_empty_and_may_hold_colons)
{
	good("pipe:");
	ck_assert_str_eq(a.rest, "");
	good("pipe:?duplex");
	ck_assert_str_eq(a.rest, "");
	good("tcp:[::1]:80");
	ck_assert_str_eq(a.rest, "[::1]:80");
	good("fault+unix:x");
	ck_assert_str_eq(a.scheme, "fault+unix");
}
END_TEST

START_TEST(percent_stands_for_a_byte)
{
	good("x:?drop=10%&dup=%25&reorder=20%");
	ck_assert_str_eq(ferryi_address_get(&a, "drop"), "10%");
	ck_assert_str_eq(ferryi_address_get(&a, "dup"), "%");
	ck_assert_str_eq(ferryi_address_get(&a, "reorder"), "20%");
	good("unix:/a%3fb%25?k%3d=v%26w");
	ck_assert_str_eq(a.rest, "/a?b%");
	ck_assert_str_eq(ferryi_address_get(&a, "k="), "v&w");
}
END_TEST

START_TEST(a_value_may_hold_an_equals_sign)
{
	good("x:y?k=a=b");
	ck_assert_str_eq(ferryi_address_get(&a, "k"), "a=b");
}
END_TEST

START_TEST(what_is_malformed_is_named)
{
	bad("", "empty");
	bad(":x", "no scheme");
	bad("Unix:x", "small letters");
	bad("un ix:x", "small letters");
	bad("1x:x", "small letters");
	bad("aaaaaaaaaaaaaaaa:x", "longer than 15");
	bad("x:y?", "without a name");
	bad("x:y?=1", "without a name");
	bad("x:y?a&&b", "without a name");
	bad("x:y?a&", "without a name");
	bad("x:y?a=1&a=2", "twice");
	bad("x:%", "hexadecimal");
	bad("x:%4", "hexadecimal");
	bad("x:%?k=%4&l", "hexadecimal");
	bad("x:?k%", "hexadecimal");
	bad("x:%zz", "hexadecimal");
	bad("x:%00", "zero byte");
	bad("x:y?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", "more than 16");
}
END_TEST

START_TEST(the_longest_address_fits_and_one_more_byte_is_refused)
{
	static char text[FERRYI_ADDRESS_MAX + 1];

	memset(text, 'x', FERRYI_ADDRESS_MAX);
	memcpy(text, "unix:", 5);
	text[FERRYI_ADDRESS_MAX - 2] = '?';
	text[FERRYI_ADDRESS_MAX - 1] = 0;
	bad(text, "without a name");
	text[FERRYI_ADDRESS_MAX - 3] = '?';
	text[FERRYI_ADDRESS_MAX - 2] = 'k';
	good(text);
	ck_assert_str_eq(ferryi_address_get(&a, "k"), "");
	text[FERRYI_ADDRESS_MAX - 1] = 'k';
	text[FERRYI_ADDRESS_MAX] = 0;
	bad(text, "longer than 4095");
}
END_TEST

START_TEST(unknown_keys_are_found)
{
	good("x:y?type=1&typ=2");
	ck_assert_str_eq(ferryi_address_unknown(&a, "timeout type"), "typ");
	ck_assert_str_eq(ferryi_address_unknown(&a, ""), "type");
	ck_assert_ptr_null(ferryi_address_unknown(&a, "typ type"));
}
END_TEST

START_TEST(formatting_and_parsing_again_gives_the_same)
{
	static const char text[] = "unix:/a%3fb%25%20?k%3d=v%26w&duplex";
	char buf[64], small[8];

	good(text);
	ck_assert_int_eq(ferryi_address_format(&a, buf, sizeof buf),
			 (int)strlen(text));
	ck_assert_str_eq(buf, text);
	ck_assert_int_eq(ferryi_address_format(&a, small, sizeof small),
			 (int)strlen(text));
	ck_assert_str_eq(small, "unix:/a");
	good("jobs");
	ferryi_address_format(&a, buf, sizeof buf);
	ck_assert_str_eq(buf, "mailbox:jobs");
}
END_TEST

static void duration(const char *text, int64_t wanted)
{
	int64_t ns = -1;

	ck_assert_msg(ferryi_parse_duration(text, &ns) == 0, "%s", text);
	ck_assert_int_eq(ns, wanted);
}

START_TEST(durations_have_units)
{
	static const char *const wrong[] = {
		"",	 "s",  "1x",  "-1s",	      "1 s",
		"1.s",	 ".5", "1e3", "99999999999d", "99999999999999999999",
		"1.2.3s"
	};
	int64_t ns;

	duration("0", 0);
	duration("2", 2000000000);
	duration("0.5", 500000000);
	duration("1.5ms", 1500000);
	duration("500ms", 500000000);
	duration("10us", 10000);
	duration("7ns", 7);
	duration("2s", 2000000000);
	duration("1m", 60000000000);
	duration("3h", 10800000000000);
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_msg(ferryi_parse_duration(wrong[i], &ns) == -EINVAL,
			      "%s", wrong[i]);
}
END_TEST

START_TEST(sizes_count_in_1024s)
{
	static const char *const wrong[] = { "",    "K",    "1KB",
					     "-1",  "1.5K", "99999999999T",
					     "0x10" };
	uint64_t n;

	ck_assert_int_eq(ferryi_parse_size("10", &n), 0);
	ck_assert_uint_eq(n, 10);
	ck_assert_int_eq(ferryi_parse_size("64K", &n), 0);
	ck_assert_uint_eq(n, 65536);
	ck_assert_int_eq(ferryi_parse_size("2G", &n), 0);
	ck_assert_uint_eq(n, 2ull << 30);
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_msg(ferryi_parse_size(wrong[i], &n) == -EINVAL, "%s",
			      wrong[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("address");
	TCase *tc = tcase_create("address");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, a_bare_name_is_a_mailbox);
	tcase_add_test(tc, a_path_without_a_scheme_is_a_mailbox);
	tcase_add_test(tc, scheme_rest_and_keys_are_taken_apart);
	tcase_add_test(tc, the_rest_may_be_empty_and_may_hold_colons);
	tcase_add_test(tc, percent_stands_for_a_byte);
	tcase_add_test(tc, a_value_may_hold_an_equals_sign);
	tcase_add_test(tc, what_is_malformed_is_named);
	tcase_add_test(tc,
		       the_longest_address_fits_and_one_more_byte_is_refused);
	tcase_add_test(tc, unknown_keys_are_found);
	tcase_add_test(tc, formatting_and_parsing_again_gives_the_same);
	tcase_add_test(tc, durations_have_units);
	tcase_add_test(tc, sizes_count_in_1024s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

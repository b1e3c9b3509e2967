/* SPDX-License-Identifier: MIT */
#include "wire/dice.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

START_TEST(probabilities_are_read)
{
	static const struct {
		const char *text;
		uint32_t worth;
	} good[] = {
		{ "0", 0 },
		{ "1", 1000000000 },
		{ "0.1", 100000000 },
		{ "10%", 100000000 },
		{ "100%", 1000000000 },
		{ "0.5%", 5000000 },
		{ "1.0", 1000000000 },
		{ "0.000000001", 1 },
		{ "0.0000000010", 1 },
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		uint32_t p = 7;

		ck_assert_msg(ferryi_parse_probability(good[i].text, &p) == 0,
			      "%s", good[i].text);
		ck_assert_uint_eq(p, good[i].worth);
	}
}
END_TEST

START_TEST(what_is_no_probability_is_refused)
{
	static const char *const bad[] = {
		"",
		"2",
		"x",
		"-1",
		"-0.1",
		"1.1",
		"101%",
		"100.1%",
		"10%%",
		"%",
		".1",
		"0.",
		"0.1x",
		" 0.1",
		"0,1",
		"0.0000000001",
		"99999999999999999999999",
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint32_t p = 7;

		ck_assert_msg(ferryi_parse_probability(bad[i], &p) == -EINVAL,
			      "%s", bad[i]);
		ck_assert_uint_eq(p, 7);
	}
}
END_TEST

START_TEST(counts_are_digits)
{
	uint64_t n = 7;

	ck_assert_int_eq(ferryi_parse_count("18446744073709551615", &n), 0);
	ck_assert(n == UINT64_MAX);
	n = 7;
	ck_assert_int_eq(ferryi_parse_count("18446744073709551616", &n),
			 -EINVAL);
	ck_assert_int_eq(ferryi_parse_count("-1", &n), -EINVAL);
	ck_assert_int_eq(ferryi_parse_count("", &n), -EINVAL);
	ck_assert_int_eq(ferryi_parse_count("1K", &n), -EINVAL);
	ck_assert_uint_eq(n, 7);
}
END_TEST

/* The numbers of the generator's authors, so that a seed says the same for ever. */
START_TEST(the_generator_is_splitmix64)
{
	struct ferryi_dice d;

	ferryi_dice_init(&d, 1234567);
	ck_assert(ferryi_dice_roll(&d) == 6457827717110365317u);
	ck_assert(ferryi_dice_roll(&d) == 3203168211198807973u);
	ck_assert(ferryi_dice_roll(&d) == 9817491932198370423u);
}
END_TEST

START_TEST(never_is_never_and_certain_is_certain)
{
	struct ferryi_odds odds = { .dup = FERRYI_CERTAIN };
	struct ferryi_verdict v;
	struct ferryi_dice d;

	ferryi_dice_init(&d, 1);
	for (unsigned i = 0; i < 100000; i++) {
		ferryi_dice_judge(&d, &odds, &v);
		ck_assert(v.dup && !v.drop && !v.reorder && !v.damage);
		ck_assert_int_eq(v.delay_ns, 0);
	}
}
END_TEST

START_TEST(a_tenth_is_about_a_tenth)
{
	struct ferryi_odds odds = { .drop = FERRYI_CERTAIN / 10 };
	struct ferryi_verdict v;
	struct ferryi_dice d;
	unsigned n = 0;

	ferryi_dice_init(&d, 42);
	for (unsigned i = 0; i < 100000; i++) {
		ferryi_dice_judge(&d, &odds, &v);
		n += v.drop;
	}
	ck_assert_uint_gt(n, 9500);
	ck_assert_uint_lt(n, 10500);
}
END_TEST

START_TEST(one_fault_does_not_move_another)
{
	struct ferryi_odds few = { .drop = FERRYI_CERTAIN / 10 };
	struct ferryi_odds all = { FERRYI_CERTAIN / 10, FERRYI_CERTAIN / 2,
				   FERRYI_CERTAIN / 2, FERRYI_CERTAIN / 2,
				   1000000 };
	struct ferryi_verdict one, other;
	struct ferryi_dice a, b;

	ferryi_dice_init(&a, 3);
	ferryi_dice_init(&b, 3);
	for (unsigned i = 0; i < 1000; i++) {
		ferryi_dice_judge(&a, &few, &one);
		ferryi_dice_judge(&b, &all, &other);
		ck_assert_int_eq(one.drop, other.drop);
		ck_assert_int_ge(other.delay_ns, 0);
		ck_assert_int_le(other.delay_ns, 1000000);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dice");
	TCase *tc = tcase_create("dice");
	SRunner *r;
	int failed;

	tcase_add_test(tc, probabilities_are_read);
	tcase_add_test(tc, what_is_no_probability_is_refused);
	tcase_add_test(tc, counts_are_digits);
	tcase_add_test(tc, the_generator_is_splitmix64);
	tcase_add_test(tc, never_is_never_and_certain_is_certain);
	tcase_add_test(tc, a_tenth_is_about_a_tenth);
	tcase_add_test(tc, one_fault_does_not_move_another);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

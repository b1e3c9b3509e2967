/* SPDX-License-Identifier: MIT */
/* Proof of signame.h. */
#include "wire/signame.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

static const struct ferryi_rt_signals rt = { 34, 64 };

START_TEST(every_signal_has_a_name_that_leads_back)
{
	char name[16];
	int named = 0;

	for (int n = 1; n <= 64; n++) {
		if (n == 32 || n == 33) {
			ck_assert_int_eq(ferryi_signame_format(n, rt, name),
					 -EINVAL);
			continue;
		}
		ck_assert_int_gt(ferryi_signame_format(n, rt, name), 0);
		ck_assert_int_eq(ferryi_signame_parse(name, rt), n);
		named++;
	}
	ck_assert_int_eq(named, 62);
}
END_TEST

START_TEST(people_write_it_in_several_ways)
{
	ck_assert_int_eq(ferryi_signame_parse("USR1", rt), SIGUSR1);
	ck_assert_int_eq(ferryi_signame_parse("SIGUSR1", rt), SIGUSR1);
	ck_assert_int_eq(ferryi_signame_parse("15", rt), SIGTERM);
	ck_assert_int_eq(ferryi_signame_parse("RTMIN", rt), 34);
	ck_assert_int_eq(ferryi_signame_parse("SIGRTMIN+3", rt), 37);
	ck_assert_int_eq(ferryi_signame_parse("RTMAX-2", rt), 62);
	ck_assert_int_eq(ferryi_signame_parse("IOT", rt), SIGABRT);
}
END_TEST

START_TEST(what_is_none_is_refused)
{
	static const char *const none[] = {
		"",	   "0",		 "32",	     "33",     "65",
		"100",	   "-1",	 "USR",	     "USR11",  "usr1",
		"SIG",	   "SIGSIGUSR1", "RTMIN-1",  "RTMIN+", "RTMIN+31",
		"RTMAX+1", "RTMAX-31",	 "RTMIN+1x", "1 ",
	};
	char name[16];

	for (unsigned i = 0; i < sizeof none / sizeof none[0]; i++)
		ck_assert_msg(ferryi_signame_parse(none[i], rt) == -EINVAL,
			      "'%s' is taken for one", none[i]);
	ck_assert_int_eq(ferryi_signame_format(0, rt, name), -EINVAL);
	ck_assert_int_eq(ferryi_signame_format(65, rt, name), -EINVAL);
	ck_assert_int_eq(ferryi_signame_format(-5, rt, name), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("signame");
	TCase *tc = tcase_create("signame");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, every_signal_has_a_name_that_leads_back);
	tcase_add_test(tc, people_write_it_in_several_ways);
	tcase_add_test(tc, what_is_none_is_refused);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

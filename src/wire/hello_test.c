/* SPDX-License-Identifier: MIT */
/* Proof of hello.h: the bytes of doc/format.md, and what is refused. */
#include "wire/hello.h"

#include <check.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

START_TEST(it_looks_as_promised)
{
	struct ferryi_hello h;

	ferryi_hello_format(&h, "app");
	ck_assert_mem_eq(&h,
			 "\x89"
			 "FHELLO\n\1\0\0\0\0\0\0\0app\0",
			 20);
	ck_assert_uint_eq(offsetof(struct ferryi_hello, name), 16);
	ck_assert_int_eq(ferryi_hello_check(&h), 0);
	ferryi_hello_format(&h, "");
	ck_assert_int_eq(ferryi_hello_check(&h), 0);
}
END_TEST

START_TEST(what_is_none_is_refused)
{
	struct ferryi_hello h;

	ferryi_hello_format(&h, "app");
	h.magic ^= 1;
	ck_assert_int_eq(ferryi_hello_check(&h), -EBADMSG);
	ferryi_hello_format(&h, "app");
	h.version = 2;
	ck_assert_int_eq(ferryi_hello_check(&h), -EPROTO);
	ferryi_hello_format(&h, "app");
	h.reserved = 1;
	ck_assert_int_eq(ferryi_hello_check(&h), -EBADMSG);
	ferryi_hello_format(&h, "app");
	memset(h.name, 'x', sizeof h.name); /* no end */
	ck_assert_int_eq(ferryi_hello_check(&h), -EBADMSG);
	ferryi_hello_format(&h, "app");
	h.name[100] = 'x'; /* something behind the end */
	ck_assert_int_eq(ferryi_hello_check(&h), -EBADMSG);
}
END_TEST

START_TEST(a_name_is_one_file_of_the_realm)
{
	struct ferryi_hello h;

	ferryi_hello_format(&h, "../app");
	ck_assert_int_eq(ferryi_hello_check(&h), -EBADMSG);
	ferryi_hello_format(&h, "a/b");
	ck_assert_int_eq(ferryi_hello_check(&h), -EBADMSG);
	ferryi_hello_format(&h, ".app");
	ck_assert_int_eq(ferryi_hello_check(&h), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hello");
	TCase *tc = tcase_create("hello");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, it_looks_as_promised);
	tcase_add_test(tc, what_is_none_is_refused);
	tcase_add_test(tc, a_name_is_one_file_of_the_realm);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

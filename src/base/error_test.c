/* SPDX-License-Identifier: MIT */
/* The closed table of results.  What is expected stands here a second time. */
#include "base/error.h"

#include <pthread.h>

#include "unit.h"

static const struct {
	int err;
	const char *name;
	int status;
} table[] = {
	{ EAGAIN, "EAGAIN", 1 },	 { ETIMEDOUT, "ETIMEDOUT", 124 },
	{ ECANCELED, "ECANCELED", 1 },	 { ENODATA, "ENODATA", 1 },
	{ ECONNRESET, "ECONNRESET", 6 }, { EOWNERDEAD, "EOWNERDEAD", 6 },
	{ ESTALE, "ESTALE", 3 },	 { EMSGSIZE, "EMSGSIZE", 2 },
	{ ENOSPC, "ENOSPC", 5 },	 { EBADMSG, "EBADMSG", 6 },
	{ EPROTO, "EPROTO", 6 },	 { EPROTOTYPE, "EPROTOTYPE", 2 },
	{ EOPNOTSUPP, "EOPNOTSUPP", 2 }, { EEXIST, "EEXIST", 1 },
	{ ENOENT, "ENOENT", 3 },	 { EACCES, "EACCES", 4 },
	{ EINVAL, "EINVAL", 2 },	 { ENOMEM, "ENOMEM", 5 },
	{ EBUSY, "EBUSY", 1 },		 { ECONNREFUSED, "ECONNREFUSED", 3 },
	{ EMFILE, "EMFILE", 5 },
};

#define N_TABLE ((int)(sizeof table / sizeof table[0]))

START_TEST(every_result_has_a_name_a_status_and_a_hint)
{
	int err = table[_i].err;

	ck_assert_str_eq(ferry_error_name(-err), table[_i].name);
	ck_assert_str_eq(ferry_error_name(err), table[_i].name);
	ck_assert_int_eq(ferry_error_status(-err), table[_i].status);
	ck_assert_uint_gt(strlen(ferryi_error_hint(-err)), 5);
	ck_assert_str_ne(ferryi_error_hint(-err), ferryi_error_hint(-EXDEV));
}
END_TEST

START_TEST(what_is_not_in_the_table_is_unknown)
{
	ck_assert_str_eq(ferry_error_name(-EXDEV), "EUNKNOWN");
	ck_assert_int_eq(ferry_error_status(-EXDEV), 1);
	ck_assert_int_eq(ferry_error_status(0), 0);
	ck_assert_int_eq(ferry_error_status(EINVAL), 0);
}
END_TEST

START_TEST(every_errno_of_the_system_maps_into_the_table)
{
	bool known = false;
	int r = ferryi_errno(_i);

	ck_assert_int_lt(r, 0);
	ck_assert_str_ne(ferry_error_name(r), "EUNKNOWN");
	for (int i = 0; i < N_TABLE; i++)
		known |= table[i].err == _i;
	if (known)
		ck_assert_int_eq(r, -_i);
}
END_TEST

START_TEST(errnos_outside_the_table_become_their_nearest_result)
{
	ck_assert_int_eq(ferryi_errno(EPERM), -EACCES);
	ck_assert_int_eq(ferryi_errno(EROFS), -EACCES);
	ck_assert_int_eq(ferryi_errno(ENFILE), -EMFILE);
	ck_assert_int_eq(ferryi_errno(EDQUOT), -ENOSPC);
	ck_assert_int_eq(ferryi_errno(EFBIG), -ENOSPC);
	ck_assert_int_eq(ferryi_errno(ENOTDIR), -ENOENT);
	ck_assert_int_eq(ferryi_errno(ENAMETOOLONG), -EINVAL);
	ck_assert_int_eq(ferryi_errno(EPIPE), -ECONNRESET);
	ck_assert_int_eq(ferryi_errno(EADDRINUSE), -EBUSY);
	ck_assert_int_eq(ferryi_errno(EXDEV), -EINVAL);
}
END_TEST

START_TEST(a_sentence_belongs_to_its_result_until_it_is_cleared)
{
	ck_assert_int_eq(ferryi_fail(-ENOENT, "no %s here", "jobs"), -ENOENT);
	ck_assert_str_eq(ferryi_fail_sentence(-ENOENT), "no jobs here");
	ck_assert_ptr_null(ferryi_fail_sentence(-EACCES));
	ck_assert_int_eq(ferryi_fail_sys(EPERM, "not yours"), -EACCES);
	ck_assert_str_eq(ferryi_fail_sentence(-EACCES), "not yours");
	ferryi_fail_clear();
	ck_assert_ptr_null(ferryi_fail_sentence(-EACCES));
	ck_assert_ptr_null(ferryi_fail_sentence(0));
}
END_TEST

START_TEST(what_helps_whatever_was_tried_stands_behind_the_sentence)
{
	ferryi_fail_sys(ENOSPC, "x cannot be made");
	ck_assert_ptr_nonnull(strstr(ferryi_fail_sentence(-ENOSPC),
				     "x cannot be made: no room"));
	ferryi_fail_sys(EROFS, "x cannot be made");
	ck_assert_ptr_nonnull(
		strstr(ferryi_fail_sentence(-EACCES), "read-only"));
	ferryi_fail_sys(ENFILE, "x cannot be made");
	ck_assert_ptr_nonnull(
		strstr(ferryi_fail_sentence(-EMFILE), "ulimit -n"));
}
END_TEST

START_TEST(a_sentence_that_is_too_long_is_cut_and_terminated)
{
	char text[2000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	ferryi_fail_note(-EINVAL, "%s", text);
	ck_assert_uint_gt(strlen(ferryi_fail_sentence(-EINVAL)), 200);
	ck_assert_uint_lt(strlen(ferryi_fail_sentence(-EINVAL)), sizeof text);
}
END_TEST

static void *another_thread(void *arg)
{
	bool *good = arg;

	*good = ferryi_fail_sentence(-ENOENT) == NULL;
	ferryi_fail_note(-ENOENT, "hers");
	*good &= strcmp(ferryi_fail_sentence(-ENOENT), "hers") == 0;
	return NULL;
}

START_TEST(each_thread_has_its_own_sentence)
{
	bool good = false;
	pthread_t t;

	ferryi_fail_note(-ENOENT, "mine");
	ck_assert_int_eq(pthread_create(&t, NULL, another_thread, &good), 0);
	pthread_join(t, NULL);
	ck_assert(good);
	ck_assert_str_eq(ferryi_fail_sentence(-ENOENT), "mine");
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("error");

	tcase_add_loop_test(t, every_result_has_a_name_a_status_and_a_hint, 0,
			    N_TABLE);
	tcase_add_test(t, what_is_not_in_the_table_is_unknown);
	tcase_add_loop_test(t, every_errno_of_the_system_maps_into_the_table, 1,
			    134);
	tcase_add_test(t, errnos_outside_the_table_become_their_nearest_result);
	tcase_add_test(t, a_sentence_belongs_to_its_result_until_it_is_cleared);
	tcase_add_test(
		t, what_helps_whatever_was_tried_stands_behind_the_sentence);
	tcase_add_test(t, a_sentence_that_is_too_long_is_cut_and_terminated);
	tcase_add_test(t, each_thread_has_its_own_sentence);
	return unit_main(t, "error");
}

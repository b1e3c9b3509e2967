/* SPDX-License-Identifier: MIT */
/* What exists, and how it stands. */
#include "inspect/inspect_test.h"

START_TEST(a_list_has_every_object_by_name_with_its_state)
{
	struct ferry_link *l = furnish();

	check_list(NULL);
	check_list(NULL); /* looking changes nothing */
	clear(l);
	ck_assert(exists("b-abandoned"));
	erase("b-abandoned");
}
END_TEST

START_TEST(an_object_is_looked_at_by_name_address_or_path)
{
	struct ferry_link *l = furnish();
	struct ferry_object o;
	char path[300];

	for (size_t i = 0; i < N_THINGS; i++) {
		ok(ferry_look(things[i].name, &o));
		check_thing(&o, i);
		snprintf(path, sizeof path, "mailbox:%s", things[i].name);
		ok(ferry_look(path, &o));
		check_thing(&o, i);
		snprintf(path, sizeof path, "%s/%s", realm_path(),
			 things[i].name);
		ok(ferry_look(path, &o));
		check_thing(&o, i);
	}
	fails_saying(ferry_look("nothing", &o), -ENOENT, "nothing");
	fails(ferry_look("a:b", &o), -EINVAL);
	fails(ferry_look("/no/where", &o), -ENOENT);
	clear(l);
	erase("b-abandoned");
}
END_TEST

START_TEST(a_realm_that_is_absent_holds_nothing)
{
	struct ferry_garbage *g;
	struct ferry_object *o;
	struct ferry_user *u;
	size_t n = 1;

	ok(ferry_list("/no/where", &o, &n));
	ck_assert_uint_eq(n, 0);
	ferry_free(o);
	n = 1;
	ok(ferry_who("/no/where", NULL, &u, &n));
	ck_assert_uint_eq(n, 0);
	ferry_free(u);
	n = 1;
	ok(ferry_gc("/no/where", true, &g, &n));
	ck_assert_uint_eq(n, 0);
	ferry_free(g);
}
END_TEST

static void look_as_stranger(void *arg)
{
	struct ferry_object *list, o;
	struct ferry_link *l;
	size_t n;

	(void)arg;
	ck_assert_int_eq(setgid(12345), 0);
	ck_assert_int_eq(setuid(12345), 0);
	ok(ferry_list(NULL, &list, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(list[0].state, FERRY_NO_ACCESS);
	ck_assert_ptr_nonnull(strstr(list[0].why, "belongs to uid 0"));
	ferry_free(list);
	ok(ferry_look("jobs", &o));
	ck_assert_int_eq(o.state, FERRY_NO_ACCESS);
	ck_assert_uint_eq(o.mode, 0600);
	fails(ferry_open(&l, "jobs", FERRY_RECV), -EACCES);
}

START_TEST(an_object_of_somebody_else_says_whose_it_is)
{
	struct ferry_link *l;

	if (geteuid() != 0)
		return; /* only root can become somebody else */
	l = make("jobs", FERRY_PERSIST_PROCESS);
	ck_assert_int_eq(chmod(realm_path(), 0755), 0);
	expect_exit(child(look_as_stranger, NULL), 0);
	ferry_close(l);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("list");

	tcase_add_checked_fixture(t, setup, clean);
	tcase_add_test(t, a_list_has_every_object_by_name_with_its_state);
	tcase_add_test(t, an_object_is_looked_at_by_name_address_or_path);
	tcase_add_test(t, a_realm_that_is_absent_holds_nothing);
	tcase_add_test(t, an_object_of_somebody_else_says_whose_it_is);
	return unit_main(t, "list");
}

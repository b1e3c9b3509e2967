/* SPDX-License-Identifier: MIT */
/* What the machine and the realm are like. */
#include "inspect/inspect_test.h"

static const struct ferry_finding *find(const struct ferry_finding *f, size_t n,
					const char *topic)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(f[i].topic, topic) == 0)
			return &f[i];
	return NULL;
}

START_TEST(the_doctor_says_of_each_topic_how_it_stands)
{
	static const char *const topics[] = { "realm", "memory", "RemoveIPC",
					      "limits", "kernel" };
	struct ferry_finding *f;
	size_t n;

	ok(ferry_doctor(NULL, &f, &n));
	for (unsigned i = 0; i < 5; i++) {
		const struct ferry_finding *one = find(f, n, topics[i]);

		ck_assert_ptr_nonnull(one);
		ck_assert_uint_gt(strlen(one->what), 10);
	}
	ck_assert_int_eq(find(f, n, "realm")->health, FERRY_GOOD);
	ck_assert_ptr_nonnull(strstr(find(f, n, "realm")->what, realm_path()));
	ferry_free(f);
}
END_TEST

START_TEST(the_doctor_finds_a_realm_that_cannot_be_trusted)
{
	struct ferry_finding *f;
	struct ferry_object *o;
	size_t n;

	ck_assert_int_eq(chmod(realm_path(), 0777), 0);
	ok(ferry_doctor(NULL, &f, &n));
	ck_assert_int_eq(find(f, n, "realm")->health, FERRY_BROKEN);
	ck_assert_ptr_nonnull(strstr(find(f, n, "realm")->what, "0777"));
	ck_assert_uint_gt(strlen(find(f, n, "realm")->fix), 0);
	ferry_free(f);
	fails(ferry_list(NULL, &o, &n), -EACCES);
	chmod(realm_path(), 0700);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("doctor");

	tcase_add_checked_fixture(t, setup, clean);
	tcase_add_test(t, the_doctor_says_of_each_topic_how_it_stands);
	tcase_add_test(t, the_doctor_finds_a_realm_that_cannot_be_trusted);
	return unit_main(t, "doctor");
}

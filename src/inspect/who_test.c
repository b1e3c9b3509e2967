/* SPDX-License-Identifier: MIT */
/* Who has it open, what it holds, and whether it lives. */
#include "inspect/inspect_test.h"
#include "sys/process.h"

static void hold_and_stay(void *arg)
{
	struct ferry_message m[2], loan;
	struct ferry_link *l;

	(void)arg;
	prctl(PR_SET_NAME, "holder");
	ok(ferry_open(&l, "jobs", FERRY_DUPLEX));
	ok(ferry_take(l, &m[0], SOON));
	ok(ferry_take(l, &m[1], SOON));
	ok(ferry_loan(l, 8, &loan, SOON));
	gate_add(&s->ready);
	stay();
}

static const struct ferry_user *user(const struct ferry_user *u, size_t n,
				     pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (u[i].process.pid == pid)
			return &u[i];
	return NULL;
}

START_TEST(who_tells_what_each_process_holds_and_whether_it_lives)
{
	struct ferry_link *l = make("jobs", FERRY_PERSIST_PROCESS);
	const struct ferry_user *h;
	struct ferry_user *u;
	char path[300];
	pid_t pid;
	size_t n;

	for (int i = 0; i < 3; i++)
		ok(ferry_send(l, "x", 1, FERRY_NOWAIT));
	pid = child(hold_and_stay, NULL);
	gate_await(&s->ready, 1);
	for (int alive = 1; alive >= 0; alive--) {
		ok(ferry_who(NULL, "jobs", &u, &n));
		ck_assert_uint_eq(n, 2);
		h = user(u, n, pid);
		ck_assert_ptr_nonnull(h);
		ck_assert_uint_eq(h->holds, 2);
		ck_assert_uint_eq(h->loans, 1);
		ck_assert_int_gt(h->oldest_ns, 0);
		ck_assert_int_eq(h->alive, alive);
		ck_assert(h->same_namespace);
		ck_assert_int_gt(h->since, 0);
		ck_assert_str_eq(h->process.name, "holder");
		h = user(u, n, getpid());
		ck_assert_ptr_nonnull(h);
		ck_assert_uint_eq(h->holds + h->loans, 0);
		ck_assert_int_eq(h->oldest_ns, 0);
		ck_assert(h->alive);
		ferry_free(u);
		ok(ferry_who(realm_path(), NULL, &u, &n));
		ck_assert_uint_eq(n, 2);
		ferry_free(u);
		if (alive)
			kill_child(pid);
	}
	snprintf(path, sizeof path, "%s/jobs", realm_path());
	ok(ferry_who(NULL, path, &u, &n));
	ck_assert_uint_eq(n, 2);
	ferry_free(u);
	fails(ferry_who(NULL, "nothing", &u, &n), -ENOENT);
	ferry_close(l);
}
END_TEST

static void end(void *arg)
{
	(void)arg;
}

/* The files of /proc are read one after the other; it may end in between. */
START_TEST(one_that_has_ended_is_not_taken_for_a_process_of_root)
{
	struct ferry_process p = { 0 };
	pid_t pid = child(end, NULL);

	expect_exit(pid, 0);
	ck_assert(!ferryi_inspect_pid(pid, &p));
	ck_assert(ferryi_inspect_pid(getpid(), &p));
	ck_assert_int_eq(p.pid, getpid());
	ck_assert_uint_eq(p.uid, geteuid());
	ck_assert_uint_eq(p.start_time, ferryi_identity()->start_time);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("who");

	tcase_add_checked_fixture(t, setup, clean);
	tcase_add_test(t,
		       who_tells_what_each_process_holds_and_whether_it_lives);
	tcase_add_test(t,
		       one_that_has_ended_is_not_taken_for_a_process_of_root);
	return unit_main(t, "who");
}

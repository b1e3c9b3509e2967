/* SPDX-License-Identifier: MIT */
/* Locks of open file descriptions: what drops them and what does not. */
#include "sys/lock.h"

#include "unit.h"

static char path[200];

static int another(void)
{
	int fd;

	snprintf(path, sizeof path, "%s/locked", realm_path());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void fini(void)
{
	unlink(path);
}

START_TEST(a_byte_is_locked_by_one_description_at_a_time)
{
	int a = another(), b = another();

	ok(ferryi_lock_try(a, 5, 1));
	ok(ferryi_lock_try(a, 5, 1));
	ck_assert_int_eq(ferryi_lock_try(b, 5, 1), -EAGAIN);
	ck_assert_int_eq(ferryi_lock_try(b, 0, 100), -EAGAIN);
	ok(ferryi_lock_try(b, 6, 1));
	ok(ferryi_lock_try(b, (uint64_t)1 << 41, 1));
	ck_assert_int_eq(ferryi_lock_held(b, 5, 1), 1);
	ck_assert_int_eq(ferryi_lock_held(a, 5, 1), 0);
	ferryi_lock_drop(a, 5, 1);
	ok(ferryi_lock_try(b, 5, 1));
	fini();
}
END_TEST

static uint32_t *ready, *go;

static void lock_and_stay(void *arg)
{
	(void)arg;
	ok(ferryi_lock_try(another(), 1, 1));
	gate_add(ready);
	stay();
}

START_TEST(a_lock_is_dropped_when_its_process_is_killed)
{
	int fd = another();
	pid_t pid = child(lock_and_stay, NULL);

	gate_await(ready, 1);
	ck_assert_int_eq(ferryi_lock_held(fd, 1, 1), 1);
	kill_child(pid);
	ck_assert_int_eq(ferryi_lock_held(fd, 1, 1), 0);
	ok(ferryi_lock_try(fd, 1, 1));
	fini();
}
END_TEST

START_TEST(closing_another_descriptor_of_the_file_drops_nothing)
{
	int a = another(), b = another(), copy = dup(a);

	ok(ferryi_lock_try(a, 1, 1));
	close(another());
	close(copy);
	ck_assert_int_eq(ferryi_lock_held(b, 1, 1), 1);
	close(a);
	ck_assert_int_eq(ferryi_lock_held(b, 1, 1), 0);
	fini();
}
END_TEST

START_TEST(a_mapping_keeps_the_locks_of_its_description)
{
	int a = another(), b = another();
	void *p;

	ck_assert_int_eq(ftruncate(a, 4096), 0);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, a, 0);
	ok(ferryi_lock_try(a, 1, 1));
	close(a);
	ck_assert_int_eq(ferryi_lock_held(b, 1, 1), 1);
	munmap(p, 4096);
	ck_assert_int_eq(ferryi_lock_held(b, 1, 1), 0);
	fini();
}
END_TEST

static void keep_until_go(void *arg)
{
	(void)arg;
	gate_add(ready);
	gate_await(go, 1);
}

START_TEST(a_forked_child_shares_the_lock)
{
	int a = another(), b = another();
	pid_t pid;

	ok(ferryi_lock_try(a, 1, 1));
	pid = child(keep_until_go, NULL);
	gate_await(ready, 1);
	close(a);
	ck_assert_int_eq(ferryi_lock_held(b, 1, 1), 1);
	gate_add(go);
	expect_exit(pid, 0);
	ck_assert_int_eq(ferryi_lock_held(b, 1, 1), 0);
	fini();
}
END_TEST

static void lock_until_go(void *arg)
{
	(void)arg;
	ok(ferryi_lock_try(another(), 1, 1));
	gate_add(ready);
	gate_await(go, 1);
}

START_TEST(a_wait_ends_with_the_lock_or_at_the_deadline)
{
	int fd = another();
	pid_t pid = child(lock_until_go, NULL);
	int64_t end;

	gate_await(ready, 1);
	end = ferryi_now() + FERRY_MS(20);
	ck_assert_int_eq(ferryi_lock_wait(fd, 1, 1, end), -EAGAIN);
	ck_assert_int_ge(ferryi_now(), end);
	gate_add(go);
	ok(ferryi_lock_wait(fd, 1, 1, ferryi_now() + PATIENCE));
	expect_exit(pid, 0);
	fini();
}
END_TEST

static void setup(void)
{
	ready = shared(4096);
	go = shared(4096);
}

int main(void)
{
	TCase *t = tcase_create("lock");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_byte_is_locked_by_one_description_at_a_time);
	tcase_add_test(t, a_lock_is_dropped_when_its_process_is_killed);
	tcase_add_test(t, closing_another_descriptor_of_the_file_drops_nothing);
	tcase_add_test(t, a_mapping_keeps_the_locks_of_its_description);
	tcase_add_test(t, a_forked_child_shares_the_lock);
	tcase_add_test(t, a_wait_ends_with_the_lock_or_at_the_deadline);
	return unit_main(t, "lock");
}

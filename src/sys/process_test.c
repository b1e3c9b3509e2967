/* SPDX-License-Identifier: MIT */
/* Who we are, and whether others live. */
#include "sys/process.h"

#include <pthread.h>

#include "unit.h"

static void generation_differs(void *arg)
{
	uint32_t now = ferryi_generation();

	ck_assert_uint_ne(now, *(uint32_t *)arg);
	ck_assert_uint_eq(ferryi_generation(), now);
}

START_TEST(the_generation_changes_in_the_child_of_a_fork)
{
	uint32_t mine = ferryi_generation();

	ck_assert_uint_ne(mine, 0);
	expect_exit(child(generation_differs, &mine), 0);
	ck_assert_uint_eq(ferryi_generation(), mine);
}
END_TEST

static void fork_again(void *arg)
{
	uint32_t mine = ferryi_generation();

	generation_differs(arg);
	expect_exit(child(generation_differs, &mine), 0);
	expect_exit(child(generation_differs, arg), 0);
}

START_TEST(no_generation_comes_back_in_a_grandchild)
{
	uint32_t mine = ferryi_generation();

	expect_exit(child(fork_again, &mine), 0);
}
END_TEST

START_TEST(the_generation_changes_in_the_child_of_a_raw_clone)
{
	uint32_t mine = ferryi_generation();
	pid_t pid = raw_clone();

	if (pid == 0)
		_exit(ferryi_generation() == mine ||
		      ferryi_identity()->pid != (uint32_t)getpid());
	expect_exit(pid, 0);
}
END_TEST

static void *generation_here(void *arg)
{
	*(uint32_t *)arg = ferryi_generation();
	return NULL;
}

START_TEST(all_threads_are_of_one_generation)
{
	uint32_t hers[4] = { 0 };
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, generation_here, &hers[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(hers[i], ferryi_generation());
}
END_TEST

static void check_identity(void *arg)
{
	const struct ferryi_identity *me = ferryi_identity();

	ck_assert_uint_eq(me->pid, getpid());
	ck_assert_uint_eq(me->uid, geteuid());
	ck_assert_uint_eq(me->start_time, ferryi_start_time(getpid()));
	ck_assert_uint_ne(me->start_time, 0);
	ck_assert_uint_ne(me->pid_namespace, 0);
	ck_assert_uint_gt(strlen(me->name), 0);
	if (arg)
		ck_assert_uint_ne(me->pid, *(uint32_t *)arg);
}

START_TEST(the_identity_is_read_anew_in_a_child)
{
	uint32_t mine = ferryi_identity()->pid;

	check_identity(NULL);
	expect_exit(child(check_identity, &mine), 0);
	check_identity(NULL);
}
END_TEST

static void rename_me(void *arg)
{
	char name[16];

	(void)arg;
	prctl(PR_SET_NAME, "a) b (c");
	ferryi_process_name(getpid(), name);
	ck_assert_str_eq(name, "a) b (c");
	ck_assert_uint_ne(ferryi_start_time(getpid()), 0);
	ck_assert(ferryi_may_live((uint32_t)getpid(),
				  ferryi_start_time(getpid())));
}

START_TEST(a_name_with_brackets_does_not_hide_the_start_time)
{
	expect_exit(child(rename_me, NULL), 0);
}
END_TEST

static void nothing(void *arg)
{
	(void)arg;
}

START_TEST(a_process_is_dead_when_its_pid_is_gone_or_started_anew)
{
	uint64_t start = ferryi_start_time(getpid());
	uint32_t pid = (uint32_t)getpid();
	pid_t gone = child(nothing, NULL);

	ck_assert(ferryi_may_live(pid, start));
	ck_assert(ferryi_may_live(pid, 0));
	ck_assert(!ferryi_may_live(pid, start + 1));
	ck_assert(ferryi_may_live(0, 1));
	ck_assert(ferryi_may_live(UINT32_MAX, 1));
	expect_exit(gone, 0);
	ck_assert(!ferryi_may_live((uint32_t)gone, start));
	ck_assert_uint_eq(ferryi_start_time(gone), 0);
}
END_TEST

static void stay_behind_others(void *arg)
{
	(void)arg;
	stay();
}

/* It shares our CPU and runs when we sleep. */
static enum ferryi_fate fate_right_after_a_kill(void)
{
	struct sched_param none = { 0 };
	enum ferryi_fate fate;
	cpu_set_t one;
	pid_t pid;

	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
	pid = child(stay_behind_others, NULL);
	ck_assert_int_eq(sched_setscheduler(pid, SCHED_IDLE, &none), 0);
	ck_assert_int_eq(ferryi_fate((uint32_t)pid, 0), FERRYI_ALIVE);
	kill(pid, SIGKILL);
	fate = ferryi_fate((uint32_t)pid, 0);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(ferryi_fate((uint32_t)pid, 0), FERRYI_ENDED);
	return fate;
}

START_TEST(a_killed_process_is_ending_until_it_has_ended)
{
	until(fate_right_after_a_kill() == FERRYI_ENDING);
}
END_TEST

static void *live_on(void *arg)
{
	(void)arg;
	stay();
	return NULL;
}

static void leave_a_thread(void *arg)
{
	pthread_t t;

	pthread_create(&t, NULL, live_on, arg);
	pthread_exit(NULL);
}

START_TEST(who_leaves_threads_behind_is_alive)
{
	pid_t pid = child(leave_a_thread, NULL);
	char name[64], line[400] = "";
	int fd;

	snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
	while (!strstr(line, ") Z ")) {
		fd = open(name, O_RDONLY | O_CLOEXEC);
		ck_assert_int_gt(read(fd, line, sizeof line - 1), 0);
		close(fd);
	}
	ck_assert_int_eq(ferryi_fate((uint32_t)pid, 0), FERRYI_ALIVE);
	kill_child(pid);
}
END_TEST

START_TEST(a_mapped_file_is_seen_in_a_process)
{
	char path[200];
	struct stat st;
	pid_t gone;
	void *p;
	int fd;

	snprintf(path, sizeof path, "%s/mapped", realm_path());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	unlink(path);
	ck_assert_int_eq(
		ferryi_maps_file((uint32_t)getpid(), st.st_dev, st.st_ino), 1);
	munmap(p, 4096);
	ck_assert_int_eq(
		ferryi_maps_file((uint32_t)getpid(), st.st_dev, st.st_ino), 0);
	gone = child(nothing, NULL);
	expect_exit(gone, 0);
	ck_assert_int_eq(ferryi_maps_file((uint32_t)gone, st.st_dev, st.st_ino),
			 -1);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("process");

	tcase_add_test(t, the_generation_changes_in_the_child_of_a_fork);
	tcase_add_test(t, no_generation_comes_back_in_a_grandchild);
	tcase_add_test(t, the_generation_changes_in_the_child_of_a_raw_clone);
	tcase_add_test(t, all_threads_are_of_one_generation);
	tcase_add_test(t, the_identity_is_read_anew_in_a_child);
	tcase_add_test(t, a_name_with_brackets_does_not_hide_the_start_time);
	tcase_add_test(t,
		       a_process_is_dead_when_its_pid_is_gone_or_started_anew);
	tcase_add_test(t, a_killed_process_is_ending_until_it_has_ended);
	tcase_add_test(t, who_leaves_threads_behind_is_alive);
	tcase_add_test(t, a_mapped_file_is_seen_in_a_process);
	return unit_main(t, "process");
}

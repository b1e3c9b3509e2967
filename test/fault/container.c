/* SPDX-License-Identifier: MIT */
/*
 * Two processes that are both pid 1, each in a pid namespace of its own, in one
 * realm: nobody may take one for the other, nor for dead.  And the same in two
 * containers: user, mount, IPC and pid namespaces, another /dev/shm, and the
 * realm bind-mounted there.
 */
#include "fault.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const int kinds[] = {
	CLONE_NEWPID,
	CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC,
};

static void put_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		printf("%s cannot be written\n", path);
	close(fd);
}

/* We stay who we are. */
static void map_user(uid_t uid, gid_t gid)
{
	char line[64];

	put_line("/proc/self/setgroups", "deny");
	snprintf(line, sizeof(line), "%u %u 1", uid, uid);
	put_line("/proc/self/uid_map", line);
	snprintf(line, sizeof(line), "%u %u 1", gid, gid);
	put_line("/proc/self/gid_map", line);
}

/* Nothing of the host's /dev/shm but the realm, under another name. */
static bool move_realm(void)
{
	char from[64];
	int fd = open(place.path, O_PATH | O_CLOEXEC);

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/dev/shm", "tmpfs", 0, "mode=1777") ||
	    mkdir("/dev/shm/realm", 0700) ||
	    mount(from, "/dev/shm/realm", NULL, MS_BIND, NULL))
		return false;
	close(fd);
	return setenv("FERRY_REALM", "/dev/shm/realm", 1) == 0;
}

static bool enter(int kind)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(kind))
		return false;
	if (kind & CLONE_NEWUSER)
		map_user(uid, gid);
	return !(kind & CLONE_NEWNS) || move_realm();
}

static bool is_allowed(int kind)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(!enter(kind));
	waitpid(pid, &status, 0);
	if (status)
		printf("not tried, no namespaces %x are allowed here\n", kind);
	return status == 0;
}

/* Holds a message until it is told to go on, and says its pid. */
static void work(struct child *c)
{
	struct ferry_link *box = open_box("box");
	struct ferry_message m;
	pid_t me = getpid();

	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	child_tell(c);
	child_hear(c);
	works(box, ferry_release(&m));
	works(box, ferry_send(box, &me, sizeof(me), FERRY_NOWAIT));
	ferry_close(box);
}

static void be_pid_1(struct child *c, void *arg)
{
	int status;
	pid_t pid;

	ck_assert(enter(*(const int *)arg));
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ck_assert_int_eq(getpid(), 1);
		work(c);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	_exit(status != 0);
}

static void expect_held(struct ferry_link *box, unsigned n)
{
	struct ferry_mailbox_stat st = { .size = sizeof(st) };
	struct ferry_garbage *g = NULL;
	size_t found;

	works(NULL, ferry_gc(NULL, true, &g, &found));
	ferry_free(g);
	works(box, ferry_stat(box, &st));
	ck_assert_uint_eq(st.held, n);
	ck_assert_uint_eq(st.returned, 0);
}

START_TEST(equal_pids_in_two_namespaces_are_two_processes)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct ferry_message m;
	struct child c[2];
	int kind = kinds[_i];

	if (!is_allowed(kind))
		return;
	for (int i = 0; i < 2; i++)
		works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	for (int i = 0; i < 2; i++) {
		c[i] = child_start(be_pid_1, &kind);
		child_hear(&c[i]);
	}
	expect_held(box, 2);
	child_kill(&c[0]);
	works(box, ferry_take(box, &m, ferry_after(FERRY_S(20))));
	ck_assert(m.redelivered);
	works(box, ferry_release(&m));
	expect_held(box, 1);
	child_tell(&c[1]);
	child_join(&c[1]);
	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	ck_assert_int_eq(*(pid_t *)m.data, 1);
	ck_assert_int_eq(m.sender.pid, 1);
	works(box, ferry_release(&m));
	ferry_close(box);
}
END_TEST

Suite *container_suite(void)
{
	Suite *s = suite_create("container");
	TCase *t = fault_case("container", 60);

	tcase_add_loop_test(t, equal_pids_in_two_namespaces_are_two_processes,
			    0, sizeof(kinds) / sizeof(kinds[0]));
	suite_add_tcase(s, t);
	return s;
}

/* SPDX-License-Identifier: MIT */
/*
 * The program of the fault tests, and what they share.
 */
#include "fault.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct scratch place;

static void begin(void)
{
	const char *above = getenv("FERRY_REALM");

	setenv("FERRY_NET_MS", "0", 1);
	if (above) /* some tests are strangers, and must get as far as theirs */
		chmod(above, 0711);
	scratch_make(&place, "fault");
}

static void finish(void)
{
	scratch_remove(&place);
}

TCase *fault_case(const char *name, double seconds)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, begin, finish);
	tcase_set_timeout(t, seconds);
	return t;
}

void works(struct ferry_link *link, long long result)
{
	char why[300];

	ferry_explain(link, result < 0 ? (int)result : 0, why, sizeof(why));
	ck_assert_msg(result >= 0, "%s: %s", ferry_error_name((int)result),
		      why);
}

void refused(struct ferry_link *link, long long result, int want,
	     const char *phrase)
{
	char why[300] = "";

	ferry_explain(link, result < 0 ? (int)result : 0, why, sizeof(why));
	ck_assert_msg(result == want, "%s, not %s: %s",
		      ferry_error_name((int)result), ferry_error_name(want),
		      why);
	ck_assert_msg(strstr(why, phrase) != NULL, "'%s' does not say '%s'",
		      why, phrase);
}

struct ferry_link *make_box(const char *name, uint64_t capacity,
			    enum ferry_persistence keep)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *link;

	o.capacity = capacity;
	o.persistence = keep;
	works(NULL, ferry_mailbox_create(&link, name, &o));
	return link;
}

struct ferry_link *open_box(const char *name)
{
	struct ferry_link *link;

	works(NULL, ferry_open(&link, name, FERRY_DUPLEX));
	return link;
}

const char *path_of(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", place.path, name);
	return path;
}

void scribble(const char *name, long at, const void *bytes, size_t n)
{
	int fd = open(path_of(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert(fd >= 0);
	ck_assert(pwrite(fd, bytes, n, at) == (ssize_t)n);
	close(fd);
}

struct child child_start(void (*run)(struct child *c, void *arg), void *arg)
{
	int down[2], up[2];
	struct child c;

	ck_assert(pipe2(down, O_CLOEXEC) == 0 && pipe2(up, O_CLOEXEC) == 0);
	c.pid = fork();
	ck_assert(c.pid >= 0);
	if (c.pid) {
		close(down[0]);
		close(up[1]);
		c.to = down[1];
		c.from = up[0];
		return c;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(down[1]);
	close(up[0]);
	c.to = up[1];
	c.from = down[0];
	run(&c, arg);
	_exit(0);
}

void child_tell(struct child *c)
{
	ck_assert(write(c->to, "x", 1) == 1);
}

void child_hear(struct child *c)
{
	struct pollfd p = { c->from, POLLIN, 0 };
	char x;

	ck_assert_msg(poll(&p, 1, 30000) == 1, "the other side is silent");
	ck_assert_msg(read(c->from, &x, 1) == 1, "the other side has ended");
}

static int child_end(struct child *c)
{
	int status = -1;

	waitpid(c->pid, &status, 0);
	close(c->to);
	close(c->from);
	return status;
}

void child_kill(struct child *c)
{
	kill(c->pid, SIGKILL);
	child_end(c);
}

void child_join(struct child *c)
{
	int status = child_end(c);

	ck_assert_msg(status == 0, "a child ended with status %x", status);
}

int main(void)
{
	SRunner *r = srunner_create(calls_suite());
	int bad;

	srunner_add_suite(r, channel_suite());
	srunner_add_suite(r, container_suite());
	srunner_add_suite(r, direct_suite());
	srunner_add_suite(r, direct_strange_suite());
	srunner_add_suite(r, files_suite());
	srunner_add_suite(r, foreign_suite());
	srunner_add_suite(r, kernel_suite());
	srunner_add_suite(r, memory_suite());
	srunner_add_suite(r, oom_suite());
	srunner_add_suite(r, process_suite());
	srunner_add_suite(r, regress_suite());
	srunner_add_suite(r, topic_suite());
	scratch_begin("fault");
	srunner_run_all(r, CK_ENV);
	scratch_end();
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad ? 1 : 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * What somebody with access to the files can do besides writing: truncate one
 * that is in use, and hold every lock that is free.  SECURITY.md says what each
 * may cost; the rest of the realm goes on.
 */
#include "fault.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* doc/format.md, 4.3 */
#define LEASES	8192
#define REPAIRS ((off_t)1 << 40)
#define NAMES	((off_t)1 << 41)

/* Holds a message of `other`, and sends to `box` once it is told to. */
static void use_both(struct child *c, void *arg)
{
	struct ferry_link *box = open_box("box"), *other = open_box("other");
	struct ferry_message m;

	(void)arg;
	signal(SIGBUS, SIG_DFL); /* a sanitizer would make an exit of it */
	works(other, ferry_take(other, &m, FERRY_NOWAIT));
	child_tell(c);
	child_hear(c);
	ferry_send(box, "x", 1, FERRY_NOWAIT);
	ferry_close(box);
	_exit(0);
}

START_TEST(a_truncation_ends_only_those_who_use_that_mailbox)
{
	struct ferry_link *other = make_box("other", 4, FERRY_PERSIST_PROCESS);
	struct ferry_garbage *g = NULL;
	struct ferry_message m;
	struct ferry_link *link;
	struct child c;
	int status;
	size_t n;

	ferry_close(make_box("box", 4, FERRY_PERSIST_KERNEL));
	works(other, ferry_send(other, "x", 1, FERRY_NOWAIT));
	c = child_start(use_both, NULL);
	child_hear(&c);
	ck_assert(truncate(path_of("box"), 4096) == 0);
	child_tell(&c);
	ck_assert(waitpid(c.pid, &status, 0) == c.pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS,
		      "it ended with status %x", status);
	works(other, ferry_take(other, &m, ferry_after(FERRY_S(20))));
	ck_assert(m.redelivered);
	works(other, ferry_release(&m));
	refused(NULL, ferry_open(&link, "box", FERRY_SEND), -EBADMSG, "box");
	works(NULL, ferry_gc(NULL, true, &g, &n));
	ferry_free(g);
	ck_assert(unlink(path_of("box")) == 0);
	ferry_close(make_box("box", 4, FERRY_PERSIST_PROCESS));
	ferry_close(other);
}
END_TEST

static bool lock(int fd, off_t from, off_t n)
{
	struct flock l = { .l_type = F_WRLCK,
			   .l_whence = SEEK_SET,
			   .l_start = from,
			   .l_len = n };

	return fcntl(fd, F_OFD_SETLK, &l) == 0;
}

/* Every lock of the registry that nobody has. */
static void hold_all_locks(struct child *c, void *arg)
{
	int fd = open(path_of(".ferry"), O_RDWR | O_CLOEXEC);

	(void)arg;
	for (off_t i = 0; i < LEASES; i++)
		lock(fd, i, 1);
	ck_assert(lock(fd, REPAIRS, LEASES) && lock(fd, NAMES, 1));
	child_tell(c);
	pause();
}

START_TEST(who_comes_while_every_lock_is_held_is_told_so)
{
	struct ferry_link *link = NULL;
	struct child holder;
	int r;

	ferry_close(make_box("box", 4, FERRY_PERSIST_KERNEL));
	holder = child_start(hold_all_locks, NULL);
	child_hear(&holder);
	r = ferry_open(&link, "box", FERRY_SEND);
	ck_assert_msg(r == -EBUSY || r == -ENOSPC, "open said %s",
		      ferry_error_name(r));
	r = ferry_mailbox_create(&link, "new", NULL);
	ck_assert_msg(r == -EBUSY || r == -ENOSPC, "create said %s",
		      ferry_error_name(r));
	child_kill(&holder);
	link = open_box("box");
	works(link, ferry_send(link, "x", 1, FERRY_NOWAIT));
	ferry_close(link);
	works(NULL, ferry_destroy("box"));
}
END_TEST

static void hold_a_message(struct child *c, void *arg)
{
	struct ferry_link *box = open_box("box");
	struct ferry_message m;

	(void)arg;
	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	child_tell(c);
	pause();
}

START_TEST(calls_keep_their_deadline_while_every_lock_is_held)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct ferry_garbage *g = NULL;
	struct child member, holder;
	struct ferry_message m;
	size_t n;

	works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	member = child_start(hold_a_message, NULL);
	child_hear(&member);
	holder = child_start(hold_all_locks, NULL);
	child_hear(&holder);
	child_kill(&member);
	refused(box, ferry_take(box, &m, ferry_after(FERRY_MS(300))),
		-ETIMEDOUT, "");
	for (int i = 0; i < 9; i++) {
		works(box, ferry_send(box, "y", 1, FERRY_NOWAIT));
		works(box, ferry_take(box, &m, FERRY_NOWAIT));
		works(box, ferry_release(&m));
	}
	ferry_gc(NULL, true, &g, &n); /* comes back, whatever it can do */
	ferry_free(g);
	child_kill(&holder);
	works(box, ferry_take(box, &m, ferry_after(FERRY_S(20))));
	ck_assert(m.redelivered);
	works(box, ferry_release(&m));
	ferry_close(box);
}
END_TEST

Suite *foreign_suite(void)
{
	Suite *s = suite_create("foreign");
	TCase *t = fault_case("foreign", 60);

	tcase_add_test(t, a_truncation_ends_only_those_who_use_that_mailbox);
	tcase_add_test(t, who_comes_while_every_lock_is_held_is_told_so);
	tcase_add_test(t, calls_keep_their_deadline_while_every_lock_is_held);
	suite_add_tcase(s, t);
	return s;
}

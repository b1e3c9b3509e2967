/* SPDX-License-Identifier: MIT */
/*
 * sysv: when two open a queue at once, and when one may not look at it.  The library
 * finds our msgctl() first: it lets something happen in front of a call or behind it, or
 * answers in the place of the kernel.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>

#include "conform.h"

#define ANY 13 /* MSG_STAT_ANY */

static struct {
	int cmd;    /* the call that it is about; -1: any */
	int answer; /* an errno instead of the kernel's answer, or 0 */
	void (*before)(void); /* once */
	void (*after)(void);  /* once */
	bool forbidden;	      /* it may not happen */
} at;

static char address[100];

static void once(void (**what)(void))
{
	void (*run)(void) = *what;

	*what = NULL;
	if (run)
		run();
}

int msgctl(int id, int cmd, struct msqid_ds *ds)
{
	int (*real)(int, int, struct msqid_ds *);
	bool ours = at.cmd == -1 || at.cmd == cmd;
	int r;

	*(void **)&real = dlsym(RTLD_NEXT, "msgctl");
	ck_assert(!ours || !at.forbidden);
	if (ours)
		once(&at.before);
	if (ours && at.answer) {
		errno = at.answer;
		return -1;
	}
	r = real(id, cmd, ds);
	if (ours)
		once(&at.after);
	return r;
}

static void plainly(void)
{
	memset(&at, 0, sizeof at);
	at.cmd = -2;
}

static char *queue(const char *keys)
{
	snprintf(address, sizeof address, "sysv:%d%s", getpid(), keys);
	return address;
}

static int number(void)
{
	return msgget(getpid(), 0);
}

static uint64_t size(void)
{
	struct msqid_ds ds = { 0 };

	plainly();
	ck_assert_int_eq(msgctl(number(), IPC_STAT, &ds), 0);
	return ds.msg_qbytes;
}

static void end(void)
{
	plainly();
	close_ends();
	ok(NULL, ferry_destroy(queue("")));
}

/* --- two at once ------------------------------------------------------------ */

static char eight[120];

static void open_eight(void *arg)
{
	struct ferry_link *l;

	plainly();
	if (ferry_open(&l, arg, FERRY_RECV) != 0)
		_exit(1);
}

static void another_asks_for_eight(void)
{
	expect_exit(child(open_eight, eight), 0);
}

START_TEST(who_makes_a_queue_leaves_it_the_size_another_was_told)
{
	snprintf(eight, sizeof eight, "%s", queue("?capacity=8K"));
	plainly();
	at.cmd = -1;
	at.before = another_asks_for_eight; /* it is made, and not looked at */
	fails(NULL, ferry_open(&receiver, queue("?capacity=4K"), FERRY_RECV),
	      -EEXIST);
	says(NULL, -EEXIST, "8192 bytes, not 4096");
	ck_assert_uint_eq(size(), 8192);
	end();
}
END_TEST

static void set_four(void)
{
	struct msqid_ds ds = { 0 };

	ck_assert_int_eq(msgctl(number(), IPC_STAT, &ds), 0);
	ds.msg_qbytes = 4096;
	ck_assert_int_eq(msgctl(number(), IPC_SET, &ds), 0);
}

START_TEST(who_sets_a_size_looks_whether_it_stayed)
{
	for (int made = 0; made < 2; made++) {
		plainly();
		if (made)
			ok(NULL, ferry_open(&receiver, queue(""), FERRY_RECV));
		at.cmd = IPC_SET;
		at.after = set_four;
		fails(NULL,
		      ferry_open(&sender, queue("?capacity=8K"), FERRY_DUPLEX),
		      -EEXIST);
		says(NULL, -EEXIST, "4096 bytes, not 8192");
		ck_assert_uint_eq(size(), 4096);
		end();
	}
}
END_TEST

static void ask_for_much(void *arg)
{
	plainly();
	at.cmd = -1;
	at.forbidden = true; /* without a queue there is nothing to call of */
	fails(NULL, ferry_open(&receiver, arg, FERRY_RECV), -EACCES);
	says(NULL, -EACCES, "kernel.msgmnb");
}

START_TEST(what_is_too_much_is_refused_before_the_queue_is_made)
{
	skip_unless(geteuid() == 0, "one cannot become another user");
	as_nobody(ask_for_much, queue("?capacity=1G"));
	ck_assert_int_eq(number(), -1);
}
END_TEST

static void another_sends(void)
{
	struct {
		long type;
		char text[10];
	} m = { 1, "precious" };

	ck_assert_int_eq(msgsnd(number(), &m, 8, 0), 0);
}

START_TEST(a_queue_that_another_uses_stays_when_its_size_is_refused)
{
	plainly();
	at.cmd = IPC_SET;
	at.answer = EPERM;
	at.before = another_sends;
	fails(NULL, ferry_open(&receiver, queue("?capacity=4K"), FERRY_RECV),
	      -EEXIST);
	plainly();
	ok(NULL, ferry_open(&receiver, queue(""), FERRY_RECV));
	expect_text(receiver, "precious");
	end();
}
END_TEST

START_TEST(a_queue_that_nobody_used_goes_when_its_size_is_refused)
{
	plainly();
	at.cmd = IPC_SET;
	at.answer = EPERM;
	fails(NULL, ferry_open(&receiver, queue("?capacity=4K"), FERRY_RECV),
	      -EACCES);
	plainly();
	ck_assert_int_eq(number(), -1);
}
END_TEST

/* --- who may only send --------------------------------------------------------- */

static char large[8192];
static bool old_kernel;

static void first(void)
{
	plainly();
	if (old_kernel) {
		at.cmd = ANY;
		at.answer = EINVAL;
	}
}

static void only_send(void *arg)
{
	struct ferry_link *l;

	first();
	ok(NULL, ferry_open(&l, arg, FERRY_SEND));
	ok(l, ferry_send(l, large, 4000, FERRY_NOWAIT));
	fails(l, ferry_send(l, large, 4000, FERRY_NOWAIT), -EAGAIN);
	if (!old_kernel) {
		fails(l, ferry_send(l, large, 5000, SOON), -EMSGSIZE);
		says(l, -EMSGSIZE, "4096 of the whole queue");
	} else {
		fails(l, ferry_send(l, large, 5000, FERRY_NOWAIT), -EAGAIN);
	}
	ferry_close(l);
}

static void ask_for_another_size(void *arg)
{
	struct ferry_link *l;
	char with[150];
	int err = old_kernel ? -EACCES : -EEXIST;

	first();
	snprintf(with, sizeof with, "%s?capacity=8K", (char *)arg);
	fails(NULL, ferry_open(&l, with, FERRY_SEND), err);
	says(NULL, err, old_kernel ? "may not look" : "4096 bytes, not 8192");
}

START_TEST(who_may_only_send_is_told_what_others_are)
{
	skip_unless(geteuid() == 0, "one cannot become another user");
	for (int old = 0; old < 2; old++) {
		plainly();
		ok(NULL, ferry_open(&receiver, queue("?capacity=4K&mode=0622"),
				    FERRY_RECV));
		old_kernel = old;
		as_nobody(only_send, queue(""));
		as_nobody(ask_for_another_size, queue(""));
		end();
	}
}
END_TEST

static void send_too_much(void *arg)
{
	struct ferry_link *l;

	old_kernel = true;
	first();
	ok(NULL, ferry_open(&l, arg, FERRY_SEND));
	fails(l, ferry_send(l, large, 300, SOON), -EMSGSIZE);
	says(l, -EMSGSIZE, "300 bytes is larger than the 200 of kernel.msgmnb");
	fails(l, ferry_send(l, large, 500, SOON), -EMSGSIZE);
	says(l, -EMSGSIZE, "400 of kernel.msgmax");
	ferry_close(l);
}

static bool set(const char *path, const char *value)
{
	FILE *file = fopen(path, "we");
	bool good = file && fputs(value, file) >= 0;

	return file && fclose(file) == 0 && good;
}

#define IMPOSSIBLE 9

/* In a name space of its own, with settings of its own. */
static void with_low_limits(void *arg)
{
	struct ferry_link *l;

	if (unshare(CLONE_NEWIPC) != 0 ||
	    !set("/proc/sys/kernel/msgmnb", "200") ||
	    !set("/proc/sys/kernel/msgmax", "400"))
		_exit(IMPOSSIBLE);
	ok(NULL, ferry_open(&l, queue("?mode=0622"), FERRY_RECV));
	as_nobody(send_too_much, queue(""));
	ferry_close(l);
	(void)arg;
}

START_TEST(who_may_not_look_does_not_wait_for_ever_nor_call_it_removed)
{
	int status;

	skip_unless(geteuid() == 0, "one cannot become another user");
	plainly();
	ck_assert_int_ge(waitpid(child(with_low_limits, NULL), &status, 0), 0);
	skip_unless(!WIFEXITED(status) || WEXITSTATUS(status) != IMPOSSIBLE,
		    "there are no IPC name spaces");
	ck_assert_int_eq(status, 0);
}
END_TEST

void add_sysv_look_tests(TCase *tc)
{
	tcase_add_test(tc,
		       who_makes_a_queue_leaves_it_the_size_another_was_told);
	tcase_add_test(tc, who_sets_a_size_looks_whether_it_stayed);
	tcase_add_test(tc,
		       what_is_too_much_is_refused_before_the_queue_is_made);
	tcase_add_test(
		tc, a_queue_that_another_uses_stays_when_its_size_is_refused);
	tcase_add_test(tc,
		       a_queue_that_nobody_used_goes_when_its_size_is_refused);
	tcase_add_test(tc, who_may_only_send_is_told_what_others_are);
	tcase_add_test(
		tc,
		who_may_not_look_does_not_wait_for_ever_nor_call_it_removed);
}

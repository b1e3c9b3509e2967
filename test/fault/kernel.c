/* SPDX-License-Identifier: MIT */
/*
 * A kernel, or a sandbox, without some of its calls: each is refused by a filter
 * in a child, which then uses a mailbox in every way, and a pipe.  Without locks that belong
 * to an open file there is no Ferry, and that is said.
 */
#include "fault.h"

#include <fcntl.h>
#include <poll.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* The call, and the error that the kernel would answer. */
static const struct refusal {
	const char *what;
	long nr;
	int err;
} refusals[] = {
	{ "futex_waitv", SYS_futex_waitv, ENOSYS },
	{ "membarrier", SYS_membarrier, ENOSYS },
	{ "getrandom", SYS_getrandom, ENOSYS },
	{ "statx", SYS_statx, ENOSYS },
	{ "pidfd_open", SYS_pidfd_open, ENOSYS },
	{ "memfd_create", SYS_memfd_create, ENOSYS },
	{ "get_robust_list", SYS_get_robust_list, EPERM },
	{ "set_robust_list", SYS_set_robust_list, ENOSYS },
	{ "setsockopt", SYS_setsockopt, EPERM },
	{ "pwritev2", SYS_pwritev2, ENOSYS },
	{ "pwritev2", SYS_pwritev2,
	  EOPNOTSUPP }, /* what it says of new flags */
	{ "pwritev2", SYS_pwritev2, EPERM },
};

#define LOAD(field)                                                            \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip)                                                    \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, (what))

static bool install(struct sock_filter *f, size_t n)
{
	struct sock_fprog p = { (unsigned short)n, f };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0;
}

static bool refuse(const struct refusal *r)
{
	struct sock_filter f[] = {
		LOAD(nr),
		UNLESS((unsigned)r->nr, 1),
		ANSWER(SECCOMP_RET_ERRNO | (unsigned)r->err),
		ANSWER(SECCOMP_RET_ALLOW),
	};

	return install(f, sizeof(f) / sizeof(f[0]));
}

/* The lower half of the second argument is the command (little-endian). */
static bool refuse_locks(void)
{
	struct sock_filter f[] = {
		LOAD(nr),
		UNLESS(SYS_fcntl, 4),
		LOAD(args[1]),
		UNLESS(F_OFD_SETLK, 1),
		ANSWER(SECCOMP_RET_ERRNO | EINVAL),
		ANSWER(SECCOMP_RET_ALLOW),
		ANSWER(SECCOMP_RET_ALLOW),
	};

	return install(f, sizeof(f) / sizeof(f[0]));
}

static void take_and_stay(struct child *c, void *arg)
{
	struct ferry_link *box = open_box("box");
	struct ferry_message m;

	(void)arg;
	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	child_tell(c);
	pause();
}

static void use_everything(void)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct ferry_garbage *g = NULL;
	static char large[100000];
	struct ferry_message m;
	struct child c;
	size_t n;

	works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	c = child_start(take_and_stay, NULL);
	child_hear(&c);
	child_kill(&c);
	/* The net is off: it is found by the bell or an early look. */
	works(box, ferry_take(box, &m, ferry_after(FERRY_S(20))));
	ck_assert(m.redelivered);
	works(box, ferry_requeue(&m, 0));
	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	works(box, ferry_release(&m));
	works(box, ferry_send(box, large, sizeof(large), FERRY_NOWAIT));
	ck_assert_int_eq(ferry_recv(box, large, sizeof(large), FERRY_NOWAIT),
			 sizeof(large));
	refused(box, ferry_take(box, &m, ferry_after(FERRY_MS(20))), -ETIMEDOUT,
		"");
	works(NULL, ferry_gc(NULL, true, &g, &n));
	ferry_free(g);
	ferry_close(box);
}

/* SIGPIPE would end this process. */
static void use_pipe(void)
{
	struct ferry_link *ends[2];
	char buf[8];

	works(NULL, ferry_pair(ends, "pipe:?framing=len32"));
	works(ends[1], ferry_send(ends[1], "one", 3, FERRY_NOWAIT));
	ck_assert_int_eq(ferry_recv(ends[0], buf, sizeof(buf), FERRY_NOWAIT),
			 3);
	ferry_close(ends[0]);
	refused(ends[1], ferry_send(ends[1], "two", 3, FERRY_NOWAIT),
		-ECONNRESET, "");
	ferry_close(ends[1]);
}

static void use_refused(struct child *c, void *arg)
{
	const struct refusal *r = arg;

	if (!refuse(r)) {
		printf("%s not tried, no filters are allowed here\n", r->what);
		return;
	}
	(void)c;
	use_everything();
	use_pipe();
}

START_TEST(it_works_on_a_kernel_without)
{
	struct refusal r = refusals[_i];
	struct child c = child_start(use_refused, &r);

	child_join(&c);
}
END_TEST

static void use_without_locks(struct child *c, void *arg)
{
	struct ferry_link *box;

	(void)c;
	(void)arg;
	if (!refuse_locks()) {
		printf("locks not tried, no filters are allowed here\n");
		return;
	}
	refused(NULL, ferry_mailbox_create(&box, "box", NULL), -EOPNOTSUPP,
		"lock");
	refused(NULL, ferry_open(&box, "old", FERRY_SEND), -EOPNOTSUPP, "lock");
}

START_TEST(a_file_system_without_locks_is_refused)
{
	struct child c;

	ferry_close(make_box("old", 4, FERRY_PERSIST_KERNEL));
	c = child_start(use_without_locks, NULL);
	child_join(&c);
	works(NULL, ferry_destroy("old"));
}
END_TEST

/* An event loop on a mailbox, with the help of a thread, or refused. */
static void poll_box(unsigned flags, int err)
{
	struct pollfd p = { .events = POLLIN };
	struct ferry_link *box;
	char buf[8];

	works(NULL, ferry_open(&box, "old", FERRY_DUPLEX | flags));
	if (flags == 0) {
		refused(box, ferry_pollfd(box, FERRY_RECV), err,
			"FERRY_THREAD");
	} else {
		p.fd = ferry_pollfd(box, FERRY_RECV);
		works(box, p.fd);
		refused(box, ferry_recv(box, buf, sizeof(buf), FERRY_NOWAIT),
			-EAGAIN, "");
		works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
		ck_assert_int_eq(poll(&p, 1, 20000), 1);
		works(box, ferry_recv(box, buf, sizeof(buf), FERRY_NOWAIT));
	}
	ferry_close(box);
}

static const struct refusal rings[] = {
	{ "io_uring_setup", SYS_io_uring_setup, ENOSYS },
	{ "io_uring_setup", SYS_io_uring_setup, EPERM },
	{ "io_uring_setup", SYS_io_uring_setup, ENOMEM },
	{ "io_uring_enter", SYS_io_uring_enter, EPERM },
	{ "io_uring_register", SYS_io_uring_register, EPERM },
};

static void poll_without_ring(struct child *c, void *arg)
{
	const struct refusal *r = arg;

	(void)c;
	if (!refuse(r)) {
		printf("%s not tried, no filters are allowed here\n", r->what);
		return;
	}
	poll_box(0, r->err == ENOMEM ? -ENOMEM : -EOPNOTSUPP);
	poll_box(FERRY_THREAD, 0);
	/* and where futex_waitv is missing as well */
	if (refuse(&refusals[0]))
		poll_box(FERRY_THREAD, 0);
}

START_TEST(a_loop_without_io_uring_takes_a_thread_or_says_why)
{
	struct refusal r = rings[_i];
	struct child c;

	ferry_close(make_box("old", 4, FERRY_PERSIST_KERNEL));
	c = child_start(poll_without_ring, &r);
	child_join(&c);
	works(NULL, ferry_destroy("old"));
}
END_TEST

Suite *kernel_suite(void)
{
	Suite *s = suite_create("kernel");
	TCase *t = fault_case("kernel", 60);

	tcase_add_loop_test(t, it_works_on_a_kernel_without, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(t, a_file_system_without_locks_is_refused);
	tcase_add_loop_test(t,
			    a_loop_without_io_uring_takes_a_thread_or_says_why,
			    0, sizeof(rings) / sizeof(rings[0]));
	suite_add_tcase(s, t);
	return s;
}

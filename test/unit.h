/* SPDX-License-Identifier: MIT */
/*
 * What the proofs beside the code share: results that explain themselves,
 * children, and gates that processes wait at.
 *
 * A gate lies in shared memory: it needs no descriptor, so that a child that
 * closes all of its own can still be heard.  Every wait ends with a failure
 * after PATIENCE.
 */
#ifndef FERRY_TEST_UNIT_H
#define FERRY_TEST_UNIT_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

#include "base/error.h"
#include "sys/clock.h"
#include "sys/futex.h"

#define PATIENCE FERRY_S(40)
#define SOON	 ferry_after(PATIENCE)

/* A result >= 0; if not, its name and sentence. */
#define ok(r)                                                                  \
	do {                                                                   \
		long long r_ = (long long)(r);                                 \
		char why_[300];                                                \
		ferry_explain(NULL, r_ < 0 ? (int)r_ : 0, why_, sizeof why_);  \
		ck_assert_msg(r_ >= 0, "%s: %s: %s", #r,                       \
			      ferry_error_name((int)r_), why_);                \
	} while (0)

/* Exactly this error. */
#define fails(r, wanted)                                                       \
	do {                                                                   \
		long long f_ = (long long)(r);                                 \
		char why_[300];                                                \
		ferry_explain(NULL, f_ < 0 ? (int)f_ : 0, why_, sizeof why_);  \
		ck_assert_msg(f_ == (wanted), "%s: %s (%lld), not %s: %s", #r, \
			      ferry_error_name((int)f_), f_,                   \
			      ferry_error_name(wanted), why_);                 \
	} while (0)

/* The same, and the call has left a sentence that holds `text`. */
#define fails_saying(r, wanted, text)                                          \
	do {                                                                   \
		fails(r, wanted);                                              \
		ck_assert_ptr_nonnull(ferryi_fail_sentence(wanted));           \
		ck_assert_msg(strstr(ferryi_fail_sentence(wanted), text),      \
			      "\"%s\" does not say \"%s\"",                    \
			      ferryi_fail_sentence(wanted), text);             \
	} while (0)

/* Look until it is so; other processes run in between. */
#define until(condition)                                                       \
	do {                                                                   \
		int64_t end_ = ferryi_now() + PATIENCE;                        \
		while (!(condition)) {                                         \
			ck_assert_msg(ferryi_now() < end_, "never: %s",        \
				      #condition);                             \
			sched_yield();                                         \
		}                                                              \
	} while (0)

/* Zeroed memory that children share. */
static inline void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	return p;
}

/* --- gates ------------------------------------------------------------------ */

static inline uint32_t gate_count(uint32_t *gate)
{
	return __atomic_load_n(gate, __ATOMIC_SEQ_CST);
}

static inline void gate_add(uint32_t *gate)
{
	__atomic_add_fetch(gate, 1, __ATOMIC_SEQ_CST);
	ferryi_futex_wake(gate, INT_MAX);
}

/* Until gate_add() was called `n` times. */
static inline void gate_await(uint32_t *gate, uint32_t n)
{
	int64_t end = ferryi_now() + PATIENCE;
	uint32_t seen;

	while ((seen = gate_count(gate)) < n) {
		struct ferryi_futex f = { gate, seen };

		ck_assert_msg(ferryi_futex_wait(&f, 1, end) != -ETIMEDOUT,
			      "a gate was never opened");
	}
}

/* --- children --------------------------------------------------------------- */

/* fork(); in the child `run` and _exit(0).  It dies with us. */
static inline pid_t child(void (*run)(void *arg), void *arg)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(arg);
		_exit(0);
	}
	return pid;
}

static inline void expect_exit(pid_t pid, int wanted)
{
	int status = 0;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == wanted,
		      "child: status %#x", status);
}

/* kill -9, and wait until the kernel has taken everything from it. */
static inline void kill_child(pid_t pid)
{
	int status = 0;

	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status), "child: status %#x", status);
}

/* fork() behind the back of libc and of everybody's pthread_atfork(). */
static inline pid_t raw_clone(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static inline void stay(void)
{
	for (;;)
		pause();
}

/* --- the realm of the test --------------------------------------------------- */

static inline const char *realm_path(void)
{
	const char *path = getenv("FERRY_REALM");

	ck_assert_msg(path, "run it under test/runner");
	return path;
}

static inline bool exists(const char *name)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", realm_path(), name);
	return lstat(path, &st) == 0;
}

/* Write `len` bytes at `at` of a file of the realm, made when missing. */
static inline void scribble(const char *name, const void *bytes, size_t len,
			    off_t at)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof path, "%s/%s", realm_path(), name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, len, at), len);
	close(fd);
}

static inline void shorten(const char *name, off_t size)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", realm_path(), name);
	ck_assert_int_eq(truncate(path, size), 0);
}

static inline void erase(const char *name)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", realm_path(), name);
	ck_assert_int_eq(unlink(path), 0);
}

/* --- main -------------------------------------------------------------------- */

static inline int unit_main(TCase *t, const char *name)
{
	Suite *s = suite_create(name);
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 80);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#endif

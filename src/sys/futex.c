/* SPDX-License-Identifier: MIT */
/* See futex.h.  futex_waitv(2) is called by number: libc has no wrapper. */
#include "sys/futex.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define FUTEX_U32 2 /* FUTEX_32: size of a word, shared between processes */

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

int ferryi_futex_wake(uint32_t *addr, int n)
{
	long woken = syscall(SYS_futex, addr, FUTEX_WAKE, n, NULL, NULL, 0);

	return woken < 0 ? 0 : (int)woken;
}

/* 0: not asked yet, 1: there, -1: not there.  Racing threads agree. */
static int waitv_state;

bool ferryi_futex_has_waitv(void)
{
	int state = __atomic_load_n(&waitv_state, __ATOMIC_RELAXED);
	const char *knob;

	if (state == 0) {
		knob = getenv("FERRY_FUTEX_WAITV");
		if (knob && strcmp(knob, "0") == 0)
			state = -1;
		else /* no words at all: EINVAL where the call exists */
			state = syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) <
							0 &&
						errno == ENOSYS ?
					-1 :
					1;
		__atomic_store_n(&waitv_state, state, __ATOMIC_RELAXED);
	}
	return state > 0;
}

void ferryi_waitv_fill(struct ferryi_waitv *v, const struct ferryi_futex *f,
		       unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		v[i] = (struct ferryi_waitv){ .val = f[i].expected,
					      .uaddr = (uintptr_t)f[i].addr,
					      .flags = FUTEX_U32 };
}

static int wait_many(const struct ferryi_futex *f, unsigned n, int64_t deadline)
{
	struct timespec ts = timespec_of(deadline);
	struct ferryi_waitv v[FERRYI_WAITV_MAX];
	long r;

	if (n > FERRYI_WAITV_MAX)
		n = FERRYI_WAITV_MAX;
	ferryi_waitv_fill(v, f, n);
	r = syscall(SYS_futex_waitv, v, n, 0,
		    deadline == INT64_MAX ? NULL : &ts, CLOCK_MONOTONIC);
	return r < 0 ? -errno : (int)r;
}

/* One word; the others are compared before each nap. */
static int wait_one(const struct ferryi_futex *f, unsigned n, int64_t deadline)
{
	int64_t nap = ferryi_now() + FERRYI_FUTEX_NAP;
	bool napping = n > 1 && nap < deadline;
	struct timespec ts = timespec_of(napping ? nap : deadline);
	long r;

	for (unsigned i = 1; i < n; i++)
		if (__atomic_load_n(f[i].addr, __ATOMIC_SEQ_CST) !=
		    f[i].expected)
			return -EAGAIN;
	r = syscall(SYS_futex, f[0].addr, FUTEX_WAIT_BITSET, f[0].expected,
		    !napping && deadline == INT64_MAX ? NULL : &ts, NULL,
		    FUTEX_BITSET_MATCH_ANY);
	if (r == 0)
		return 0;
	return errno == ETIMEDOUT && napping ? -EAGAIN : -errno;
}

int ferryi_futex_wait(const struct ferryi_futex *f, unsigned n,
		      int64_t deadline)
{
	return ferryi_futex_has_waitv() ? wait_many(f, n, deadline) :
					  wait_one(f, n, deadline);
}

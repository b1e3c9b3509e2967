/* SPDX-License-Identifier: MIT */
/*
 * Futexes in shared memory: wake, and wait on several words at once.
 *
 * futex_waitv needs Linux 5.16.  Without it (or with FERRY_FUTEX_WAITV=0, or
 * under valgrind) the first word alone is watched, for FERRYI_FUTEX_NAP at a
 * time: idle cost is then bounded, not zero.
 */
#ifndef FERRYI_SYS_FUTEX_H
#define FERRYI_SYS_FUTEX_H

#include <stdbool.h>
#include <stdint.h>

#define FERRYI_FUTEX_NAP 20000000 /* ns */

struct ferryi_futex {
	uint32_t *addr;
	uint32_t expected;
};

/* Wake up to `n` sleepers of any process.  Returns how many.  Async-signal-safe. */
int ferryi_futex_wake(uint32_t *addr, int n);

/*
 * Sleep until a word is woken, differs already, or `deadline` (monotonic ns)
 * passes.  Returns the index of a woken word; -EAGAIN: one differs, or a nap
 * ended; -ETIMEDOUT; -EINTR.  Only the wait room calls this.
 */
int ferryi_futex_wait(const struct ferryi_futex *f, unsigned n,
		      int64_t deadline);

/* Whether one sleep can watch several words. */
bool ferryi_futex_has_waitv(void);

/* The kernel's list of words, for futex_waitv(2) and io_uring(7). */
#define FERRYI_WAITV_MAX 128
struct ferryi_waitv {
	uint64_t val;
	uint64_t uaddr;
	uint32_t flags;
	uint32_t reserved;
};
void ferryi_waitv_fill(struct ferryi_waitv *v, const struct ferryi_futex *f,
		       unsigned n);

#endif

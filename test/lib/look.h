/* SPDX-License-Identifier: MIT */
/*
 * Looking at processes from outside: asleep?, how many descriptors?, what
 * time is it?  For tests that wait on events and never on a guess.
 */
#ifndef TEST_LOOK_H
#define TEST_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Monotonic seconds. */
double look_clock(void);

/*
 * A limit for something that is awaited with looks and pauses in between.  It
 * is over after `seconds`, but not before 1,000 looks for each of them: who
 * looks is starved of its CPU on a crowded machine as those are whom it awaits.
 */
struct look_limit {
	double end;
	long looks;
};
struct look_limit look_limit(double seconds);
bool look_is_over(struct look_limit *l); /* once a look */

/* Is the process asleep in futex(2) or futex_waitv(2)? */
bool look_in_futex(pid_t pid);

/* Wait until it is; false when that takes longer than `seconds`. */
bool look_await_futex(pid_t pid, double seconds);

/* Wait until it has slept there for 300 ms on end: longer than any of the short
 * sleeps of a call that waits. */
bool look_await_long_sleep(pid_t pid, double seconds);

/* Open descriptors of the calling process. */
int look_count_fds(void);

/* Sleep a moment between two looks. */
void look_pause_us(unsigned us);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Signals: blocked, read from a descriptor, sent to a process that is held by one.
 *
 * All calls return >= 0 or a negative errno of the system, unmapped, and none waits.
 * A set of signals is 64 bits, bit n - 1 for signal n.
 */
#ifndef FERRYI_SYS_SIGNALS_H
#define FERRYI_SYS_SIGNALS_H

#include <stdint.h>
#include <sys/types.h>

static inline uint64_t ferryi_signal_bit(int number)
{
	return UINT64_C(1) << (number - 1);
}

/* The real-time signals that the C library leaves to programs. */
int ferryi_signal_rt_min(void);
int ferryi_signal_rt_max(void);

/* Block them in this thread; *out_fresh are those that were not blocked before. */
int ferryi_signals_block(uint64_t set, uint64_t *out_fresh);

/* Take away those that are pending, and unblock them in this thread. */
void ferryi_signals_drop(uint64_t set);

/* A descriptor from which they are read once they are blocked. */
int ferryi_signals_open(uint64_t set);

/* What siginfo_t tells of one. */
struct ferryi_signal_info {
	int number, code, status, value;
	uint32_t pid, uid, overrun;
	uint64_t wide;
};

/* The next one, or -EAGAIN. */
int ferryi_signals_read(int fd, struct ferryi_signal_info *out);

/* A descriptor of the process `pid`; readable once it has ended. */
int ferryi_pidfd_open(pid_t pid);

/* Send a signal to it; 0 only asks whether one may.  With a value, when there is
 * one, of 4 or 8 bytes: -EAGAIN, the queue is full. */
int ferryi_pidfd_send(int fd, int number);
int ferryi_pidfd_send_value(int fd, int number, const void *value, size_t len);

/* To all processes of a group, greater than 1.  0 only asks. */
int ferryi_group_send(pid_t group, int number);

#endif

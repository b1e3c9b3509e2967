/* SPDX-License-Identifier: MIT */
/*
 * A barrier for others: membarrier(2), from Linux 4.16 on, GLOBAL_EXPEDITED.
 *
 * It lets one side of a pair that needs a store before a load, both seen by the
 * other (a sleeper and who wakes it), pay for both: the one that does it seldom.
 */
#ifndef FERRYI_SYS_BARRIER_H
#define FERRYI_SYS_BARRIER_H

/*
 * From now on barriers of others reach this process, and it may make them.  0, or a
 * negative errno: the kernel, or a sandbox, does not have it, or FERRY_MEMBARRIER=0
 * says so.  Once more after a
 * fork; exec forgets it.
 */
int ferryi_barrier_register(void);

/*
 * A full barrier here, and in every thread of every process that has registered.
 * About 0.3 us, 2 us while such a thread runs.  0, or a negative errno.
 */
int ferryi_barrier(void);

#endif

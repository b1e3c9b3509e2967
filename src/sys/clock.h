/* SPDX-License-Identifier: MIT */
/* Clocks.  All but the last stay in user space (vDSO) and never block. */
#ifndef FERRYI_SYS_CLOCK_H
#define FERRYI_SYS_CLOCK_H

#include <stdint.h>

int64_t ferryi_now(void);  /* CLOCK_MONOTONIC, ns */
int64_t ferryi_wall(void); /* CLOCK_REALTIME, ns */

/*
 * The same as of the kernel's last tick (1 to 10 ms ago at most), for a fifth
 * of the price: what a message is stamped with.
 */
int64_t ferryi_now_stamp(void);
int64_t ferryi_wall_stamp(void);

int64_t ferryi_cpu(void); /* CPU time of the thread, ns; a system call */

#endif

/* SPDX-License-Identifier: MIT */
/* Clocks.  Both calls stay in user space (vDSO) and never block. */
#ifndef FERRYI_SYS_CLOCK_H
#define FERRYI_SYS_CLOCK_H

#include <stdint.h>

int64_t ferryi_now(void);  /* CLOCK_MONOTONIC, ns */
int64_t ferryi_wall(void); /* CLOCK_REALTIME, ns */

#endif

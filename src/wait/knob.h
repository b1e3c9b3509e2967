/* SPDX-License-Identifier: MIT */
/* Numbers from the environment that change how calls wait, see ferry(7). */
#ifndef FERRYI_WAIT_KNOB_H
#define FERRYI_WAIT_KNOB_H

#include <stdint.h>

/* FERRY_SPIN_US in ns: how long to look again before a sleep; 0: not. */
int64_t ferryi_knob_spin(void);

/* FERRY_NET_MS in ns: the period of the safety net; 0: there is none. */
int64_t ferryi_knob_net(void);

#endif

/* SPDX-License-Identifier: MIT */
/* Facts about the machine. */
#ifndef FERRYI_SYS_MACHINE_H
#define FERRYI_SYS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* systemd-logind's RemoveIPC: 1 on, 0 off, -1 there is no logind. */
int ferryi_machine_remove_ipc(void);

uint64_t ferryi_machine_max_files(void);
uint64_t ferryi_machine_max_address_space(void); /* UINT64_MAX: unlimited */
bool ferryi_machine_has_robust_list(void);
unsigned ferryi_machine_cpus(void); /* online; at least 1 */

#endif

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

/* The bytes that all POSIX message queues of this user may have. */
uint64_t ferryi_machine_max_queue_bytes(void);

/* A number of sysctl(8), "kernel/msgmax", or `otherwise` where it cannot be read. */
uint64_t ferryi_machine_setting(const char *name, uint64_t otherwise);

/* May this thread go beyond the limits of the kernel's settings, as far as we know? */
bool ferryi_machine_may_exceed(void);

/* What tells this run of the kernel from all others; "-" without /proc. */
void ferryi_machine_boot(char out[40]);

/* A number that nobody guesses. */
uint32_t ferryi_machine_random(void);

#endif

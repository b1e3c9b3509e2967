/* SPDX-License-Identifier: MIT */
/* See barrier.h. */
#include "sys/barrier.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0) < 0 ? -errno : 0;
}

int ferryi_barrier_register(void)
{
	const char *knob = getenv("FERRY_MEMBARRIER");

	if (knob && strcmp(knob, "0") == 0)
		return -ENOSYS;
	return membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
}

int ferryi_barrier(void)
{
	return membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

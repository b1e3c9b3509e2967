/* SPDX-License-Identifier: MIT */
/* See machine.h. */
#include "sys/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The last uncommented RemoveIPC= wins; without one the default is on. */
int ferryi_machine_remove_ipc(void)
{
	char line[256];
	int on = 1;
	FILE *f;

	if (access("/run/systemd/seats", F_OK) != 0 &&
	    access("/run/systemd/users", F_OK) != 0)
		return -1;
	f = fopen("/etc/systemd/logind.conf", "re");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, "RemoveIPC=", 10) == 0)
			on = line[10] != 'n' && line[10] != 'f' &&
			     line[10] != '0';
	if (f)
		fclose(f);
	return on;
}

static uint64_t limit(int which)
{
	struct rlimit r;

	if (getrlimit(which, &r) != 0 || r.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return r.rlim_cur;
}

uint64_t ferryi_machine_max_files(void)
{
	return limit(RLIMIT_NOFILE);
}

uint64_t ferryi_machine_max_address_space(void)
{
	return limit(RLIMIT_AS);
}

bool ferryi_machine_has_robust_list(void)
{
	void *head;
	size_t len;

	return syscall(SYS_get_robust_list, 0, &head, &len) == 0;
}

unsigned ferryi_machine_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned)n : 1;
}

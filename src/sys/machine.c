/* SPDX-License-Identifier: MIT */
/* See machine.h. */
#include "sys/machine.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
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

uint64_t ferryi_machine_max_queue_bytes(void)
{
	return limit(RLIMIT_MSGQUEUE);
}

uint64_t ferryi_machine_setting(const char *name, uint64_t otherwise)
{
	uint64_t value = otherwise;
	char path[100];
	FILE *f;

	snprintf(path, sizeof path, "/proc/sys/%s", name);
	f = fopen(path, "re");
	if (!f)
		return otherwise;
	if (fscanf(f, "%" SCNu64, &value) != 1)
		value = otherwise;
	fclose(f);
	return value;
}

bool ferryi_machine_may_exceed(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3,
						 0 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &head, data) != 0 ||
	       (data[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective &
		CAP_TO_MASK(CAP_SYS_RESOURCE));
}

void ferryi_machine_boot(char out[40])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || fscanf(f, "%39[0-9a-f-]", out) != 1)
		snprintf(out, 40, "-");
	if (f)
		fclose(f);
}

uint32_t ferryi_machine_random(void)
{
	struct timespec now;
	uint32_t n;

	if (getrandom(&n, sizeof n, GRND_NONBLOCK) == sizeof n)
		return n;
	clock_gettime(CLOCK_MONOTONIC, &now); /* the machine has just started */
	return (uint32_t)now.tv_nsec * 2654435761u ^ (uint32_t)getpid();
}

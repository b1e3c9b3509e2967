/* SPDX-License-Identifier: MIT */
/* See knob.h. */
#include "wait/knob.h"

#include <stdlib.h>
#include <ferry/base.h>

#include "sys/machine.h"

#define SPIN_US 20 /* twice what waking a sleeper takes */
#define NET_MS	1000

/* A number in the environment, read once. */
struct knob {
	const char *name;
	int64_t unit;  /* ns */
	int64_t value; /* ns, or -1: not read; racing threads read the same */
};

static int64_t read_knob(struct knob *k, int64_t otherwise)
{
	const char *text = getenv(k->name);
	int64_t value = text ? atoll(text) : otherwise;

	value = (value < 0 ? otherwise : value) * k->unit;
	__atomic_store_n(&k->value, value, __ATOMIC_RELAXED);
	return value;
}

int64_t ferryi_knob_spin(void)
{
	static struct knob k = { "FERRY_SPIN_US", FERRY_US(1), -1 };
	int64_t value = __atomic_load_n(&k.value, __ATOMIC_RELAXED);

	if (value >= 0)
		return value;
	/* On one CPU nobody else can do anything meanwhile.  Which CPUs this
	 * process may use does not count: the peer may have another one. */
	return read_knob(&k, ferryi_machine_cpus() > 1 ? SPIN_US : 0);
}

int64_t ferryi_knob_net(void)
{
	static struct knob k = { "FERRY_NET_MS", FERRY_MS(1), -1 };
	int64_t value = __atomic_load_n(&k.value, __ATOMIC_RELAXED);

	return value >= 0 ? value : read_knob(&k, NET_MS);
}

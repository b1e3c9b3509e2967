/* SPDX-License-Identifier: MIT */
/* What states and policies are called in tables and JSON: see table.h. */
#include "table.h"

static const char *name_of(const char *const *names, size_t n, size_t i)
{
	return i < n && names[i] ? names[i] : "unknown";
}

#define NAME_OF(names, i)                                                      \
	name_of(names, sizeof(names) / sizeof(names)[0], (size_t)(i))

const char *state_name(enum ferry_state state)
{
	static const char *const names[] = {
		[FERRY_LIVE] = "live",
		[FERRY_ABANDONED] = "abandoned",
		[FERRY_FOREIGN] = "foreign",
		[FERRY_DAMAGED] = "damaged",
		[FERRY_OTHER_VERSION] = "other-version",
		[FERRY_NO_ACCESS] = "no-access",
	};

	return NAME_OF(names, state);
}

const char *full_name(enum ferry_full full)
{
	static const char *const names[] = {
		[FERRY_FULL_BLOCK] = "block",
		[FERRY_FULL_FAIL] = "fail",
		[FERRY_FULL_DROP_NEW] = "drop-new",
		[FERRY_FULL_DROP_OLD] = "drop-old",
	};

	return NAME_OF(names, full);
}

const char *delivery_name(enum ferry_delivery delivery)
{
	static const char *const names[] = {
		[FERRY_AT_LEAST_ONCE] = "at-least-once",
		[FERRY_AT_MOST_ONCE] = "at-most-once",
	};

	return NAME_OF(names, delivery);
}

const char *persistence_name(enum ferry_persistence persistence)
{
	static const char *const names[] = {
		[FERRY_PERSIST_PROCESS] = "process",
		[FERRY_PERSIST_KERNEL] = "kernel",
	};

	return NAME_OF(names, persistence);
}

const char *policy_name(enum ferry_policy policy)
{
	static const char *const names[] = {
		[FERRY_POLICY_BLOCK] = "block",
		[FERRY_POLICY_DROP_OLD] = "drop-old",
		[FERRY_POLICY_LATEST] = "latest",
		[FERRY_POLICY_DISCONNECT] = "disconnect",
	};

	return NAME_OF(names, policy);
}

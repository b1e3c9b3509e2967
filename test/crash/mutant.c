/* SPDX-License-Identifier: MIT */
/*
 * A broken library, to prove that the auditor notices.
 *
 * Linked into crash-mutant with --wrap: the harness calls these instead, and
 * $FERRY_MUTANT names the fault.  Each is what a library with a bug would look
 * like from outside; mutants_test.sh knows which violation must be reported.
 */
#include <linux/futex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ferry.h>

#include "scenario.h"

int __real_ferry_send(struct ferry_link *link, const void *data, size_t len,
		      ferry_time deadline);
int __real_ferry_take(struct ferry_link *link, struct ferry_message *out,
		      ferry_time deadline);
int __real_ferry_release(struct ferry_message *m);
int __wrap_ferry_send(struct ferry_link *link, const void *data, size_t len,
		      ferry_time deadline);
int __wrap_ferry_take(struct ferry_link *link, struct ferry_message *out,
		      ferry_time deadline);
int __wrap_ferry_release(struct ferry_message *m);

static bool mutant(const char *name)
{
	const char *want = getenv("FERRY_MUTANT");

	return want && strcmp(want, name) == 0;
}

/* The first of the messages that measure the capacity overtakes nobody. */
static int send_swapped(struct ferry_link *link, const void *data, size_t len)
{
	static unsigned char kept[4096];
	int64_t id = *(const int64_t *)data;
	int err;

	if (id == ID_FIT) {
		memcpy(kept, data, len);
		return 0;
	}
	err = __real_ferry_send(link, data, len, FERRY_NOWAIT);
	if (id == ID_FIT + 1)
		__real_ferry_send(link, kept, len, FERRY_NOWAIT);
	return err;
}

int __wrap_ferry_send(struct ferry_link *link, const void *data, size_t len,
		      ferry_time deadline)
{
	static int calls;
	bool second = ++calls == 2;

	if (second && mutant("lose"))
		return 0;
	if (second && mutant("double"))
		__real_ferry_send(link, data, len, deadline);
	if (mutant("swap"))
		return send_swapped(link, data, len);
	return __real_ferry_send(link, data, len, deadline);
}

/* As if nobody rang. */
static void sleep_for_ever(void)
{
	static unsigned word;

	for (;;)
		syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

int __wrap_ferry_take(struct ferry_link *link, struct ferry_message *out,
		      ferry_time deadline)
{
	int err;

	if (deadline == FERRY_FOREVER && mutant("sleep"))
		sleep_for_ever();
	err = __real_ferry_take(link, out, deadline);
	if (err == 0 && mutant("unmark"))
		out->redelivered = false;
	if (err == 0 && mutant("damage"))
		((unsigned char *)out->data)[out->len - 1] ^= 1;
	return err;
}

int __wrap_ferry_release(struct ferry_message *m)
{
	static int calls;

	if (++calls == 1 && mutant("leak"))
		return 0;
	if (calls == 1 && mutant("again"))
		return ferry_requeue(m, 0);
	return __real_ferry_release(m);
}

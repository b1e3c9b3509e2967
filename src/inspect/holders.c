/* SPDX-License-Identifier: MIT */
/*
 * Who uses what is not of a realm: a FIFO, a log, a queue of the kernel's, a socket.  The
 * transport says by what they are found, and /proc says who has it.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "inspect/inspect.h"
#include "link/traces.h"
#include "link/transport.h"
#include "sys/process.h"

const struct ferryi_transport *ferryi_inspect_scheme(const char *name,
						     const char **rest)
{
	for (unsigned i = 0; name && ferryi_transports[i]; i++) {
		const char *scheme = ferryi_transports[i]->info.scheme;
		size_t n = strlen(scheme);

		if (strncmp(name, scheme, n) == 0 && name[n] == ':') {
			*rest = name + n + 1;
			return ferryi_transports[i];
		}
	}
	return NULL;
}

/*
 * A process may end at any time, and its number be another's.  It had the same start
 * before and after: then all that was read in between is of this one.
 */
bool ferryi_inspect_pid(pid_t pid, struct ferry_process *out)
{
	uint64_t start = ferryi_start_time(pid);

	out->pid = pid;
	out->start_time = start;
	ferryi_process_name(pid, out->name);
	return start && ferryi_process_owner(pid, &out->uid, &out->gid) == 0 &&
	       ferryi_start_time(pid) == start;
}

struct search {
	struct ferryi_list *list;
	enum ferry_proof proof;
};

static int add(pid_t pid, unsigned holding, void *arg)
{
	struct search *w = arg;
	struct ferry_process p = { .proof = w->proof };
	struct ferry_user *u;

	(void)holding;
	if (!ferryi_inspect_pid(pid, &p))
		return 0;
	u = ferryi_list_add(w->list, sizeof *u);
	if (!u)
		return -ENOMEM;
	u->process = p;
	u->alive = true;
	u->same_namespace = true;
	return 0;
}

static int search(const struct ferryi_traces *traces, struct ferryi_list *list)
{
	struct search w = { list, traces->proof };
	int r = 0;

	for (unsigned i = 0; i < 2 && r == 0; i++)
		if (traces->pids[i])
			r = add(traces->pids[i], FERRYI_HOLDS, &w);
	w.proof = FERRY_KERNEL;
	return r || !traces->inodes.n ?
		       r :
		       ferryi_holders_of(traces->device, &traces->inodes, add,
					 &w);
}

int ferryi_inspect_holders(const struct ferryi_transport *t, const char *rest,
			   struct ferryi_list *list)
{
	struct ferryi_traces traces = { 0 };
	int r = t->identify(rest, &traces);

	if (r == 0) {
		r = search(&traces, list);
		if (r == -ENOMEM)
			r = ferryi_fail(r, "out of memory");
		else if (r < 0)
			r = ferryi_fail_sys(-r,
					    "who has %s:%s open cannot be told "
					    "without /proc",
					    t->info.scheme, rest);
	}
	ferryi_inodes_fini(&traces.inodes);
	return r < 0 ? r : r > 0;
}

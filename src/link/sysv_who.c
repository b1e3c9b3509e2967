/* SPDX-License-Identifier: MIT */
/*
 * Which System V queues there are, who has used one, and how it stands.  It has no
 * descriptor that somebody would have open; the kernel keeps the pids of who sent last and
 * of who received last, and not which processes they were.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "link/figures.h"
#include "link/sysv.h"
#include "link/traces.h"
#include "sys/process.h"

#define SLACK                                                                  \
	2 /* s: what the clock and the start of a process are rounded by */

/* `pid`, unless it has ended, or what has the number now started after that. */
static pid_t still(pid_t pid, int64_t at)
{
	int64_t started = pid ? ferryi_started_at(pid) : 0;

	return started && started <= at + SLACK ? pid : 0;
}

static int look_at(const char *rest, struct ferryi_sysv *is)
{
	int id = ferryi_sysv_find(rest), err;

	if (id < 0)
		return id;
	err = ferryi_sysv_look(id, is);
	if (err == -EACCES)
		return ferryi_fail(err,
				   "sysv:%s: you may not look at it (its owner "
				   "gave it its mode when it was made, mode=)",
				   rest);
	if (err)
		return ferryi_fail(-ENOENT, "sysv:%s: it was removed just now",
				   rest);
	return 0;
}

int ferryi_sysv_identify(const char *rest, struct ferryi_traces *out)
{
	struct ferryi_sysv is;
	int err = look_at(rest, &is);

	if (err)
		return err;
	out->proof = FERRY_CLAIMED;
	out->pids[0] = still(is.sent_by, is.sent_at);
	if (is.received_by != is.sent_by || !out->pids[0])
		out->pids[1] = still(is.received_by, is.received_at);
	return 0;
}

static void put_last(struct ferryi_figures *out, const char *const names[2],
		     pid_t pid, int64_t at)
{
	if (!pid)
		return;
	ferryi_figure(out, names[0], FERRY_PID, pid);
	ferryi_figure(out, names[1], FERRY_TIME, FERRY_S(at));
}

int ferryi_sysv_figures(const char *rest, struct ferryi_figures *out)
{
	static const char *const sent[2] = { "last sender", "last sent" };
	static const char *const received[2] = { "last receiver",
						 "last received" };
	struct ferryi_sysv is;
	int err = look_at(rest, &is);

	if (err)
		return err;
	ferryi_figure(out, "queued", FERRY_COUNT, (int64_t)is.queued);
	ferryi_figure(out, "bytes", FERRY_BYTES, (int64_t)is.bytes);
	ferryi_figure(out, "bytes max", FERRY_BYTES, (int64_t)is.bytes_max);
	put_last(out, sent, is.sent_by, is.sent_at);
	put_last(out, received, is.received_by, is.received_at);
	return 0;
}

struct search {
	int (*each)(const char *rest, void *arg);
	void *arg;
	bool nameless;
};

/* Those of sysv:PATH have no key: their files say which they are. */
static int name_one(uint32_t key, void *arg)
{
	struct search *w = arg;
	char rest[20];

	if (key == 0) {
		w->nameless = true;
		return 0;
	}
	snprintf(rest, sizeof rest, "0x%" PRIx32, key);
	return w->each(rest, w->arg);
}

int ferryi_sysv_names(int (*each)(const char *rest, void *arg), void *arg)
{
	struct search w = { each, arg, false };
	int r = ferryi_sysv_queues(name_one, &w);

	if (r < 0 && r != -ENOMEM)
		return ferryi_fail_sys(-r, "sysv: the queues cannot be listed "
					   "without /proc/sysvipc");
	return r ? r : w.nameless;
}

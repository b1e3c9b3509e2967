/* SPDX-License-Identifier: MIT */
/*
 * The closed table of results, and the sentence each thread remembers.
 *
 * One array holds what the table of <ferry/base.h> says: the name, the exit
 * status of the command, and the sentence for callers that have no better one.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <ferry/base.h>

static const struct {
	int err;
	int status;
	const char *name;
	const char *hint;
} results[] = {
	{ EAGAIN, 1, "EAGAIN", "nothing now (wait, or give a deadline)" },
	{ ETIMEDOUT, 124, "ETIMEDOUT", "the deadline passed" },
	{ ECANCELED, 1, "ECANCELED",
	  "cancelled (ferry_resume() allows waits again)" },
	{ ENODATA, 1, "ENODATA", "orderly end: no more messages will come" },
	{ ECONNRESET, 6, "ECONNRESET",
	  "the peer died or broke the connection" },
	{ EOWNERDEAD, 6, "EOWNERDEAD", "the owner or last holder died" },
	{ ESTALE, 3, "ESTALE",
	  "the handle is of a removed object or crossed a fork (open it anew)" },
	{ EMSGSIZE, 2, "EMSGSIZE", "the message does not fit" },
	{ ENOSPC, 5, "ENOSPC", "no room" },
	{ EBADMSG, 6, "EBADMSG",
	  "bytes written by another process make no sense" },
	{ EPROTO, 6, "EPROTO", "written by another version of ferry" },
	{ EPROTOTYPE, 2, "EPROTOTYPE",
	  "a message call on a stream, or a stream call on messages" },
	{ EOPNOTSUPP, 2, "EOPNOTSUPP",
	  "this address does not have that property" },
	{ EEXIST, 1, "EEXIST", "it exists already" },
	{ ENOENT, 3, "ENOENT", "no such object" },
	{ EACCES, 4, "EACCES", "permission denied" },
	{ EINVAL, 2, "EINVAL", "invalid argument" },
	{ ENOMEM, 5, "ENOMEM", "out of memory" },
	{ EBUSY, 1, "EBUSY", "in use" },
	{ ECONNREFUSED, 3, "ECONNREFUSED", "nobody listens there" },
	{ EMFILE, 5, "EMFILE", "no file descriptor is left (raise ulimit -n)" },
};

#define N_RESULTS (sizeof results / sizeof results[0])

__thread int ferryi_fail_last;
static __thread char last_sentence[512];

static int find(int err)
{
	if (err < 0)
		err = -err;
	for (unsigned i = 0; i < N_RESULTS; i++)
		if (results[i].err == err)
			return (int)i;
	return -1;
}

const char *ferry_error_name(int err)
{
	int i = find(err);

	return i < 0 ? "EUNKNOWN" : results[i].name;
}

int ferry_error_status(int err)
{
	int i = find(err);

	if (err >= 0)
		return 0;
	return i < 0 ? 1 : results[i].status;
}

const char *ferryi_error_hint(int err)
{
	int i = find(err);

	return i < 0 ? "unexpected result" : results[i].hint;
}

int ferryi_errno(int sys_errno)
{
	switch (sys_errno) {
	case EPERM:
	case EROFS: return -EACCES;
	case ENFILE: return -EMFILE;
	case EDQUOT:
	case EFBIG:
	case ENOBUFS: return -ENOSPC;
	case ENOTDIR: return -ENOENT;
	case ELOOP:
	case ENAMETOOLONG: return -EINVAL;
	case EPIPE: return -ECONNRESET;
	case EADDRINUSE: return -EBUSY;
	}
	return find(sys_errno) < 0 ? -EINVAL : -sys_errno;
}

static void remember(int err, const char *fmt, va_list args)
{
	ferryi_fail_last = err;
	vsnprintf(last_sentence, sizeof last_sentence, fmt, args);
}

void ferryi_fail_note(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	remember(err, fmt, args);
	va_end(args);
}

/* Whatever was tried: what helps against it.  NULL: that depends. */
static const char *remedy(int sys_errno)
{
	switch (sys_errno) {
	case EMFILE:
	case ENFILE:
	case ENOMEM: return ferryi_error_hint(ferryi_errno(sys_errno));
	case ENOSPC:
	case EDQUOT:
		return "no room is left there (make some, or choose "
		       "another place)";
	case EROFS:
		return "the file system there is read-only (choose "
		       "another place)";
	}
	return NULL;
}

int ferryi_fail_sys(int sys_errno, const char *fmt, ...)
{
	va_list args;
	int err = ferryi_errno(sys_errno);
	size_t n;

	va_start(args, fmt);
	remember(err, fmt, args);
	va_end(args);
	n = strlen(last_sentence);
	if (remedy(sys_errno))
		snprintf(last_sentence + n, sizeof last_sentence - n, ": %s",
			 remedy(sys_errno));
	return err;
}

const char *ferryi_fail_sentence(int err)
{
	return ferryi_fail_last == err && err < 0 ? last_sentence : NULL;
}

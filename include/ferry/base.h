/* SPDX-License-Identifier: MIT */
/*
 * Results, deadlines and explanations: what every other header builds on.
 *
 * Results.  Every call returns a value >= 0, or a negative errno from this
 * closed table, so a caller can handle it completely:
 *
 *   -EAGAIN      nothing now (only with FERRY_NOWAIT)
 *   -ETIMEDOUT   the deadline passed
 *   -ECANCELED   ferry_cancel() was called
 *   -ENODATA     orderly end: the other side has sent its last message
 *   -ECONNRESET  the peer died or broke the connection
 *   -EOWNERDEAD  the owner or last holder died
 *   -ESTALE      the handle is of a removed object, crossed a fork, or was fenced;
 *                or what was taken in place is overwritten
 *   -EMSGSIZE    larger than the mailbox, or than the caller's buffer, allows
 *   -ENOSPC      no room: memory of the realm, or the mailbox's byte limit
 *   -EBADMSG     bytes that another process wrote make no sense
 *   -EPROTO      another version of the format
 *   -EPROTOTYPE  message call on a stream, stream call on messages
 *   -EOPNOTSUPP  this address does not have that property
 *   -EEXIST -ENOENT -EACCES -EINVAL -ENOMEM -EBUSY   as everywhere
 *   -ECONNREFUSED nobody listens at that address
 *   -EMFILE      this process has no descriptor left
 *
 * Threads: all calls may be made from any thread.  Signals: only
 * ferry_cancel() is async-signal-safe.
 */
#ifndef FERRY_BASE_H
#define FERRY_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FERRY_API __attribute__((visibility("default")))

/* Version of this interface.  The soname and the segment format are counted apart. */
#define FERRY_API_MAJOR 0
#define FERRY_API_MINOR 1
#define FERRY_API_PATCH 0

/* The library that is running, e.g. "0.1.0".  Never fails. */
FERRY_API const char *ferry_version(void);

/* The segment format that this library reads and writes. */
FERRY_API unsigned ferry_format_version(void);

/* A point in time: nanoseconds of CLOCK_MONOTONIC. */
typedef int64_t ferry_time;

#define FERRY_NOWAIT  ((ferry_time)0) /* a moment long past */
#define FERRY_FOREVER ((ferry_time)INT64_MAX)

#define FERRY_US(n) ((int64_t)(n)*1000)
#define FERRY_MS(n) ((int64_t)(n)*1000000)
#define FERRY_S(n)  ((int64_t)(n)*1000000000)

/* The deadline `ns` nanoseconds from now; saturates at FERRY_FOREVER. */
FERRY_API ferry_time ferry_after(int64_t ns);

/*
 * The name of a result, e.g. "EAGAIN" for -EAGAIN (the sign does not matter),
 * or "EUNKNOWN".  The string is static.
 */
FERRY_API const char *ferry_error_name(int err);

/* The exit status that the ferry command gives a result; 0 for err >= 0. */
FERRY_API int ferry_error_status(int err);

struct ferry_link;

/*
 * The sentence that goes with the result `err` of the calling thread's last
 * failed call: what is wrong, with names and limits, and what to do about it.
 * `link` is the handle that the call was made on, or NULL when there is none
 * (a failed ferry_open()).  Always terminates `buf` when size > 0; returns the
 * length of the whole sentence as snprintf does.  Never blocks.
 */
FERRY_API int ferry_explain(struct ferry_link *link, int err, char *buf,
			    size_t size);

#ifdef __cplusplus
}
#endif
#endif

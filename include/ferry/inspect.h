/* SPDX-License-Identifier: MIT */
/*
 * Looking: what exists, who uses it, and what the dead have left behind.
 *
 * A `realm` argument is a directory, or NULL for the default one.  Lists are
 * allocated by the call and freed with ferry_free().  Nothing here blocks for
 * long, changes a queue, or needs anybody's cooperation.
 */
#ifndef FERRY_INSPECT_H
#define FERRY_INSPECT_H

#include <ferry/base.h>
#include <ferry/link.h>
#include <ferry/mailbox.h>
#include <ferry/topic.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ferry_state {
	FERRY_LIVE,	 /* in use, or persistent */
	FERRY_ABANDONED, /* its last user was killed; counts as absent */
	FERRY_FOREIGN,	 /* a file that is not Ferry's */
	FERRY_DAMAGED,	 /* Ferry's, but the header makes no sense */
	FERRY_OTHER_VERSION,
	FERRY_NO_ACCESS,
};

struct ferry_object {
	char name[FERRY_NAME_MAX + 1];
	enum ferry_state state;
	char kind[16]; /* "mailbox", "topic", "process" */
	uid_t uid;
	gid_t gid;
	unsigned mode;
	int64_t created_at; /* CLOCK_REALTIME nanoseconds */
	/* only when state is live or abandoned: that of its kind */
	struct ferry_mailbox_stat mailbox;
	struct ferry_topic_stat topic;
	char why[160]; /* the sentence for every other state */
};

/*
 * The path of the default realm, whether it exists or not.  Returns its
 * length, or -ENAMETOOLONG as -EINVAL.
 */
FERRY_API int ferry_realm(char *buf, size_t size);

/* All objects of a realm, by name.  An absent realm has none. */
FERRY_API int ferry_list(const char *realm, struct ferry_object **out,
			 size_t *n_out);

/* One object by name, address or path. */
FERRY_API int ferry_look(const char *name, struct ferry_object *out);

/* A process that takes part in a realm or uses one object of it. */
struct ferry_user {
	struct ferry_process process;
	bool alive;	     /* its lease is held */
	bool same_namespace; /* its pid means something to the caller */
	uint32_t holds;	     /* messages taken and not released */
	uint32_t loans;	     /* messages being written */
	int64_t oldest_ns;   /* how long it has held the oldest of them */
	int64_t since; /* CLOCK_REALTIME nanoseconds: when it joined the realm */
};

/*
 * Who uses `name`; or, when `name` is NULL, who takes part in `realm`.  Of
 * process:NAME: who has the name, first, and who is connected to it.  Of fifo:, mq: and
 * file:, who has it open; of unix:, who listens or is bound there and who is connected;
 * of tcp: and udp:, who of this machine has the port.  Then the result is 1 when there
 * are processes that the caller may not look into, and 0 when it is all of them.  Of
 * sysv:, who sent last and who received last, as far as they may still live
 * (FERRY_CLAIMED); of signal:, the process.  -ENOENT: it does not exist, or nobody
 * listens or is bound there.  -EOPNOTSUPP: it has no name that others know.
 */
FERRY_API int ferry_who(const char *realm, const char *name,
			struct ferry_user **out, size_t *n_out);

/* What a figure counts. */
enum ferry_unit {
	FERRY_COUNT,
	FERRY_BYTES,
	FERRY_YES_NO,
	FERRY_TIME, /* CLOCK_REALTIME nanoseconds */
	FERRY_PID,  /* of a process that may have ended */
};

/* One figure of an object of another mechanism. */
struct ferry_figure {
	char name[24]; /* "queued", "last sender" ... */
	enum ferry_unit unit;
	int64_t value;
};

/*
 * How the object of a mq:, sysv:, file:, fifo:, unix:, tcp: or udp: address stands, as
 * far as it is told to somebody who does not use it.  The result is 1 when processes are
 * counted and there are some that the caller may not look into; else 0.  -ENOENT as
 * ferry_who(); -EOPNOTSUPP: another address, see ferry_look().
 */
FERRY_API int ferry_figures(const char *address, struct ferry_figure **out,
			    size_t *n_out);

/* An object of another mechanism. */
struct ferry_found {
	char address[512];
};

/*
 * The objects of a mechanism, by address, each once: the queues of "mq:", those of "sysv:"
 * that have a key, the sockets of "unix:", "tcp:" and "udp:" that listen or take datagrams;
 * of this machine, or of its name space that the caller is in, whoever made them.  The
 * result is 1 when there are some that no address names; else 0.  -EOPNOTSUPP: they are
 * files (fifo:, file:), have no names, or are a realm's, see ferry_list(); or the system
 * does not list them.  -EINVAL: there is no such scheme.
 */
FERRY_API int ferry_find(const char *scheme, struct ferry_found **out,
			 size_t *n_out);

/* What ferry_gc() found. */
struct ferry_garbage {
	char path[512];
	char why[160]; /* the proof that nobody uses it */
	uint64_t bytes;
	bool removed;
};

/*
 * Find what the dead have left.  With `apply`, repair after them and remove it;
 * without, nothing is changed.  What a living process uses is never touched.
 */
FERRY_API int ferry_gc(const char *realm, bool apply,
		       struct ferry_garbage **out, size_t *n_out);

enum ferry_health { FERRY_GOOD, FERRY_NOTE, FERRY_WARNING, FERRY_BROKEN };

/* One thing that ferry_doctor() looked at. */
struct ferry_finding {
	enum ferry_health health;
	char topic[32]; /* "realm", "memory", "limits" ... */
	char what[256]; /* what was found */
	char fix[256];	/* what to do, or empty */
};

/* Look at the machine: realm, memory, RemoveIPC, limits, kernel features. */
FERRY_API int ferry_doctor(const char *realm, struct ferry_finding **out,
			   size_t *n_out);

/* Free a list of this header.  NULL is allowed. */
FERRY_API void ferry_free(void *list);

#ifdef __cplusplus
}
#endif
#endif

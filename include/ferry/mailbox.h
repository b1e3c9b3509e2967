/* SPDX-License-Identifier: MIT */
/*
 * Mailboxes: a named queue with any number of senders and receivers, in which
 * each message is taken by exactly one receiver, and which nobody's death can
 * break.
 *
 * A name without '/' lies in the realm ($FERRY_REALM, else /run/ferry/UID if
 * it exists, else /dev/shm/ferry-UID); with '/' it is the object's path and
 * its directory is the realm.  Names have 1 to 200 bytes, do not start with
 * '.', and hold no '?', ':', control characters.
 */
#ifndef FERRY_MAILBOX_H
#define FERRY_MAILBOX_H

#include <ferry/base.h>
#include <ferry/link.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FERRY_NAME_MAX 200

/* What a send does when the mailbox is full. */
enum ferry_full {
	FERRY_FULL_BLOCK,    /* wait until the deadline (default) */
	FERRY_FULL_FAIL,     /* -ENOSPC at once */
	FERRY_FULL_DROP_NEW, /* succeed, drop this message, count it */
	FERRY_FULL_DROP_OLD, /* drop the oldest message, count it */
};

/* What happens to a message whose receiver dies before the release. */
enum ferry_delivery {
	FERRY_AT_LEAST_ONCE, /* it comes back, marked redelivered (default) */
	FERRY_AT_MOST_ONCE,  /* it is dropped and counted */
};

/* How long a mailbox and its messages live. */
enum ferry_persistence {
	FERRY_PERSIST_PROCESS, /* gone with its last user (default) */
	FERRY_PERSIST_KERNEL,  /* until ferry_destroy() or a reboot */
};

/* Who may take part. */
enum ferry_trust {
	FERRY_TRUST_OWN, /* mode 0600: this user only (default) */
	FERRY_TRUST_GROUP, /* `mode` and `group` as given; they trust each other */
};

/* FERRY_CREATE_... for struct ferry_mailbox_options.flags; also FERRY_THREAD, for the
 * link that ferry_mailbox_create() gives. */
#define FERRY_CREATE_IF_MISSING                                                \
	(1u << 0) /* an existing one is opened as it is */

/*
 * All of it is chosen at creation and can be read afterwards.  Start from
 * FERRY_MAILBOX_OPTIONS; `size` lets later versions add fields.
 */
struct ferry_mailbox_options {
	size_t size;
	uint64_t capacity;    /* queued messages, 1 .. 2^24; default 1024 */
	uint64_t message_max; /* bytes, 0 .. 1 GiB; default 1 MiB */
	uint64_t bytes_max;   /* memory it may use; 0: no limit of its own */
	enum ferry_full full;
	enum ferry_delivery delivery;
	enum ferry_persistence persistence;
	enum ferry_trust trust;
	unsigned mode;		 /* permission bits when trust is group */
	int64_t group;		 /* gid, or -1: the creator's */
	uint32_t max_deliveries; /* then to the dead letters; 0: no limit */
	uint32_t flags;
	const char *dead_letter; /* name of a mailbox in the same realm, made
					 * when missing; NULL: none */
};

#define FERRY_MAILBOX_OPTIONS                                                  \
	{                                                                      \
		sizeof(struct ferry_mailbox_options), 1024, 1u << 20, 0,       \
			FERRY_FULL_BLOCK, FERRY_AT_LEAST_ONCE,                 \
			FERRY_PERSIST_PROCESS, FERRY_TRUST_OWN, 0600, -1, 0,   \
			0, NULL                                                \
	}

/*
 * Create mailbox `name` ("jobs", "./dir/jobs" or "mailbox:jobs") and open it
 * for both directions.  No process ever sees a half-made one.  `o` may be
 * NULL.  Errors: -EEXIST, -EINVAL (which option, and its limits), -ENOSPC
 * (wanted and free), -EACCES (whose realm it is), -ENOENT (no such directory).
 */
FERRY_API int ferry_mailbox_create(struct ferry_link **out, const char *name,
				   const struct ferry_mailbox_options *o);

/* How a mailbox stands.  The counters count since its creation. */
struct ferry_mailbox_stat {
	size_t size; /* set by the caller: sizeof *st */
	struct ferry_mailbox_options options; /* dead_letter points to the next */
	char dead_letter[FERRY_NAME_MAX + 1];
	uint64_t queued;   /* accepted, not taken */
	uint64_t held;	   /* taken, not released */
	uint64_t returned; /* given back or left by the dead, to be redelivered */
	uint64_t loaned;   /* being written */
	uint64_t bytes;	   /* memory in use */
	uint64_t sent;	   /* accepted in all */
	uint64_t taken;	   /* handed out from the queue, first time */
	uint64_t redelivered;
	uint64_t dropped; /* by the full policy */
	uint64_t lost;	  /* at-most-once: their receiver died */
	uint64_t rejected; /* dropped by ferry_reject() or the limit, no dead letters */
	uint64_t dead_lettered;
	uint64_t repaired;   /* chunks taken back from dead processes */
	uint32_t users;	     /* processes that have it open */
	bool closed;	     /* ferry_shutdown(): no more sends */
	bool receivers_wait; /* somebody may sleep for a message */
	bool senders_wait;   /* somebody may sleep for room */
};

/*
 * Read the figures of a link to a mailbox.  Of mq: and sysv: what the kernel tells, the
 * rest is 0.  Never blocks.
 */
FERRY_API int ferry_stat(struct ferry_link *link,
			 struct ferry_mailbox_stat *st);

/*
 * Remove a mailbox at once, whoever uses it: they all get -ESTALE.  What it
 * holds is gone.  `name` as in ferry_mailbox_create().
 *
 * "process:NAME" removes the name that a dead process has left; that of a living
 * one is -EBUSY.  "mq:/NAME", "sysv:KEY", "sysv:PATH" and "file:PATH" remove a queue or
 * a log, "fifo:PATH" the FIFO's name, "unix:PATH" a socket file whose listener is dead
 * (-EBUSY: it is not).  Any other address is -EOPNOTSUPP.
 */
FERRY_API int ferry_destroy(const char *name);

#ifdef __cplusplus
}
#endif
#endif

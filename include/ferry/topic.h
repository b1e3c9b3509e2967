/* SPDX-License-Identifier: MIT */
/*
 * Topics: a named broadcast.  Each subscriber sees every message, from when it
 * joined, or only the latest; any number of publishers, 256 subscribers.
 *
 *   topic:NAME?policy=block&from=now&capacity=64&max=64K&persist=process&mode=0600
 *
 * ferry_open() for FERRY_SEND publishes, for FERRY_RECV subscribes; it makes the
 * topic when there is none, so that neither side has to be first.  `capacity`,
 * `max`, `persist` and `mode` are for who makes it; of one that is there already
 * they must be as given.  Names are as in ferry/mailbox.h, apart from those of
 * mailboxes.
 *
 * `policy` is the subscriber's, who does not keep up with the publishers:
 *   block       publishers wait for it, within their deadline; it misses nothing
 *               (default)
 *   drop-old    the oldest messages that it has not read are lost to it
 *   latest      it sees the newest message only, whatever came before
 *   disconnect  when a message that it has not read is overwritten its calls are
 *               answered with -ECONNRESET
 * What a subscriber misses is counted.  Who is dead stops nobody; who is stopped
 * stops publishers only if it blocks.
 *
 * `from` is where it begins: `now`, with the next message; `last`, with the newest
 * that is there; `oldest`, with all that are kept, at most `capacity`.
 *
 * ferry_take() gives a message in its place, one at a time.  Where the subscriber
 * does not block it may be overwritten meanwhile: ferry_release() says so,
 * with -ESTALE, and what was read is to be thrown away.
 */
#ifndef FERRY_TOPIC_H
#define FERRY_TOPIC_H

#include <ferry/base.h>
#include <ferry/link.h>
#include <ferry/mailbox.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ferry_policy {
	FERRY_POLICY_BLOCK,
	FERRY_POLICY_DROP_OLD,
	FERRY_POLICY_LATEST,
	FERRY_POLICY_DISCONNECT,
};

/*
 * All of it is chosen at creation and can be read afterwards.  Start from
 * FERRY_TOPIC_OPTIONS; `size` lets later versions add fields.
 */
struct ferry_topic_options {
	size_t size;
	uint64_t capacity; /* messages that are kept, 1 .. 2^18; default 64 */
	uint64_t message_max; /* bytes, 0 .. 1 GiB; default 64 KiB */
	enum ferry_persistence persistence;
	enum ferry_trust trust;
	unsigned mode;	/* permission bits when trust is group */
	int64_t group;	/* gid, or -1: the creator's */
	uint32_t flags; /* FERRY_CREATE_IF_MISSING: as it is */
};

#define FERRY_TOPIC_OPTIONS                                                    \
	{                                                                      \
		sizeof(struct ferry_topic_options), 64, 65536,                 \
			FERRY_PERSIST_PROCESS, FERRY_TRUST_OWN, 0600, -1, 0    \
	}

/*
 * Create topic `name` ("temp", "./dir/temp" or "topic:temp") and open it to publish.
 * No process ever sees a half-made one.  `o` may be NULL.  Does not block.
 * Errors: -EEXIST, -EINVAL (which option, and its limits), -ENOSPC (wanted and
 * free), -EACCES (whose realm it is), -ENOENT (no such directory).
 */
FERRY_API int ferry_topic_create(struct ferry_link **out, const char *name,
				 const struct ferry_topic_options *o);

/*
 * ferry_send() to a topic that tells how many subscribers there were: *out_reached
 * (or NULL).  One that has died and is not yet missed counts.  Waits, until the
 * deadline, for those that block only.
 * Errors: those of ferry_send(); -EOPNOTSUPP: the link is none to a topic.
 */
FERRY_API int ferry_publish(struct ferry_link *link, const void *data,
			    size_t len, unsigned *out_reached,
			    ferry_time deadline);

/*
 * Wait until at least `n` subscribers are there.  0, or -EAGAIN, -ETIMEDOUT,
 * -ECANCELED, -ESTALE; -EINVAL: more than there can be; -EOPNOTSUPP as above.
 */
FERRY_API int ferry_topic_wait(struct ferry_link *link, unsigned n,
			       ferry_time deadline);

/* How a topic stands.  The counters count since its creation. */
struct ferry_topic_stat {
	size_t size; /* set by the caller: sizeof *st */
	struct ferry_topic_options options;
	uint64_t published;
	uint64_t kept;	       /* that can be read now, at most the capacity */
	uint64_t bytes;	       /* memory in use */
	uint64_t dropped;      /* missed by subscribers, of all there were */
	uint64_t disconnected; /* subscribers that were too slow for that */
	uint64_t repaired;     /* taken back from dead processes */
	uint32_t users;	       /* processes that have it open */
	uint32_t subscribers;
	uint32_t blocking; /* of them: publishers wait for these */
	bool closed;	   /* ferry_shutdown(): no more comes */
};

/* Read the figures of a link to a topic.  Never blocks. */
FERRY_API int ferry_topic_stat(struct ferry_link *link,
			       struct ferry_topic_stat *st);

/* One subscriber of a topic. */
struct ferry_subscriber {
	struct ferry_process process; /* as it says of itself; no name */
	enum ferry_policy policy;
	bool disconnected; /* it was too slow, and wanted to be told */
	uint64_t behind;   /* messages that it has not read */
	uint64_t delivered;
	uint64_t dropped;
};

/*
 * The subscribers of a topic: the first `n` to `out`, which may be NULL when n is 0.
 * Returns how many there are.  Never blocks.  -EOPNOTSUPP, -ESTALE.
 */
FERRY_API ssize_t ferry_topic_subscribers(struct ferry_link *link,
					  struct ferry_subscriber *out,
					  size_t n);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT */
/*
 * What mq:, sysv: and file: have in common: how their options are read, and what
 * they do not carry.
 */
#ifndef FERRYI_LINK_QUEUES_H
#define FERRYI_LINK_QUEUES_H

#include <stdint.h>

#include "link/link.h"
#include "wire/address.h"

struct stat;

#define FERRYI_QUEUE_MODE 0600u

/* Of the rows of mq: and sysv:. */
#define FERRYI_QUEUE_ROW                                                       \
	.framing = "message", .direction = "many to many",                     \
	.buffering = "kernel, bounded", .persistence = "kernel"
#define FERRYI_QUEUE_PROMISES                                                  \
	(FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |             \
	 FERRY_CAN_RELIABLE | FERRY_CAN_MANY_SEND | FERRY_CAN_MANY_RECV |      \
	 FERRY_CAN_NAME | FERRY_CAN_PERSIST)

/* So often a queue is looked for and made, before it is said to be restless. */
#define FERRYI_QUEUE_ATTEMPTS 16

/* mode=: octal permission bits; FERRYI_QUEUE_MODE without it.  -EINVAL. */
int ferryi_queue_mode(const struct ferryi_address *a, unsigned *out);

/* A number or size; *out stays as it is without the key.  -EINVAL. */
int ferryi_queue_size(const struct ferryi_address *a, const char *key,
		      uint64_t *out);

/* What comes behind "scheme:" of a name that is to be removed.  -EINVAL. */
int ferryi_queue_parse(struct ferryi_address *a, const char *scheme,
		       const char *rest);

/* The file that "scheme:PATH" names.  -ENOENT, -EINVAL, with a sentence. */
int ferryi_queue_identify(const char *scheme, const char *rest,
			  struct stat *out);

/* A type is not dropped where there is none: -EOPNOTSUPP. */
int ferryi_queue_no_type(const struct ferry_message *m);

/* Messages go back into a queue of the kernel at once, or not at all. */
int ferryi_queue_at_once(struct ferry_link *l, int64_t delay_ns);

/* Sentences for errors of the system: opening a queue, removing it, using it; and
 * when it is made and removed all the time. */
int ferryi_queue_not_opened(const char *address, unsigned flags, int err);
int ferryi_queue_restless(const char *address);
int ferryi_queue_not_removed(const char *scheme, const char *rest, int err);
int ferryi_queue_refused(struct ferry_link *l, int err);

/* The figures of a queue that the kernel keeps.  -EINVAL: st->size. */
int ferryi_queue_stat(struct ferry_mailbox_stat *st,
		      const struct ferry_mailbox_stat *now);

#endif

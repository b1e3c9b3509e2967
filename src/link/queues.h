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

#define FERRYI_QUEUE_MODE 0600u

/* mode=: octal permission bits; FERRYI_QUEUE_MODE without it.  -EINVAL. */
int ferryi_queue_mode(const struct ferryi_address *a, unsigned *out);

/* A number or size; *out stays as it is without the key.  -EINVAL. */
int ferryi_queue_size(const struct ferryi_address *a, const char *key,
		      uint64_t *out);

/* What comes behind "scheme:" of a name that is to be removed.  -EINVAL. */
int ferryi_queue_parse(struct ferryi_address *a, const char *scheme,
		       const char *rest);

/* A type is not dropped where there is none: -EOPNOTSUPP. */
int ferryi_queue_no_type(const struct ferry_message *m);

/* The figures of a queue that the kernel keeps.  -EINVAL: st->size. */
int ferryi_queue_stat(struct ferry_mailbox_stat *st,
		      const struct ferry_mailbox_stat *now);

#endif

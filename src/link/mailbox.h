/* SPDX-License-Identifier: MIT */
/*
 * What a link to a mailbox keeps.  For mailbox*.c only.
 */
#ifndef FERRYI_LINK_MAILBOX_H
#define FERRYI_LINK_MAILBOX_H

#include "link/link.h"
#include "realm/segment.h"

struct ferryi_mailbox {
	struct ferryi_realm *realm;
	struct ferryi_segment *segment;
	struct ferryi_segment *letters; /* the dead-letter mailbox, or NULL */
	uint32_t generation;		/* of the process that opened it */
	uint16_t handle;		/* among the handles of this process */
};

/* At the entry of every call: -ESTALE after a fork or a removal. */
int ferryi_mailbox_enter(struct ferry_link *l);

/*
 * The same for a call about a message: its chunk.  -ESTALE also for one that
 * another process has, as the parent's in the child of a fork.
 */
int ferryi_mailbox_enter_with(struct ferry_link *l,
			      const struct ferry_message *m,
			      struct ferryi_chunk *out);

/* mailbox_open.c */
int ferryi_mailbox_open(struct ferry_link *l, const struct ferryi_address *a);
int ferryi_mailbox_adopt(struct ferry_link *l);
void ferryi_mailbox_fini(struct ferry_link *l);
int ferryi_mailbox_stat(struct ferry_link *l, struct ferry_mailbox_stat *st);
int ferryi_mailbox_explain(struct ferry_link *l, int err, char *buf,
			   size_t size);

/* mailbox_send.c */
int ferryi_mailbox_send(struct ferry_link *l, const void *data, size_t len);
ssize_t ferryi_mailbox_send_many(struct ferry_link *l, const struct iovec *v,
				 size_t n);
int ferryi_mailbox_loan(struct ferry_link *l, size_t len,
			struct ferry_message *m);
int ferryi_mailbox_commit(struct ferry_link *l, struct ferry_message *m);
int ferryi_mailbox_abandon(struct ferry_link *l, struct ferry_message *m);

/* mailbox_recv.c */
ssize_t ferryi_mailbox_recv(struct ferry_link *l, void *buf, size_t size);
ssize_t ferryi_mailbox_recv_many(struct ferry_link *l, struct iovec *v,
				 size_t n);
ssize_t ferryi_mailbox_next_len(struct ferry_link *l);
int ferryi_mailbox_take(struct ferry_link *l, struct ferry_message *m);
int ferryi_mailbox_release(struct ferry_link *l, struct ferry_message *m);
int ferryi_mailbox_requeue(struct ferry_link *l, struct ferry_message *m,
			   int64_t delay_ns);
int ferryi_mailbox_reject(struct ferry_link *l, struct ferry_message *m);
int ferryi_mailbox_peek(struct ferry_link *l, uint64_t *cursor,
			struct ferry_message *m, void *buf, size_t size);

/* Lower the gate and wake one sleeper, if there may be one. */
void ferryi_mailbox_wake(struct ferryi_segment *s, enum ferryi_gate gate);
void ferryi_mailbox_wake_all(struct ferryi_segment *s);

/* A claimed chunk with memory for `len` bytes.  See ferryi_queue_loan(). */
int ferryi_mailbox_claim(struct ferryi_mailbox *b, struct ferryi_segment *s,
			 uint64_t len, struct ferryi_chunk *out);

/* Publish a chunk and wake a receiver.  See ferryi_queue_commit(). */
int ferryi_mailbox_publish(struct ferryi_mailbox *b, struct ferryi_segment *s,
			   const struct ferryi_chunk *c);

#endif

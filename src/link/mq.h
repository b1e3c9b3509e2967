/* SPDX-License-Identifier: MIT */
/*
 * What a link to a queue of POSIX keeps.  For mq*.c only.
 *
 *	mq.c		the table, waiting, figures
 *	mq_open.c	names and attributes, opening, removing
 *	mq_move.c	messages in and out
 */
#ifndef FERRYI_LINK_MQ_H
#define FERRYI_LINK_MQ_H

#include "link/copies.h"
#include "wire/address.h"

struct ferryi_figures;
struct ferryi_traces;

struct ferryi_mq {
	bool opened;
	int fd;
	bool gives_back; /* open for writing as well */
	uint64_t max;	 /* bytes of a message, fixed when the queue was made */
	struct ferryi_copies copies;
	/* the receive side's */
	struct ferry_message kept; /* link: NULL when there is none */
	uint32_t generation;	   /* of the process that keeps it */
};

static inline struct ferryi_mq *ferryi_mq_of(struct ferry_link *l)
{
	return l->state;
}

/* mq_open.c */
int ferryi_mq_open(struct ferry_link *l, const struct ferryi_address *a);
int ferryi_mq_destroy(const char *rest);
int ferryi_mq_identify(const char *rest, struct ferryi_traces *out);
int ferryi_mq_figures(const char *rest, struct ferryi_figures *out);
int ferryi_mq_names(int (*each)(const char *rest, void *arg), void *arg);

/* mq_move.c; does this process keep a message that was received? */
bool ferryi_mq_keeps(const struct ferryi_mq *q);
extern const struct ferryi_messages ferryi_messages_of_mq;

/* mq.c */
int ferryi_mq_stat(struct ferry_link *l, struct ferry_mailbox_stat *st);

#endif

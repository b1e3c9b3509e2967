/* SPDX-License-Identifier: MIT */
/*
 * What a link to a System V queue keeps.  For sysv*.c only.
 *
 *	sysv.c		the table, waiting, figures
 *	sysv_open.c	what an address says, opening, removing
 *	sysv_path.c	the key of a path
 *	sysv_move.c	messages in and out
 */
#ifndef FERRYI_LINK_SYSV_H
#define FERRYI_LINK_SYSV_H

#include <stdint.h>

#include "link/copies.h"
#include "sys/sysvmsg.h"
#include "wire/address.h"

struct ferryi_figures;
struct ferryi_traces;

/* A message as the kernel wants it: its type, then its text.  One a direction. */
struct ferryi_sysv_buffer {
	struct ferryi_sysv_message *m;
	size_t cap; /* of the text */
};

struct ferryi_sysv_link {
	int id;
	long type; /* of what is sent and has none */
	struct ferryi_sysv_choice choice;
	struct ferryi_sysv_buffer in, out;
	ferry_time nap[2]; /* [0] send side, [1] receive side */
	struct ferryi_copies copies;
};

static inline struct ferryi_sysv_link *ferryi_sysv_of(struct ferry_link *l)
{
	return l->state;
}

/* Make `out_key` of a number, decimal or 0xHEX, but 0.  -EINVAL: it is none. */
int ferryi_sysv_parse_key(const char *text, uint32_t *out_key);

/* A queue with exactly this key, mode and size, or -EEXIST, or an error. */
int ferryi_sysv_make(const char *address, const struct ferryi_address *a,
		     uint32_t key);

/* The sentence for a queue that is there, and may not be used. */
int ferryi_sysv_cannot_open(const char *address, unsigned flags, int err);

/*
 * sysv:PATH (sysv_path.c): the queue that the file names; who receives makes both
 * when there is none.  -EAGAIN: somebody is making or removing one there.
 */
int ferryi_sysv_open_path(struct ferry_link *l, const struct ferryi_address *a);
int ferryi_sysv_destroy_path(const struct ferryi_address *a);

/* The queue that the file names now.  -ENOENT, without a sentence. */
int ferryi_sysv_find_path(const struct ferryi_address *a);

/* --- sysv_open.c ------------------------------------------------------------- */

int ferryi_sysv_open_link(struct ferry_link *l, const struct ferryi_address *a);
int ferryi_sysv_destroy(const char *rest);

/* sysv_who.c */
int ferryi_sysv_identify(const char *rest, struct ferryi_traces *out);
int ferryi_sysv_figures(const char *rest, struct ferryi_figures *out);
int ferryi_sysv_names(int (*each)(const char *rest, void *arg), void *arg);

/* The queue of what stands behind "sysv:".  -ENOENT, with a sentence. */
int ferryi_sysv_find(const char *rest);

/* The largest type that both sides of the interface can say. */
long ferryi_sysv_longest_type(void);

/* --- sysv_move.c ------------------------------------------------------------- */

/* A negative errno of the system as a result: a queue that was removed is known. */
int ferryi_sysv_result(struct ferry_link *l, int err);

extern const struct ferryi_messages ferryi_messages_of_sysv;

/* --- sysv.c ------------------------------------------------------------------ */

int ferryi_sysv_stat(struct ferry_link *l, struct ferry_mailbox_stat *st);

#endif

/* SPDX-License-Identifier: MIT */
/* What errors.c, which provokes, and errors_rows.c, which expects, share. */
#ifndef FERRY_TEST_ERRORS_H
#define FERRY_TEST_ERRORS_H

#include <ferry.h>

/* How an address is used, beside FERRY_SEND, FERRY_RECV and FERRY_DUPLEX. */
enum {
	LISTEN = 100,
	PAIR,
	CREATE,	    /* a mailbox of 2 messages */
	DESCRIPTOR, /* fd: of a file that is made for it */
	INHERITED,  /* opened to receive, and in a child only */
};

#define THE_SAME "=" /* address as the first one */

struct cell {
	int err;
	const char *says; /* a phrase that no other sentence of the row has */
	int (*provoke)(const struct cell *c, struct ferry_link **l);
	const char *address; /* % is the directory of the test */
	unsigned how;
	unsigned first; /* what root has done before others come; 0: nothing */
	const char *then;    /* the second address, if it is another one */
	const char *why_not; /* instead of all that: why there is no such thing */
};

/* The order of the cells of a row. */
enum {
	KILLED_PEER,
	FULL,
	FULL_DISK,
	READ_ONLY,
	NO_PERMISSION,
	NAME_IN_USE,
	NOBODY_THERE,
	MALFORMED,
	NO_DESCRIPTORS,
	CONDITIONS
};

struct row {
	const char *scheme;
	struct cell cell[CONDITIONS];
};

extern const struct row errors_rows[]; /* ends with one without a scheme */

/* Ways to provoke.  Each returns the result, and its link if there is one. */
int refused(const struct cell *c, struct ferry_link **l);
int refused_twice(const struct cell *c, struct ferry_link **l);
int refused_beside_another(const struct cell *c, struct ferry_link **l);
int refused_to_others(const struct cell *c, struct ferry_link **l);
int refused_read_only(const struct cell *c, struct ferry_link **l);
int refused_on_full_disk(const struct cell *c, struct ferry_link **l);
int refused_without_descriptors(const struct cell *c, struct ferry_link **l);
int sending_on_full_disk(const struct cell *c, struct ferry_link **l);
int sending_when_full(const struct cell *c, struct ferry_link **l);
int sending_to_a_killed_one(const struct cell *c, struct ferry_link **l);
int sending_to_a_killed_child(const struct cell *c, struct ferry_link **l);

/* For more of them. */
char *errors_at(const char *address);
int errors_do(const char *address, unsigned how, struct ferry_link **l);
int errors_give(struct ferry_link *l);
int errors_skip(const char *why);
void errors_remember(
	const char *why); /* the sentence, if it is not the last one */

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Deeds: the public calls with their entry in the ledger.  Everybody uses
 * them, the victim too; its book-keeping is not stepped.
 */
#ifndef CRASH_DEED_H
#define CRASH_DEED_H

#include <ferry.h>

#include "scenario.h"

/* Who am I: the scenario's size, and whether I am the one that is stepped. */
void deed_setup(const struct scenario *sc);
void deed_stepped(void);

/* Open, or create as the scenario says; NULL, and a violation, on failure. */
struct ferry_link *deed_open(const char *name);
struct ferry_link *deed_create(const char *name);

int deed_send(struct ferry_link *link, long id, ferry_time deadline);
int deed_loan(struct ferry_link *link, long id, struct ferry_message *m,
	      ferry_time deadline);
int deed_commit(struct ferry_message *m, long id, ferry_time deadline);
int deed_take(struct ferry_link *link, struct ferry_message *m,
	      ferry_time deadline);
int deed_release(struct ferry_message *m);

/* Take and release one. */
int deed_consume(struct ferry_link *link, ferry_time deadline);

/* Up to DEED_MANY messages in one call: numbers from `id`; the next ones. */
#define DEED_MANY 3
ssize_t deed_send_many(struct ferry_link *link, long id);
ssize_t deed_recv_many(struct ferry_link *link);

/* Repair after the dead, and remove what they have left.  How much that was. */
int deed_gc(void);

#endif

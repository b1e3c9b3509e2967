/* SPDX-License-Identifier: MIT */
/*
 * What one of two ends does: messages, the victim's deeds (kernel_deeds.c), and what
 * the auditor finds behind them (kernel_found.c).  Messages are numbered from 0, in
 * the order in which they are sent.
 */
#ifndef CRASH_KERNEL_MOVES_H
#define CRASH_KERNEL_MOVES_H

#include "kernel.h"

#define QUEUED 3 /* messages for a victim that receives */
#define MANY   3

struct move {
	const char *name;
	unsigned needs; /* of a way */
	size_t size;
	int unsure; /* messages that may have been sent, or taken, and not counted */
	bool (*act)(const struct scenario *s);
	void *(*meanwhile)(void *scenario);
	void (*audit)(const struct scenario *s, bool finished);
	bool puts_back; /* what it took may come again */
};

extern int queued; /* messages that there were for the victim */

size_t length(const struct scenario *s);
void fill(const struct scenario *s, void *out, int id);
int give(const struct scenario *s, struct ferry_link *l, int id,
	 ferry_time deadline);

/* The number of a message that is whole, or -1. */
int number_of(const struct scenario *s, const void *data, size_t len);

/* Deeds.  Each says whether it was done. */
bool send_one(const struct scenario *s);
bool send_three(const struct scenario *s);
bool send_many(const struct scenario *s);
bool loan_and_commit(const struct scenario *s);
bool send_with_outlet(const struct scenario *s);
bool send_and_shut_down(const struct scenario *s);
bool send_and_close(const struct scenario *s);
bool receive_one(const struct scenario *s);
bool receive_all(const struct scenario *s);
bool receive_many(const struct scenario *s);
bool take_and_release(const struct scenario *s);
bool take_and_put_back(const struct scenario *s);
bool ask_and_receive(const struct scenario *s);
bool receive_outlet(const struct scenario *s);
bool close_it(const struct scenario *s);

/* The auditor, while the victim acts. */
void *drain_meanwhile(void *scenario);
void *send_meanwhile(void *scenario);
void *send_to_sleeper(void *scenario);

/* The auditor, when it is dead. */
void audit_seen(const struct scenario *s, bool finished);
void audit_sent(const struct scenario *s, bool finished);
void audit_outlet(const struct scenario *s, bool finished);
void audit_received(const struct scenario *s, bool finished);
void audit_sender(const struct scenario *s, bool finished);

#endif

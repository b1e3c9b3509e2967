/* SPDX-License-Identifier: MIT */
/*
 * The storm's ledger: a memfd that all its processes map, in which every
 * message has one byte.
 */
#ifndef STRESS_STORM_H
#define STRESS_STORM_H

#include <stdint.h>

#define STORM_IDS (1u << 28) /* memory only as far as they come */
#define STORM_BOX "storm"

/* Bits of a message's byte. */
enum {
	MARK_ACCEPTED = 1,
	MARK_DELIVERED = 2,
	MARK_ACKED = 4,
};

struct storm {
	_Alignas(64) uint64_t next; /* message number */
	_Alignas(64) uint64_t received;
	uint64_t redelivered, unmarked, after_ack, damaged, refused;
	_Alignas(64) int stop;
	char first[160]; /* the first thing that was refused */
	uint8_t mark[STORM_IDS];
};

/* The size and contents of a message follow from its number. */
uint64_t storm_hash(uint64_t x);
unsigned long storm_size(uint64_t id);

/* A sender or receiver: returns when the storm stops. */
int storm_sender(struct storm *s, unsigned seed);
int storm_receiver(struct storm *s, unsigned seed);

/* Enter a delivery in the ledger. */
struct ferry_message;
void storm_deliver(struct storm *s, const struct ferry_message *m);

#endif

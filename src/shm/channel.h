/* SPDX-License-Identifier: MIT */
/*
 * The segment of a channel: two rings, one each way, and who has the two ends.
 *
 *	header	1 KiB	written once, before anybody else has the segment
 *	ends	1 KiB	one a side, and whose turn it is
 *	rings	2 KiB	what both sides see of each direction
 *	slots		of the ring from side 0 to side 1, then of the other one
 *
 * Pure.
 */
#ifndef FERRYI_SHM_CHANNEL_H
#define FERRYI_SHM_CHANNEL_H

#include "shm/layout.h"
#include "shm/ring.h"

#define FERRYI_CHANNEL_STREAM 1u /* bytes, not messages */
#define FERRYI_CHANNEL_HAND   2u /* capacity 0: from hand to hand */
#define FERRYI_CHANNEL_HALF   4u /* one side sends at a time */
#define FERRYI_CHANNEL_FLAGS  7u

struct ferryi_channel_header {
	struct ferryi_preamble preamble;
	uint32_t ring_log2; /* slots each way */
	uint32_t flags;	    /* FERRYI_CHANNEL_..., both sides want the same */
	uint64_t checksum;  /* of everything before it */
};

/*
 * Who has a side, and who has closed it: any number that tells processes
 * apart.  After a fork two have it until one takes it over or closes; only the
 * kernel knows when nobody has it any more, and then these two tell whether the
 * last owner went in good order.
 */
struct ferryi_channel_end {
	uint64_t owner;
	uint64_t closed_by;
	uint8_t pad[112];
};

/* Half-duplex: the side that may send, which is the only one to write it, or
 * nobody's: who sends first gets it by a CAS. */
#define FERRYI_CHANNEL_NOBODY 2u
struct ferryi_channel_turn {
	uint32_t of;
	uint8_t pad[124];
};

struct ferryi_channel_segment {
	struct ferryi_channel_header header;
	uint8_t pad0[1024 - sizeof(struct ferryi_channel_header)];
	struct ferryi_channel_end end[2];
	struct ferryi_channel_turn turn;
	uint8_t pad1[1024 - 2 * sizeof(struct ferryi_channel_end) -
		     sizeof(struct ferryi_channel_turn)];
	struct ferryi_ring_shared ring[2]; /* by the side that sends */
	uint8_t pad2[2048 - 2 * sizeof(struct ferryi_ring_shared)];
	uint8_t slots[];
};

_Static_assert(sizeof(struct ferryi_channel_end) == 128, "a pair of lines");
_Static_assert(offsetof(struct ferryi_channel_segment, end) == 1024, "ends");
_Static_assert(offsetof(struct ferryi_channel_segment, turn) == 1280, "turn");
_Static_assert(offsetof(struct ferryi_channel_segment, ring) == 2048, "rings");
_Static_assert(offsetof(struct ferryi_channel_segment, slots) == 4096, "slots");

#define FERRYI_CHANNEL_LOG2_MIN 8u
#define FERRYI_CHANNEL_LOG2_MAX 26u

uint64_t ferryi_channel_bytes(uint32_t ring_log2);

/* Into a zeroed segment. */
void ferryi_channel_format(struct ferryi_channel_segment *s, uint32_t ring_log2,
			   uint32_t flags, int64_t created_at);

/* Of a private copy.  0; -EBADMSG or -EPROTO with *out_why set. */
int ferryi_channel_check(const struct ferryi_channel_header *h,
			 uint64_t file_bytes, const char **out_why);

/* The ring on which `side` sends.  `bits` as for ferryi_ring_attach(). */
void ferryi_channel_ring(struct ferryi_ring *r,
			 struct ferryi_channel_segment *s, uint32_t ring_log2,
			 unsigned side, uint64_t *bits);

#endif

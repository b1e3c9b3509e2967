/* SPDX-License-Identifier: MIT */
/*
 * The segment of a channel: two rings, one each way, and who has the two ends.
 *
 *	header	1 KiB	written once, before anybody else has the segment
 *	ends	1 KiB	one a side
 *	rings	2 KiB	what both sides see of each direction
 *	slots		of the ring from side 0 to side 1, then of the other one
 *
 * Pure.
 */
#ifndef FERRYI_SHM_CHANNEL_H
#define FERRYI_SHM_CHANNEL_H

#include "shm/layout.h"
#include "shm/ring.h"

struct ferryi_channel_header {
	struct ferryi_preamble preamble;
	uint32_t ring_log2; /* slots each way */
	uint32_t stream;    /* 1: bytes; 0: messages */
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

struct ferryi_channel_segment {
	struct ferryi_channel_header header;
	uint8_t pad0[1024 - sizeof(struct ferryi_channel_header)];
	struct ferryi_channel_end end[2];
	uint8_t pad1[1024 - 2 * sizeof(struct ferryi_channel_end)];
	struct ferryi_ring_shared ring[2]; /* by the side that sends */
	uint8_t pad2[2048 - 2 * sizeof(struct ferryi_ring_shared)];
	uint8_t slots[];
};

_Static_assert(sizeof(struct ferryi_channel_end) == 128, "a pair of lines");
_Static_assert(offsetof(struct ferryi_channel_segment, end) == 1024, "ends");
_Static_assert(offsetof(struct ferryi_channel_segment, ring) == 2048, "rings");
_Static_assert(offsetof(struct ferryi_channel_segment, slots) == 4096, "slots");

#define FERRYI_CHANNEL_LOG2_MIN 8u
#define FERRYI_CHANNEL_LOG2_MAX 26u

uint64_t ferryi_channel_bytes(uint32_t ring_log2);

/* Into a zeroed segment. */
void ferryi_channel_format(struct ferryi_channel_segment *s, uint32_t ring_log2,
			   bool stream, int64_t created_at);

/* Of a private copy.  0; -EBADMSG or -EPROTO with *out_why set. */
int ferryi_channel_check(const struct ferryi_channel_header *h,
			 uint64_t file_bytes, const char **out_why);

/* The ring on which `side` sends.  `bits` as for ferryi_ring_attach(). */
void ferryi_channel_ring(struct ferryi_ring *r,
			 struct ferryi_channel_segment *s, uint32_t ring_log2,
			 unsigned side, uint64_t *bits);

#endif

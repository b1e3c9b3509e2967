/* SPDX-License-Identifier: MIT */
/*
 * Where everything lies in a topic's segment.  doc/format.md gives the same with
 * byte offsets.
 *
 *	header    4 KiB   written once, before the file has a name
 *	control   4 KiB   the words that change; users.h is at home in it
 *	slots             one of 128 bytes for each subscriber there can be
 *	cells             8 bytes each, a power of two of them
 *	records           one of 128 bytes for each chunk
 *	places            `place` bytes for each chunk
 *
 * All but the places have memory from the start; of a place the owner of its chunk
 * reserves as much as its message needs, and notes that in `backed`.
 */
#ifndef FERRYI_SHM_TOPIC_H
#define FERRYI_SHM_TOPIC_H

#include "shm/layout.h"

#define FERRYI_TOPIC_CAPACITY_MAX (1u << 18)
#define FERRYI_TOPIC_INDEX_BITS	  20
#define FERRYI_SUBSCRIBERS	  256u

/* Chunks beside those of the ring: so many publishers may be at it at once. */
#define FERRYI_SPARE_CHUNKS 64u

/* What the creator chose. */
struct ferryi_topic_choice {
	uint64_t capacity; /* messages that a subscriber may be behind */
	uint64_t message_max;
	uint32_t persistence;
	uint32_t trust;
};

struct ferryi_topic_header {
	struct ferryi_preamble preamble;
	struct ferryi_topic_choice choice;
	uint64_t cells_at, records_at, places_at;
	uint64_t place; /* bytes of one, a multiple of 64 */
	uint32_t n_chunks;
	uint8_t ring_log2;
	uint8_t pad[3];
	uint64_t checksum; /* of everything before it */
};

/* What the gates are for. */
enum ferryi_topic_gate {
	FERRYI_GATE_NEWS,  /* subscribers sleep for a message */
	FERRYI_GATE_ROOM,  /* publishers for one who blocks, or for a chunk */
	FERRYI_GATE_CROWD, /* who waits for subscribers */
};

struct ferryi_topic_control {
	uint64_t tail; /* hint: the next position to fill; never too far */
	uint8_t pad0[248];
	uint32_t gate[FERRYI_GATES]; /* as in ferryi_control */
	uint32_t state;
	uint8_t pad1[8];
	uint32_t polled[FERRYI_POLL_GATES]; /* as in ferryi_control */
	uint8_t pad2[96];
	uint64_t subscribed[FERRYI_SUBSCRIBERS / 64]; /* bit: slot in use */
	uint64_t blocking[FERRYI_SUBSCRIBERS / 64];   /* and who must not miss
						       * any */
	uint8_t pad3[64];
	uint64_t dropped;      /* of subscribers that have gone */
	uint64_t disconnected; /* subscribers that were */
	uint8_t pad4[24];
	uint64_t repaired;
	uint64_t joins;
	uint8_t pad5[456];
	uint64_t members[FERRYI_OWNERS / 64];
	uint8_t pad6[2048];
};

/* A subscriber.  Its owner alone writes what is behind the word. */
struct ferryi_topic_slot {
	uint64_t word;	 /* words.h: FREE or LOAN(o); deliveries: the policy */
	uint64_t cursor; /* the next position to read */
	uint64_t delivered;
	uint64_t dropped;
	uint64_t start_time;
	uint32_t pid;
	uint32_t is_cut; /* policy disconnect: it was too slow */
	uint8_t pad[80];
};

struct ferryi_topic_record {
	uint64_t word;	 /* of the chunk */
	uint64_t seq;	 /* the position it was, or is about to be, put at */
	uint64_t backed; /* bytes of its place that have memory */
	uint32_t len;
	uint32_t pad;
	uint8_t pad1[32];
	struct ferryi_sender sender;
};

#define FERRYI_SLOTS_AT (FERRYI_HEADER_BYTES + FERRYI_CONTROL_BYTES)

_Static_assert(sizeof(struct ferryi_topic_header) <= FERRYI_HEADER_BYTES, "");
_Static_assert(sizeof(struct ferryi_topic_control) == FERRYI_CONTROL_BYTES, "");
_Static_assert(sizeof(struct ferryi_topic_slot) == 128, "two lines");
_Static_assert(sizeof(struct ferryi_topic_record) == 128, "two lines");
_Static_assert(offsetof(struct ferryi_topic_record, sender) == 64, "a line");

/* The part that ferryi_users_attach() knows. */
#define FERRYI_SAME_PLACE(member)                                              \
	_Static_assert(offsetof(struct ferryi_topic_control, member) ==        \
			       offsetof(struct ferryi_control, member),        \
		       "users.h")
FERRYI_SAME_PLACE(gate);
FERRYI_SAME_PLACE(state);
FERRYI_SAME_PLACE(polled);
FERRYI_SAME_PLACE(joins);
FERRYI_SAME_PLACE(members);
_Static_assert(offsetof(struct ferryi_topic_control, repaired) ==
		       offsetof(struct ferryi_control, counters.repaired),
	       "users.h");

/* Fill in a header for `c`.  0, or -EINVAL with *out_why set. */
int ferryi_topic_plan(struct ferryi_topic_header *h,
		      const struct ferryi_topic_choice *c,
		      const char **out_why);

/* Check a header that another process wrote: -EBADMSG, -EPROTO. */
int ferryi_topic_check(const struct ferryi_topic_header *h, uint64_t file_bytes,
		       const char **out_why);

#endif

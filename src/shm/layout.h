/* SPDX-License-Identifier: MIT */
/*
 * Where everything lies in a mailbox's segment.  doc/format.md gives the same
 * with byte offsets; the asserts below keep the two together.
 *
 *	header    4 KiB   written once, before the file has a name
 *	control   4 KiB   the words that change
 *	records           one of 256 bytes for each chunk, class by class; the
 *	                  first 2^ring_log2 of them carry the ring's cells too
 *	payloads          for each pool class an array of equal places
 *
 * The first 2^ring_log2 chunks are *home chunks*: a message of up to 96 bytes
 * that lies in the chunk of its own position needs no other cache lines than
 * those of its record.  Longer messages use the pools.
 *
 * Only the first part of each class is backed by memory: below its high-water
 * mark `reserved[class]`.  Nobody, not even a reader, touches what lies above.
 */
#ifndef FERRYI_SHM_LAYOUT_H
#define FERRYI_SHM_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"
#include "shm/words.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the segment format is little-endian"
#endif

#define FERRYI_MAGIC	     0x0a59525245467f89ull /* "\x89\x7fFERRY\n" */
#define FERRYI_FORMAT	     1u
#define FERRYI_KIND_MAILBOX  1u
#define FERRYI_KIND_REGISTRY 2u
#define FERRYI_KIND_CHANNEL  3u
#define FERRYI_KIND_TOPIC    4u

#define FERRYI_INLINE	    96u /* bytes of payload in a record */
#define FERRYI_CLASSES	    16u
#define FERRYI_OWNERS	    8192u /* leases of a realm */
#define FERRYI_CAPACITY_MAX (1u << 24)
#define FERRYI_MESSAGE_MAX  ((uint64_t)1 << 30)
#define FERRYI_DEAD_LETTER  208u

/* Classes up to this size are reserved together with their records, larger
 * places one by one, as far as a message needs. */
#define FERRYI_EAGER 4096u

/* What every kind of segment begins with, so that a stranger can be refused
 * politely. */
struct ferryi_preamble {
	uint64_t magic;
	uint32_t format;
	uint32_t word_bits; /* 64 */
	uint32_t kind;
	uint32_t header_bytes;
	uint64_t must_know; /* feature bits: unknown ones refuse */
	uint64_t may_know;  /* feature bits: unknown ones are ignored */
	uint64_t total_bytes;
	int64_t created_at; /* CLOCK_REALTIME ns */
	uint8_t uuid[16];
};

struct ferryi_class {
	uint64_t size;	     /* bytes of a place; 0: inline only */
	uint64_t payload_at; /* offset in the segment */
	uint32_t first;	     /* index of its first chunk */
	uint32_t count;
};

/* What the creator chose. */
struct ferryi_choice {
	uint64_t capacity;
	uint64_t message_max;
	uint64_t bytes_max;
	uint32_t full;
	uint32_t delivery;
	uint32_t persistence;
	uint32_t trust;
	uint32_t max_deliveries;
	uint32_t reserved;
	char dead_letter[FERRYI_DEAD_LETTER];
};

struct ferryi_header {
	struct ferryi_preamble preamble;
	struct ferryi_choice choice;
	uint64_t records_at;
	uint32_t n_classes;
	uint32_t n_chunks;
	struct ferryi_cell_shape shape;
	uint32_t pad;
	struct ferryi_class classes[FERRYI_CLASSES];
	uint64_t checksum; /* of everything before it */
};

/* state word of the control page */
#define FERRYI_CLOSED  1u /* no more sends */
#define FERRYI_REMOVED 2u /* destroyed, or gone with its last user: final */

enum ferryi_gate {
	FERRYI_GATE_RECV,
	FERRYI_GATE_SPACE,
	FERRYI_GATE_CHUNK,
	FERRYI_GATES
};

/* Gates of event loops (link/pollers.h), which all are woken, beside the sleepers. */
enum ferryi_poll_gate { FERRYI_POLL_SEND, FERRYI_POLL_RECV, FERRYI_POLL_GATES };

struct ferryi_counters {
	uint64_t redelivered, dropped, lost, rejected, dead_lettered, repaired;
};

struct ferryi_control {
	uint64_t tail; /* hint: the next position to fill; never too far */
	uint8_t pad0[120];
	uint64_t head; /* hint: the next position to take; never too far */
	uint8_t pad1[120];
	uint32_t gate[FERRYI_GATES];	    /* who may sleep, see watch.h */
	uint32_t state;			    /* FERRYI_CLOSED, FERRYI_REMOVED */
	uint64_t returned;		    /* words.h */
	uint32_t polled[FERRYI_POLL_GATES]; /* watch.h */
	uint8_t pad2[96];
	uint32_t reserved[FERRYI_CLASSES]; /* high-water marks, in chunks */
	uint32_t cursor[FERRYI_CLASSES]; /* hint: where to look for a free one */
	struct ferryi_counters counters;
	uint64_t joins; /* + 2 with each user that joins; odd: removed, final */
	uint8_t pad3[456];
	uint64_t members[FERRYI_OWNERS /
			 64]; /* bit: this lease uses the mailbox */
	uint8_t pad4[2048];
};

struct ferryi_sender {
	uint64_t start_time;
	uint64_t id;	    /* 0: the position + 1 */
	int64_t sent_at;    /* CLOCK_REALTIME ns */
	int64_t expires_at; /* 0: never */
	uint32_t pid, uid, gid;
	uint32_t type;
	char name[16];
};

struct ferryi_taker {
	uint64_t start_time;
	int64_t taken_at;   /* CLOCK_MONOTONIC ns */
	int64_t not_before; /* CLOCK_MONOTONIC ns; while RETURNED */
	uint64_t backed;    /* bytes of the place that have memory */
	uint32_t pid, uid, gid;
	uint32_t reserved;
	char name[16];
};

/* flags of a record */
#define FERRYI_TAKER_KNOWN 1u /* `taker` is about the one who has it now */

struct ferryi_record {
	uint64_t cell; /* of the ring; only in the first 2^ring_log2 */
	uint64_t word; /* of the chunk */
	uint64_t seq;  /* the position it was, or is about to be, put at */
	uint32_t len;
	uint16_t handle; /* which handle of its owner has it */
	uint8_t priority;
	uint8_t flags;
	uint8_t data[FERRYI_INLINE];
	struct ferryi_sender sender; /* written by the owner of the loan */
	struct ferryi_taker taker;   /* written by a holder who keeps it */
};

#define FERRYI_HEADER_BYTES  4096u
#define FERRYI_CONTROL_BYTES 4096u

_Static_assert(sizeof(struct ferryi_header) <= FERRYI_HEADER_BYTES, "header");
_Static_assert(sizeof(struct ferryi_control) == FERRYI_CONTROL_BYTES,
	       "control");
_Static_assert(sizeof(struct ferryi_record) == 256, "record");
_Static_assert(offsetof(struct ferryi_control, head) == 128, "own line");
_Static_assert(offsetof(struct ferryi_control, gate) == 256, "own line");
_Static_assert(offsetof(struct ferryi_control, reserved) == 384, "own line");
_Static_assert(offsetof(struct ferryi_control, members) == 1024, "members");
_Static_assert(offsetof(struct ferryi_record, data) == 32, "first line");
_Static_assert(offsetof(struct ferryi_record, sender) == 128, "third line");
_Static_assert(offsetof(struct ferryi_record, taker) == 192, "fourth line");

/* Fill in a header for `c` (the uuid and created_at are the caller's).
 * 0, or -EINVAL with *out_why set to a static phrase. */
int ferryi_layout_plan(struct ferryi_header *h, const struct ferryi_choice *c,
		       const char **out_why);

/*
 * Check a header that another process wrote, of a file of `file_bytes`.  `h` is
 * a private copy.  0; -EBADMSG or -EPROTO with *out_why set.
 */
int ferryi_layout_check(const struct ferryi_header *h, uint64_t file_bytes,
			const char **out_why);

/* The part of the check that is common to all kinds of segments. */
int ferryi_preamble_check(const struct ferryi_preamble *p, uint32_t kind,
			  uint64_t file_bytes, const char **out_why);

uint64_t ferryi_checksum(const void *data, size_t len);

/* Chunks of each class that have memory from the start, and the bytes from
 * the beginning of the segment that must be reserved for them. */
uint32_t ferryi_layout_first_chunks(const struct ferryi_header *h);
uint64_t ferryi_layout_first_bytes(const struct ferryi_header *h);

/* The same once the ring has been gone round: the least a mailbox may have. */
uint64_t ferryi_layout_ring_bytes(const struct ferryi_header *h);

#endif

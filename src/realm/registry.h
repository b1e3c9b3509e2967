/* SPDX-License-Identifier: MIT */
/*
 * The registry file of a realm, ".ferry": who takes part, and the bell.
 *
 *	header    4 KiB
 *	control   4 KiB   death, epoch, the duty of the safety net
 *	slots             128 bytes for each lease
 *
 * Lock bytes of the file (OFD locks; they need no bytes to be there):
 *	i		lease of slot i: held while its process lives
 *	RECOVER + i	somebody repairs after slot i
 *	NAMES		somebody removes a name of the realm
 */
#ifndef FERRYI_REALM_REGISTRY_H
#define FERRYI_REALM_REGISTRY_H

#include "shm/atomic.h"
#include "shm/layout.h"

#define FERRYI_REGISTRY_NAME ".ferry"
#define FERRYI_LOCK_RECOVER  ((uint64_t)1 << 40)
#define FERRYI_LOCK_NAMES    ((uint64_t)1 << 41)
#define FERRYI_SLOTS_FIRST   32u

struct ferryi_registry_header {
	struct ferryi_preamble preamble;
	uint32_t n_slots;
	uint32_t pad;
	uint64_t checksum; /* of everything before it */
};

struct ferryi_slot {
	uint64_t state; /* incarnation << 8 | 1 when a process has it */
	uint64_t start_time;
	uint64_t pid_namespace;
	int64_t since; /* CLOCK_REALTIME ns */
	uint32_t pid, uid, gid;
	uint32_t pad;
	char name[16];
	uint8_t pad1[64];
};

struct ferryi_registry_control {
	uint32_t death; /* always 0: what the tokens aim at */
	uint8_t pad0[124];
	uint32_t epoch;	   /* moves with every repair */
	uint32_t net;	   /* slot + 1 of who carries the safety net, or 0 */
	uint32_t reserved; /* slots that have memory: high-water mark */
	uint32_t retired;  /* 1: the file is being removed; final */
	int64_t looked_at; /* CLOCK_MONOTONIC ns: the last full look began */
	uint32_t look_us;  /* of CPU that it took */
	uint8_t pad1[3940];
};

/* A mapped registry. */
struct ferryi_registry {
	struct ferryi_registry_control *control;
	struct ferryi_slot *slots;
};

#define FERRYI_REGISTRY_BYTES                                                  \
	(FERRYI_HEADER_BYTES + sizeof(struct ferryi_registry_control) +        \
	 (uint64_t)FERRYI_OWNERS * sizeof(struct ferryi_slot))

_Static_assert(sizeof(struct ferryi_slot) == 128, "slot");
_Static_assert(sizeof(struct ferryi_registry_control) == 4096, "control");
_Static_assert(offsetof(struct ferryi_registry_control, epoch) == 128, "line");

static inline bool ferryi_slot_live(const struct ferryi_slot *s)
{
	return ferryi_load(&s->state) & 1;
}

/* Slots that may be looked at. */
static inline uint32_t ferryi_registry_slots(const struct ferryi_registry *g)
{
	uint32_t n = ferryi_load(&g->control->reserved);

	return n < FERRYI_OWNERS ? n : FERRYI_OWNERS;
}

/*
 * Open the registry in `dir`, or create it (complete, under its name at once).
 * Returns a descriptor of its own description, mapped at *out.  `mode` and
 * `gid` are for a new one.
 */
int ferryi_registry_open(struct ferryi_registry *out, int dir,
			 const char *directory, bool create);

/* Make sure that slot i has memory. */
int ferryi_registry_reserve(struct ferryi_registry *g, int fd, uint32_t i);

/* For a sentence: "format 2, mine is 1; " of what another version has made; nothing
 * of what is no file of ferry's, and has no format. */
#define FERRYI_FORMAT_SAID 48
const char *ferryi_other_format(const struct ferryi_preamble *p,
				char buf[FERRYI_FORMAT_SAID]);

#endif

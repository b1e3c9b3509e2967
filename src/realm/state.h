/* SPDX-License-Identifier: MIT */
/*
 * What a process keeps of a realm.  For the files of this room only.
 */
#ifndef FERRYI_REALM_STATE_H
#define FERRYI_REALM_STATE_H

#include <pthread.h>
#include "realm/realm.h"

struct ferryi_segment;

struct ferryi_realm {
	struct ferryi_realm *next; /* all of this process, also left ones */
	uint32_t generation;	   /* of the process, see sys/process.h */
	unsigned refs;		   /* 0: left; the mapping stays */
	char *path;
	int dir;   /* the directory */
	int fd;	   /* the registry, on our own description */
	dev_t dev; /* of the registry file */
	ino_t ino;
	dev_t dir_dev;
	ino_t dir_ino;
	struct ferryi_registry registry;
	uint32_t owner;	      /* our slot */
	uint64_t incarnation; /* its state word while it is ours */
	unsigned pollers;     /* atomic: links that event loops wait for */
	int64_t turn;	      /* atomic: the last that one of them has taken */
	pthread_mutex_t looking; /* one thread looks for the dead */
	pthread_mutex_t names;	 /* threads share one file lock */
	struct ferryi_segment *segments;
};

/* One lock over the lists of realms and segments; taken before the others. */
void ferryi_realms_lock(void);
void ferryi_realms_unlock(void);

/* repair.c: the lease of slot i is free and `state` is what it said. */
int ferryi_repair(struct ferryi_realm *r, uint32_t i, uint64_t state);

/* join.c: slot i is one of this process. */
bool ferryi_realm_is_ours(const struct ferryi_realm *r, uint32_t i);

/* lease.c: a slot of the open registry for us.  -ESTALE: it is being removed. */
int ferryi_lease_take(struct ferryi_realm *r);
void ferryi_lease_end(struct ferryi_realm *r);

/* lease.c: leases that this process had before an exec. */
void ferryi_lease_end_former(struct ferryi_realm *r);

/* lease.c: see ferryi_realm_renew(), which takes `looking` for it. */
int ferryi_lease_renew(struct ferryi_realm *r);

/* memory.c: a sentence that says how much was wanted and how much is free. */
int ferryi_fail_room(const struct ferryi_realm *r, const char *name, int err,
		     uint64_t wanted);

#endif

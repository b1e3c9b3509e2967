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
	uint32_t owner;		 /* our slot */
	uint64_t incarnation;	 /* its state word while it is ours */
	pthread_mutex_t looking; /* one thread looks for the dead */
	pthread_mutex_t names;	 /* threads share one file lock */
	struct ferryi_segment *segments;
};

/* One lock over the lists of realms and segments; taken before the others. */
void ferryi_realms_lock(void);
void ferryi_realms_unlock(void);

/* repair.c: the lease of slot i is free and `state` is what it said. */
int ferryi_repair(struct ferryi_realm *r, uint32_t i, uint64_t state);

/* lease.c: tell every sleeper of the realm to look again. */
void ferryi_realm_ring(struct ferryi_realm *r);

#endif

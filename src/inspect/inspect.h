/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: lists that grow, and a realm to look at.
 */
#ifndef FERRYI_INSPECT_INSPECT_H
#define FERRYI_INSPECT_INSPECT_H

#include <ferry/inspect.h>
#include "realm/realm.h"
#include "realm/segment.h"

struct ferryi_transport;

/* A list of equal items, allocated for the caller of a public function. */
struct ferryi_list {
	char *items;
	size_t n, cap, size;
};

/* A zeroed new item at the end, or NULL when memory is out. */
void *ferryi_list_add(struct ferryi_list *l, size_t size);

/* `realm` or the default one, as a path in `buf`. */
int ferryi_inspect_path(const char *realm, char *buf, size_t size);

/* The sentence why a file of a realm cannot be used. */
void ferryi_inspect_file(int dir, const char *name, struct ferry_object *out);

/* Names of processes (doors.c).  Whether a file is the door of one; what comes
 * behind "process:", or NULL. */
bool ferryi_inspect_is_door(const char *file);
const char *ferryi_inspect_process(const char *address);
void ferryi_inspect_door(int dir, const char *name, struct ferry_object *out);

/* Its holder first, then who is connected there. */
int ferryi_inspect_door_users(int dir, const char *name,
			      struct ferryi_list *list);

/*
 * Objects of other mechanisms (holders.c).  The transport of an address, and what
 * comes behind its colon; NULL: there is no scheme.
 */
const struct ferryi_transport *ferryi_inspect_scheme(const char *name,
						     const char **rest);

/* What is known of `pid`, but for the proof; false: it has ended. */
bool ferryi_inspect_pid(pid_t pid, struct ferry_process *out);

/* Who has it open, where the transport identifies it.  1: some processes could not
 * be looked into. */
int ferryi_inspect_holders(const struct ferryi_transport *t, const char *rest,
			   struct ferryi_list *list);

#endif

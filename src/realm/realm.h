/* SPDX-License-Identifier: MIT */
/*
 * A realm: a directory under which names live, with a registry of who takes
 * part, and one bell for all the deaths in it.
 *
 * A process joins a realm with its first object there and leaves with its last.
 * While it takes part it holds a *lease*: a lock on one byte of the registry
 * file, on an open file description of its own, which the kernel drops when it
 * dies.  The index of that byte is its owner number in every chunk word.
 *
 * When a process dies the kernel rings the bell (sys/token.h): it wakes one
 * sleeper of `death`.  That one looks at the leases, repairs every object the
 * dead one used, moves `epoch` and wakes everybody.  The registry's mapping is
 * never given back, since the tokens of threads may still point to it.
 *
 * Threads: all calls are safe; they take short process-private mutexes.
 */
#ifndef FERRYI_REALM_REALM_H
#define FERRYI_REALM_REALM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include "realm/registry.h"

struct ferryi_realm;

/* A name, taken apart: the realm's directory and the name in it. */
struct ferryi_place {
	char directory[4096];
	char name[201];
	char file[232];	 /* what it is called in the directory */
	uint32_t kind;	 /* FERRYI_KIND_...; 0: not said */
	bool is_default; /* the realm of $FERRY_REALM or the user */
};

/* Where one listens for channels: a socket of this prefix and the name. */
#define FERRYI_DOOR_PREFIX ".channel."

/* Where a process that has a name is reached: likewise. */
#define FERRYI_PROCESS_PREFIX ".process."

/* "jobs", "./dir/jobs", "mailbox:jobs".  -EINVAL with a sentence. */
int ferryi_place_parse(struct ferryi_place *p, const char *text);

/* The same name, of an object of this kind. */
void ferryi_place_set_kind(struct ferryi_place *p, uint32_t kind);

/* For who takes an object of any kind: a scheme before the name says which. */
int ferryi_place_parse_any(struct ferryi_place *p, const char *text);

/* Of an open directory, where no kind was said: that of the object that is
 * there.  -EINVAL when several have the name. */
int ferryi_place_find(struct ferryi_place *p, int dir);

/* -ENOENT, with a sentence that names where it was looked for. */
int ferryi_place_missing(const struct ferryi_place *p);

/* The kind of object that a file of a realm is by its name, or 0; what the object
 * is called, and its kind for people. */
uint32_t ferryi_file_kind(const char *file);
const char *ferryi_file_name(const char *file);
const char *ferryi_file_noun(const char *file);

/* The directory of the default realm; -EINVAL when it is too long. */
int ferryi_realm_default(char *buf, size_t size);

/*
 * Open a realm's directory, made with mode 0700 when `create`, and check that
 * it can be trusted.  A descriptor or an error with a sentence.
 */
int ferryi_realm_directory(const char *path, bool create);

/* No file can be made in the realm's directory: a sentence that says why. */
int ferryi_realm_fail_file(int err, int dir, const char *path);

/* What a join may make when it is missing. */
enum ferryi_make {
	FERRYI_MAKE_NOTHING,
	FERRYI_MAKE_REGISTRY,
	FERRYI_MAKE_DIRECTORY
};

/*
 * Take part in the realm of `directory`.  The reference is given back with
 * ferryi_realm_leave().  Looks for the dead when the process was not in yet.
 */
int ferryi_realm_join(struct ferryi_realm **out, const char *directory,
		      enum ferryi_make make);
void ferryi_realm_leave(struct ferryi_realm *r);

/* At the entry of every call: aim the thread's death token at this realm. */
void ferryi_realm_enter(struct ferryi_realm *r);

/* Our lease was taken from us: somebody had proof, or thought so. */
bool ferryi_realm_is_fenced(const struct ferryi_realm *r);

uint32_t ferryi_realm_owner(const struct ferryi_realm *r);

/* Whether somebody holds the lock of this lease: if not, its process is dead, or
 * the lease is free. */
bool ferryi_realm_holds(const struct ferryi_realm *r, uint32_t owner);

/* How many links of this process poll there, after `more` came or went. */
unsigned ferryi_realm_pollers(struct ferryi_realm *r, int more);

/*
 * When one of these is to look for the dead, by turns of a period: the next turn that
 * nobody has taken, but not behind that of as many as poll now.
 */
int64_t ferryi_realm_turn(struct ferryi_realm *r, int64_t now, int64_t period);

int ferryi_realm_dir(const struct ferryi_realm *r);
const char *ferryi_realm_path(const struct ferryi_realm *r);
struct ferryi_registry *ferryi_realm_registry(struct ferryi_realm *r);

/*
 * Look for leases whose holders have died and repair after them.  Returns how
 * many were found; 0 also when another thread is at it.  *out_ending (or NULL):
 * somebody is on its way out and still holds its lock; look again.  Does not wait, except
 * that a repair may remove a name: see ferryi_realm_unlink().
 */
int ferryi_realm_look(struct ferryi_realm *r, bool *out_ending);

/*
 * The same at a fifth of the price: asks the locks only, and so does not find a
 * death while a forked child holds the dead one's.
 */
int ferryi_realm_glance(struct ferryi_realm *r);

/* Our own lease, after a closefrom(): take it again.  -ESTALE: too late. */
int ferryi_realm_renew(struct ferryi_realm *r);

/*
 * Remove `name` if it still names this file.  Serialised over the realm, since
 * check and unlink are two steps.  -EBUSY: somebody has held the lock for 2 s.
 */
int ferryi_realm_unlink(struct ferryi_realm *r, const char *name,
			const struct stat *file);

/* Nobody takes part: remove the registry.  1: removed; 0: in use or absent. */
int ferryi_realm_retire(const char *directory, bool apply);

#endif

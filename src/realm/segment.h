/* SPDX-License-Identifier: MIT */
/*
 * The file of an object: created complete, opened and checked, shared by all
 * handles of a process.  What is in it depends on its kind; who uses it, and how
 * it ends, does not (shm/users.h).
 */
#ifndef FERRYI_REALM_SEGMENT_H
#define FERRYI_REALM_SEGMENT_H

#include <ferry/inspect.h>
#include "realm/realm.h"
#include "shm/broadcast.h"
#include "shm/queue.h"

/* An object looked at without joining it (repair, inspect). */
struct ferryi_view {
	int fd;
	struct stat file;
	enum ferry_state state; /* set on failure as well */
	const char *why;	/* a static phrase on failure */
	uint32_t kind;
	uint32_t persistence;
	void *base;
	struct ferryi_users users;
	union { /* by kind: the header, a private copy, and its object */
		struct {
			struct ferryi_header header;
			struct ferryi_queue queue;
		};
		struct {
			struct ferryi_topic_header topic_header;
			struct ferryi_broadcast topic;
		};
	};
};

/* Takes over `fd`, also on failure. */
int ferryi_view_open(struct ferryi_view *v, int fd);
void ferryi_view_close(struct ferryi_view *v);

/*
 * Take back what `owner` had: it is dead, or one of its handles closes the object
 * for the last time.  How much that was.
 */
uint32_t ferryi_view_recover(struct ferryi_view *v, uint32_t owner);

/* What no honest participant leaves: see ferryi_scrub(). */
void ferryi_view_scrub(struct ferryi_view *v);

/* It ends with its users, or has been removed. */
bool ferryi_view_may_end(const struct ferryi_view *v);

/* How a mailbox stands, all fields. */
void ferryi_view_stat(const struct ferryi_view *v,
		      struct ferry_mailbox_stat *st);

/* The same of a topic; and its subscribers, as ferry_topic_subscribers() does. */
void ferryi_view_topic_stat(struct ferryi_view *v, struct ferry_topic_stat *st);
size_t ferryi_view_subscribers(struct ferryi_view *v,
			       struct ferry_subscriber *out, size_t n);

/* An object that this process uses. */
struct ferryi_segment {
	struct ferryi_segment *next; /* in the realm */
	unsigned refs;
	struct ferryi_realm *realm;
	char *name; /* of its file */
	struct ferryi_view view;
};

/*
 * Open the object in the file `name` and become a member of it.  -ENOENT also for
 * one whose users have all died and that should have ended with them.
 */
int ferryi_segment_open(struct ferryi_segment **out, struct ferryi_realm *r,
			const char *name);

/* Create a mailbox.  -EEXIST when the name is in use. */
int ferryi_segment_create(struct ferryi_segment **out, struct ferryi_realm *r,
			  const char *name, const struct ferryi_choice *choice,
			  unsigned mode, int64_t gid);

/* The same for a topic, in the file of that name. */
int ferryi_segment_create_topic(struct ferryi_segment **out,
				struct ferryi_realm *r, const char *name,
				const struct ferryi_topic_choice *choice,
				unsigned mode, int64_t gid);

/* The last reference of a process ends its membership. */
void ferryi_segment_close(struct ferryi_segment *s);

/* Another handle of this process. */
void ferryi_segment_ref(struct ferryi_segment *s);

/* Give memory to *grow; counts against the mailbox's byte limit. */
int ferryi_segment_grow(struct ferryi_segment *s,
			const struct ferryi_growth *grow);

/* Make sure that `len` bytes of a chunk that we own have memory. */
int ferryi_segment_back(struct ferryi_segment *s, uint32_t index, uint64_t len);

/* The same of a topic's chunk. */
int ferryi_segment_back_topic(struct ferryi_segment *s, uint32_t index,
			      uint64_t len);

/* Bytes of memory that the file has. */
uint64_t ferryi_segment_bytes(const struct ferryi_segment *s);

#endif
